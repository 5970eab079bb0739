import NIOTestSupport
import TestSupport
import Testing

@Suite("An origin in trouble with HTTP/2", .timeLimit(.minutes(1)))
struct StreamChaosTests {
    private static let page = Chaos.page(0)

    /// What HTTP/2 adds.
    static let streams: [(name: String, trouble: Chaos.Trouble)] = [
        ("refused stream", { .bytes(ScriptedFrame.reset(stream: $0, 7)) }),
        ("reset stream", { .bytes(ScriptedFrame.reset(stream: $0, 2)) }),
        (
            "reset in the body",
            {
                .bytes(
                    ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data("{\"Job", stream: $0, ends: false)
                        + ScriptedFrame.reset(stream: $0, 8))
            }
        ),
        (
            "end in the body that is no error",
            {
                .bytes(
                    ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data("{\"Job", stream: $0, ends: false)
                        + ScriptedFrame.reset(stream: $0, 0))
            }
        ),
        (
            "end after the head that is no error",
            { .bytes(ScriptedFrame.head(200, stream: $0) + ScriptedFrame.reset(stream: $0, 0)) }
        ),
        ("half a page", { .bytes(ScriptedFrame.reply("{\"Job", stream: $0)) }),
        (
            "a length that is too great",
            {
                .bytes(
                    ScriptedFrame.head(200, length: page.utf8.count + 1, stream: $0)
                        + ScriptedFrame.data(page, stream: $0))
            }
        ),
        (
            "a length that is too small",
            {
                .bytes(
                    ScriptedFrame.head(200, length: page.utf8.count - 1, stream: $0)
                        + ScriptedFrame.data(page, stream: $0))
            }
        ), ("content without a head", { .bytes(ScriptedFrame.data(page, stream: $0)) }),
        (
            "a head without end",
            { stream in
                .sequence(
                    [.bytes(ScriptedFrame.frame(type: 1, flags: 0, stream: stream, [0x88]))]
                        + Array(
                            repeating: .bytes(
                                ScriptedFrame.frame(type: 9, flags: 0, stream: stream, [0, 1, 0x61, 1, 0x62])),
                            count: 30_000) + [.stall])
            }
        ),
        ("go away", { _ in .sequence([.bytes(ScriptedFrame.goAway(last: 0)), .close]) }), ("close", { _ in .close }),
        ("reset", { _ in .reset }), ("stall", { _ in .sequence([]) }),
        ("garbage", { _ in .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), .close]) }),
    ]

    @Test(
        "that speaks HTTP/2 is asked again by the gateway alone, and charged for it", arguments: streams.indices,
        [Chaos.Transport.priorKnowledge, .tlsWithHTTP2])
    func http2(index: Int, over transport: Chaos.Transport) async throws {
        let trouble = Self.streams[index].trouble
        // One at a time: the end of a connection is that of all its streams.
        let cases = [
            Chaos.Case([trouble]), Chaos.Case([trouble, trouble]), Chaos.Case([trouble, trouble, trouble]),
            Chaos.Case.unsafeWrite([trouble]), Chaos.Case([]),
        ]
        let results = try await Chaos.run(cases, width: 1, over: transport)
        // A write without a token only where the origin says that it did not look at it (RFC 9113 section 8.7).
        let isRefusal = ["refused stream", "go away"].contains(Self.streams[index].name)
        #expect(results.map(\.attempts) == [2, 3, 3, isRefusal ? 2 : 1, 1], "\(Self.streams[index].name)")
        #expect(results.map(\.isPage) == [true, true, false, isRefusal, true])
        // A write's reply may be anything that is whole.
        let isPassedOn = Self.streams[index].name == "half a page"
        #expect(results.map(\.status) == [200, 200, 500, isRefusal || isPassedOn ? 200 : 500, 200])
    }

    /// What looks like trouble, and is none.
    static let harmless: [(name: String, reply: Chaos.Trouble)] = [
        ("an interim head", { .bytes(ScriptedFrame.head(103, stream: $0) + ScriptedFrame.reply(page, stream: $0)) }),
        (
            "trailers that tell of an error",
            {
                .bytes(
                    ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data(page, stream: $0, ends: false)
                        + ScriptedFrame.trailers([("x-amzn-errortype", "InternalServerException")], stream: $0))
            }
        ),
        (
            "the end of the connection after this reply",
            { .bytes(ScriptedFrame.goAway(last: $0) + ScriptedFrame.reply(page, stream: $0)) }
        ),
        (
            "content of no bytes",
            {
                .bytes(
                    ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data("", stream: $0, ends: false)
                        + ScriptedFrame.data(page, stream: $0))
            }
        ),
    ]

    @Test("is none where HTTP/2 allows it", arguments: harmless.indices)
    func harmlessReply(index: Int) async throws {
        let (name, reply) = Self.harmless[index]
        let results = try await Chaos.run([Chaos.Case([reply]), Chaos.Case([])], width: 1, over: .priorKnowledge)
        #expect(results.map(\.isPage) == [true, true], "\(name)")
        #expect(results.map(\.attempts) == [1, 1], "\(name)")
    }
}
