import Gateway
import Glibc
import PageCache
import Testing

@testable import JobsProxy

@Suite("An origin in trouble", .timeLimit(.minutes(1)))
struct ChaosTests {
    /// A trouble that lasts, and the words in which the gateway tells of it; a trouble that is the origin's own answer has none.
    struct Trouble: Sendable {
        let name: String
        let step: ScriptedOrigin.Step
        let words: String?

        init(_ name: String, _ step: ScriptedOrigin.Step, _ words: String?) {
            (self.name, self.step, self.words) = (name, step, words)
        }
    }

    private static let page = Chaos.page(0)
    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let length = "Content-Length: \(page.utf8.count)\r\n\r\n"

    static let troubles = [
        Trouble("close before the reply", .close, "the connection failed before the reply was complete"),
        Trouble("reset before the reply", .reset, "the connection failed before the reply was complete"),
        Trouble("stall before the head", .stall, "Timeout was reached"),
        Trouble("stall in the head", .sequence([.raw(ok + "Content-"), .stall]), "Timeout was reached"),
        Trouble("stall after the head", .stallAfterHead(body: page), "Timeout was reached"),
        Trouble("stall in the body", .sequence([.raw(ok + length + "{\"Job"), .stall]), "Timeout was reached"),
        Trouble("slow trickle", .trickle(body: page, bytes: 1, milliseconds: 20), "Timeout was reached"),
        Trouble("end in the head", .sequence([.raw(ok + "Content-"), .close]), "the reply was cut short"),
        Trouble("end after the head", .cutShort(after: 0, body: page), "the reply was cut short"),
        Trouble("end in the body", .cutShort(after: 20, body: page), "the reply was cut short"),
        Trouble(
            "reset in the body", .cut(after: 60, of: ok + length + page, byReset: true),
            "the connection failed before the reply was complete"),
        Trouble(
            "a length that is too great", .sequence([.raw(ok + "Content-Length: 500\r\n\r\n\(page)"), .close]),
            "the reply was cut short"),
        Trouble(
            "a length that is too small", .raw(ok + "Content-Length: 20\r\n\r\n\(page)"),
            "the reply is not the JSON of this protocol"),
        Trouble("two lengths", .raw(ok + "Content-Length: 1\r\n" + length + page), "the reply is not well-formed"),
        Trouble(
            "a length that is none", .raw(ok + "Content-Length: -1\r\n\r\n\(page)"), "the reply is not well-formed"),
        Trouble(
            "a last chunk that is missing",
            .sequence([.raw(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), .close]), "the reply was cut short"),
        Trouble(
            "a chunk size that is none", .raw(ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"),
            "the reply is not well-formed"),
        Trouble("garbage", .sequence([.raw("\u{1}\u{2}garbage\r\n\r\n"), .close]), "the reply is not well-formed"),
        Trouble("a status that is none", .raw("HTTP/1.1 banana\r\n\r\n"), "the reply is not well-formed"),
        Trouble(
            "a head without end", .sequence([.raw(ok + String(repeating: "a: b\r\n", count: 20_000)), .stall]),
            "the reply's header is too large"),
        Trouble(
            "a body without end", .reply(body: String(repeating: "x", count: 9 << 20)), "the reply's body is too large"),
        Trouble("an empty page", .reply(), "the reply is not the JSON of this protocol"),
        Trouble(
            "a page that is none", .reply(body: "<html>It works</html>"), "the reply is not the JSON of this protocol"),
        Trouble("half a page", .reply(body: "{\"JobSummaries\":["), "the reply is not the JSON of this protocol"),
        Trouble(
            "HTTP/1.0, half a page", .sequence([.raw("HTTP/1.0 200 OK\r\n\r\n{\"Job"), .close]),
            "the reply was cut short"),
        Trouble("HTTP/1.0, no page", .sequence([.raw("HTTP/1.0 200 OK\r\n\r\n"), .close]), "the reply was cut short"),
        Trouble("500", .reply(status: 500, body: "{\"__type\":\"InternalFailure\"}"), nil),
        Trouble("502 of a router", .reply(status: 502, body: "<html>Bad Gateway</html>"), nil),
        Trouble("503 over HTTP/1.0", .sequence([.raw("HTTP/1.0 503 x\r\n\r\n<html>"), .close]), nil),
    ]

    @Test("that lasts gets three attempts, and becomes one error, in time; nothing of it is kept")
    func lasting() async throws {
        let cases = Self.troubles.map { Chaos.Case($0.step, times: 3) }
        let start = ContinuousClock.now
        let results = try await Chaos.run(cases)
        #expect(ContinuousClock.now - start < .seconds(10))
        for (trouble, result) in zip(Self.troubles, results) {
            #expect(result.attempts == 3, "\(trouble.name)")
            guard let words = trouble.words else {
                #expect([500, 502, 503].contains(result.status), "\(trouble.name)")
                #expect(!result.text.contains("gateway"), "the origin's own")
                continue
            }
            #expect(result.status == 500, "\(trouble.name)")
            #expect(
                result.text == "{\"__type\":\"com.amazonaws.voiceid#InternalServerException\",\"Message\":\""
                    + "The gateway got no usable answer from the service: \(words).\"}", "\(trouble.name)")
            #expect(result.fields["x-amzn-errortype"] == "InternalServerException")
        }
    }

