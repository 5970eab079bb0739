import Gateway
import Glibc
import NIOTestSupport
import PageCache
import TestSupport
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
        Trouble("an empty page", .reply(), "the reply is not the JSON of this protocol"),
        Trouble(
            "no content", .raw("HTTP/1.1 204 No Content\r\n\r\n"), "the reply is not the JSON of this protocol"),
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

    /// Without and with TLS, over which the first replies are read by libcurl unless HTTP/2 is off.
    static let transports: [Chaos.Transport] = [.plain, .tls(http2: "off", .alert), .tls(http2: "auto", .bare)]

    @Test(
        "that lasts gets three attempts, and becomes one error, in time; nothing of it is kept", arguments: transports)
    func lasting(over transport: Chaos.Transport) async throws {
        let cases = Self.troubles.map { Chaos.Case($0.step, times: 3) }
        let start = ContinuousClock.now
        let results = try await Chaos.run(cases, over: transport)
        #expect(ContinuousClock.now - start < .seconds(10))
        for (trouble, result) in zip(Self.troubles, results) {
            #expect(result.attempts == 3, "\(trouble.name)")
            // What stands in front of the origin ends in order then.
            let words =
                transport.isTLS && trouble.name == "reset in the body" ? "the reply was cut short" : trouble.words
            guard let words else {
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

    @Test("that passes is seen by nobody", arguments: [1, 2], transports)
    func passing(attempts: Int, over transport: Chaos.Transport) async throws {
        let cases = Self.troubles.map { Chaos.Case($0.step, times: attempts) }
        for (trouble, result) in zip(Self.troubles, try await Chaos.run(cases, over: transport)) {
            #expect(result.isPage, "\(trouble.name): \(result.text)")
            #expect(result.attempts == attempts + 1, "\(trouble.name)")
        }
    }

    /// What an origin that is another one now may say; some of it is no reason to ask again.
    static let strangers = [
        Trouble("redirect", .reply(status: 302, fields: [("Location", "/login")], body: "<html>Log in</html>"), nil),
        Trouble("not modified", .raw("HTTP/1.1 304 Not Modified\r\n\r\n"), nil),
    ]

    @Test("is seen by nobody who can have an older page", arguments: transports)
    func stale(over transport: Chaos.Transport) async throws {
        let troubles = Self.troubles + Self.strangers
        let cases = troubles.enumerated().map { number, trouble in
            let bad: Chaos.Trouble = { _ in trouble.step }
            return Chaos.Case([{ _ in .reply(body: Chaos.page(number)) }, bad, bad, bad])
        }
        let results = try await Chaos.run(cases, over: transport, cache: Chaos.stale, rounds: 2)
        for (trouble, result) in zip(troubles, results) {
            #expect(result.isPage, "\(trouble.name): \(result.status) \(result.text)")
            #expect(result.fields["cache-status"]?.contains("fwd=stale") == true, "\(trouble.name)")
            // The good one, and what came of the second round.
            #expect(result.attempts == (Self.strangers.contains { $0.name == trouble.name } ? 2 : 4), "\(trouble.name)")
        }
    }

    @Test("gets a write without a token once, and no more", arguments: transports)
    func writes(over transport: Chaos.Transport) async throws {
        let cases = Self.troubles.map { trouble in Chaos.Case.unsafeWrite([{ _ in trouble.step }]) }
        for (trouble, result) in zip(Self.troubles, try await Chaos.run(cases, over: transport)) {
            #expect(result.attempts == 1, "\(trouble.name)")
            // A write's reply may be anything that is whole.
            #expect(
                result.status >= 500 || trouble.words == "the reply is not the JSON of this protocol",
                "\(trouble.name): \(result.status)")
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

    @Test("may lose it at any byte over TLS too, and without a word", arguments: [0, 2], [true, false])
    func everyByteOverTLS(framing: Int, isTold: Bool) async throws {
        let text = Self.framings[framing].0
        let count = text.utf8.count
        let cases = (0...count).map { Chaos.Case(.cut(after: $0, of: text, byReset: false)) }
        let results = try await Chaos.run(cases, over: .tls(http2: "off", isTold ? .alert : .bare))
        for (cut, result) in results.enumerated() {
            // Without a length a page ends with its last brace, whether or not the connection's end is told.
            let isWhole = cut == count
            #expect(result.status == 200, "\(cut)")
            #expect(result.text == (isWhole ? Self.page : result.page), "\(cut)")
            #expect(result.attempts == (isWhole ? 1 : 2), "\(cut)")
        }
    }
}