    @Test("that passes is seen by nobody", arguments: [1, 2])
    func passing(attempts: Int) async throws {
        let cases = Self.troubles.map { Chaos.Case($0.step, times: attempts) }
        for (trouble, result) in zip(Self.troubles, try await Chaos.run(cases)) {
            #expect(result.isPage, "\(trouble.name): \(result.text)")
            #expect(result.attempts == attempts + 1, "\(trouble.name)")
        }
    }

    @Test("gets a write without a token once, and no more")
    func writes() async throws {
        let cases = Self.troubles.map { trouble in Chaos.Case.unsafeWrite([{ _ in trouble.step }]) }
        for (trouble, result) in zip(Self.troubles, try await Chaos.run(cases)) {
            #expect(result.attempts == 1, "\(trouble.name)")
            // A write's reply may be empty.
            #expect(result.status >= 500 || trouble.name == "an empty page", "\(trouble.name): \(result.status)")
        }
    }

    /// Ways to frame a page.
    static let framings: [(String, Bool)] = [
        (ok + "Content-Type: application/x-amz-json-1.0\r\n" + length + page, true),
        (
            ok
                + "Transfer-Encoding: chunked\r\n\r\n10\r\n\(page.prefix(16))\r\n\(String(page.utf8.count - 16, radix: 16))\r\n\(page.dropFirst(16))\r\n0\r\n\r\n",
            true
        ),
        ("HTTP/1.0 200 OK\r\n\r\n" + page, false), (ok + "\r\n" + page, false),
    ]

    @Test(
        "may lose the connection at any byte of a reply: the answer is the whole page", arguments: framings.indices,
        [true, false])
    func everyByte(framing: Int, byReset: Bool) async throws {
        let (text, isFramed) = Self.framings[framing]
        let count = text.utf8.count
        // The page is that of domain 0 at each cut, so that a part of it could be taken for one.
        let cases = (0...count).map { Chaos.Case(.cut(after: $0, of: text, byReset: byReset)) }
        for (cut, result) in try await Chaos.run(cases).enumerated() {
            let isWhole = cut == count && (isFramed || !byReset)
            #expect(result.status == 200, "\(cut)")
            #expect(result.text == (isWhole ? Self.page : result.page), "\(cut)")
            #expect(result.attempts == (isWhole ? 1 : 2), "\(cut)")
        }
    }

    /// What HTTP/2 adds.
    static let streams: [(name: String, trouble: Chaos.Trouble)] = [
        ("refused stream", { .bytes(HTTP2Frame.reset(stream: $0, 7)) }),
        ("reset stream", { .bytes(HTTP2Frame.reset(stream: $0, 2)) }),
        (
            "reset in the body",
            {
                .bytes(
                    HTTP2Frame.head(200, stream: $0) + HTTP2Frame.data("{\"Job", stream: $0, ends: false)
                        + HTTP2Frame.reset(stream: $0, 8))
            }
        ),
        ("half a page", { .bytes(HTTP2Frame.reply("{\"Job", stream: $0)) }),
        ("go away", { _ in .sequence([.bytes(HTTP2Frame.goAway(last: 0)), .close]) }), ("close", { _ in .close }),
        ("reset", { _ in .reset }), ("stall", { _ in .sequence([]) }),
        ("garbage", { _ in .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), .close]) }),
    ]

    @Test("that speaks HTTP/2 is asked again by the gateway alone, and charged for it", arguments: streams.indices)
    func http2(index: Int) async throws {
        let trouble = Self.streams[index].trouble
        // One at a time: the end of a connection is that of all its streams.
        let cases = [
            Chaos.Case([trouble]), Chaos.Case([trouble, trouble]), Chaos.Case([trouble, trouble, trouble]),
            Chaos.Case.unsafeWrite([trouble]), Chaos.Case([]),
        ]
        let results = try await Chaos.run(cases, width: 1, http2: true)
        #expect(results.map(\.attempts) == [2, 3, 3, 1, 1], "\(Self.streams[index].name)")
        #expect(results.map(\.isPage) == [true, true, false, false, true])
        #expect(results.map(\.status) == [200, 200, 500, 500, 200])
    }
}

/// What goes wrong before there is anything to be sent over.
@Suite("An origin that cannot be reached", .timeLimit(.minutes(1)))
struct UnreachableTests {
    static let handshakes: [(String, ScriptedOrigin.Step)] = [
        ("close", .close), ("reset", .reset), ("stall", .stall),
        ("alert", .sequence([.bytes([21, 3, 3, 0, 2, 2, 40]), .close])),
        ("no TLS", .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), .close])),
    ]

    private func expectNothingSent(_ url: String, attempts: Int = 3) async throws {
        let yaml = TestGateway.service(url, timeouts: "{connect: 200ms, attempt: 300ms, call: 3s}") + Chaos.settings
        try await TestGateway.run(yaml) { gateway in
            // Not a byte has left, so that a write is sent again too.
            for operation in [Chaos.Case.page, "CreateWatchlist"] {
                let reply = try await gateway.call(
                    operation, query(more: operation == Chaos.Case.page ? "" : ",\"Name\":\"n\""))
                #expect(reply.status == 500)
                #expect(reply.fields["x-amzn-errortype"] == "InternalServerException")
                #expect(!reply.text.contains("127.0.0.1") && !reply.text.contains("invalid"))
                #expect(["connect", "timeout"].contains { reply.fields["cache-status"] == "jobs-proxy; detail=\($0)" })
                let labels = "service=\"voice-id\",operation=\"\(operation)\""
                var count = 0.0
                for result in ["connect_error", "timeout"] {
                    count +=
                        try await gateway.metric("jobsproxy_upstream_attempts_total{\(labels),result=\"\(result)\"}")
                        ?? 0
                }
                #expect(count == Double(attempts))
            }
            #expect(gateway.assembly.gate.cache.figures.flights == 0)
        }
    }

    @Test("because its TLS handshake fails: three attempts, nothing sent", arguments: handshakes.indices)
    func tls(index: Int) async throws {
        let step = Self.handshakes[index].1
        let origin = try ScriptedOrigin(onAccept: { _ in step }, script: { _, _ in .close })
        defer { origin.stop() }
        try await expectNothingSent("https://127.0.0.1:\(origin.port)")
        #expect(origin.connectionCount == 6)
        #expect(origin.waitForOpenConnections(atMost: 0))
    }

    @Test("because its name is not known")
    func name() async throws { try await expectNothingSent("http://does-not-exist.invalid") }

    @Test("because nobody is there")
    func refused() async throws {
        let (socket, port) = try listenOnLoopback()
        close(socket)
        try await expectNothingSent("http://127.0.0.1:\(port)")
    }
}
