import TestSupport
import Testing

@testable import OriginClient

/// What the driver makes of an origin that misbehaves.
@Suite(.serialized) struct CurlDriverFaultTests {
    struct Fault: CustomTestStringConvertible {
        var testDescription: String
        var step: ScriptedOrigin.Step
        var error: CurlError

        init(_ name: String, _ step: ScriptedOrigin.Step, _ error: CurlError) {
            (testDescription, self.step, self.error) = (name, step, error)
        }
    }

    static let ok = "HTTP/1.1 200 OK\r\n"
    static let faults = [
        Fault("reset before the reply", .reset, .receiveFailed),
        Fault("close before the reply", .close, .nothingReceived),
        Fault(
            "reset in the reply", .sequence([.raw(ok + "Content-Length: 9\r\n\r\n{"), .reset]), .receiveFailed),
        Fault("head cut short", .sequence([.raw(ok + "Content-Le"), .close]), .cutShort),
        Fault("body cut short", .cutShort(after: 5, body: "{\"JobSummaries\":[]}"), .cutShort),
        Fault("no byte of the body", .cutShort(after: 0, body: "{}"), .cutShort),
        Fault(
            "last chunk missing", .sequence([.raw(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), .close]),
            .cutShort),
        Fault("two lengths", .raw(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), .badReply),
        Fault("a length that is no number", .raw(ok + "Content-Length: 2x\r\n\r\n{}"), .badReply),
        Fault("a length beyond all numbers", .raw(ok + "Content-Length: 99999999999999999999\r\n\r\n{}"), .badReply),
        Fault(
            "length and chunks", .raw(ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            .badReply),
        Fault("another coding", .raw(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), .badReply),
        Fault("folded field", .raw(ok + "Content-Length: 2\r\nRetry-After:\r\n 9\r\n\r\n{}"), .badReply),
        Fault("switching protocols", .sequence([.raw("HTTP/1.1 101 Switching\r\n\r\n{}"), .close]), .badReply),
        Fault("status 999", .raw("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), .badReply),
    ]

    @Test(arguments: faults)
    func `a fault in the reply is an error, never a reply`(fault: Fault) throws {
        let origin = try ScriptedOrigin { _, index in index == 0 ? fault.step : .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        let error = try #require(try bench.failure(.to(origin)))
        #expect(error == fault.error, "\(error.rawValue)")
        #expect(error.mayHaveSent)
        #expect(!error.isConnectFailure)
        #expect(!error.isTimeout)
        #expect(try bench.send(.to(origin)).status == 200, "and the driver goes on")
    }

    @Test(arguments: ["ICY 200 OK\r\n\r\n", "HTTP/1.1 xyz\r\n\r\n", "garbage\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n"])
    func `what is not HTTP is an error`(text: String) throws {
        let origin = try ScriptedOrigin { _, _ in .sequence([.raw(text), .close]) }
        defer { origin.stop() }
        let error = try #require(try CurlBench().failure(.to(origin)))
        #expect(error.mayHaveSent)
    }

    @Test func `a refused connection is a connect failure of which nothing was sent`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        origin.stop()
        let error = try #require(try CurlBench().failure(.to(origin)))
        #expect(error == .couldNotConnect)
        #expect(error.isConnectFailure)
        #expect(!error.mayHaveSent)
        #expect(!error.description.contains("127.0.0.1"))
    }

    @Test func `HTTP/2 by prior knowledge fails on an origin that has none`() throws {
        let origin = try ScriptedOrigin(onAccept: { _ in .raw("HTTP/1.1 400 What\r\nContent-Length: 0\r\n\r\n") }) {
            _, _ in
            .close
        }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(http2: .priorKnowledge)
        #expect(try CurlBench().failure(request) != nil)
    }

    @Test func `a body that ends with its connection is marked`() throws {
        let origin = try ScriptedOrigin { _, _ in .sequence([.raw(Self.ok + "\r\n{}"), .close]) }
        defer { origin.stop() }
        let reply = try CurlBench().send(.to(origin))
        #expect(reply == CurlReply(status: 200, fields: [], body: Array("{}".utf8), hasDeterminedLength: false))
    }

    @Test func `a reply without a body needs no length`() throws {
        let origin = try ScriptedOrigin { _, _ in .raw("HTTP/1.1 204 No Content\r\n\r\n") }
        defer { origin.stop() }
        #expect(try CurlBench().send(.to(origin)).hasDeterminedLength)
    }
}

// MARK: Bounds

extension CurlDriverFaultTests {
    static let ten = "0123456789"
    static let tooLarge = [
        Fault("announced", .stallAfterHead(body: ten + "+"), .replyTooLarge),
        Fault(
            "in chunks", .sequence([.raw(ok + "Transfer-Encoding: chunked\r\n\r\nb\r\n\(ten)+"), .stall]),
            .replyTooLarge),
        Fault("to the end", .sequence([.raw(ok + "\r\n\(ten)+"), .stall]), .replyTooLarge),
    ]

    @Test(arguments: tooLarge)
    func `an over-long body is given up at once`(fault: Fault) throws {
        let origin = try ScriptedOrigin { _, _ in fault.step }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.maxReplyBytes = 10
        #expect(try CurlBench().failure(request) == fault.error)
    }

    @Test func `a body of exactly the bound is taken`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply(body: Self.ten) }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.maxReplyBytes = 10
        #expect(try CurlBench().send(request).body.count == 10)
    }

    static func line(_ count: Int) -> String { "X-Filler: " + String(repeating: "x", count: count) + "\r\n" }
    static let heads = [
        ("many fields", ok + String(repeating: line(1000), count: 80)),
        ("a field of 70 KB", ok + line(70_000)),
        ("a field beyond libcurl's own bound", ok + line(300_000)),
        ("a row of interim replies", String(repeating: "HTTP/1.1 102 Wait\r\n\(line(100))\r\n", count: 800)),
        ("trailers", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + String(repeating: line(1000), count: 80)),
    ].map { Fault($0, .sequence([.raw($1), .stall]), .headTooLarge) }

    @Test(arguments: heads)
    func `an over-long head is given up at once`(fault: Fault) throws {
        let origin = try ScriptedOrigin { _, _ in fault.step }
        defer { origin.stop() }
        #expect(try CurlBench().failure(.to(origin)) == fault.error)
    }
}

// MARK: Once and no more

extension CurlDriverFaultTests {
    @Test(arguments: [ScriptedOrigin.Step.close, .reset])
    func `a request on a connection that dies is not sent again`(end: ScriptedOrigin.Step) throws {
        let origin = try ScriptedOrigin { _, index in index == 1 ? end : .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        _ = try bench.send(.to(origin))
        let error = try #require(try bench.failure(.to(origin)))
        #expect(error == .nothingReceived || error == .receiveFailed, "\(error.rawValue)")
        #expect(error.mayHaveSent)
        #expect(!error.isConnectFailure)
        #expect(origin.requests.count == 2, "one for each start")
        #expect(try bench.send(.to(origin)).status == 200)
        #expect(origin.requests.count == 3)
    }

    @Test func `a kept connection that the origin has closed is replaced before anything is sent`() throws {
        let origin = try ScriptedOrigin { _, _ in .sequence([.reply(), .close]) }
        defer { origin.stop() }
        let bench = try CurlBench()
        for _ in 0..<5 {
            #expect(try bench.send(.to(origin)).status == 200)
            #expect(origin.waitForOpenConnections(atMost: 0))
        }
        #expect(origin.requests.count == 5)
        #expect(origin.connectionCount == 5)
    }

    @Test func `an origin that goes after the first send does not look like one that was never there`() throws {
        let origin = try ScriptedOrigin { _, index in index == 1 ? .stall : .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        _ = try bench.send(.to(origin))
        try bench.driver.start(2, .to(origin))
        #expect(bench.pump { origin.requests.count == 2 })
        // libcurl connects again for its resend, and is refused.
        origin.stop()
        let attempt = try #require(bench.finish(1).first)
        guard case .failure(let error) = attempt.result else { throw CurlBench.NothingFinished() }
        #expect(error.mayHaveSent)
        #expect(!error.isConnectFailure)
    }
}

// MARK: Refused before anything is sent

extension CurlDriverFaultTests {
    static let badFields = [
        ("X-A", "1\r\nX-B: 2"), ("X-A", "1\n"), ("X-A", "1\r"), ("X-A", "1\u{0}2"), ("X-A\r\nX-B", "1"), ("X A", "1"),
        ("X-A:", "1"), ("", "1"), ("X-Ä", "1"), ("X-A;", "1"),
    ]

    @Test(arguments: badFields)
    func `a field that would break the head is refused`(name: String, value: String) throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(origin)
        request.fields = [("X-Good", "1"), (name, value)]
        #expect(throws: CurlError.badField) { try bench.driver.start(1, request) }
        #expect(bench.driver.slotOfID.count == 0)
        #expect(try bench.send(.to(origin)).status == 200)
        #expect(origin.requests.count == 1)
    }

    @Test(arguments: [
        "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://user:secret@127.0.0.1/", "http://",
        "http://127.0.0.1/\u{0}.example", "http://127.0.0.1/\r\n",
    ])
    func `a URL of another kind is refused`(url: String) throws {
        let bench = try CurlBench()
        var error: CurlError?
        do { error = try bench.failure(.to(url: url)) } catch let thrown as CurlError { error = thrown }
        let refusal = try #require(error)
        #expect(!refusal.mayHaveSent)
        #expect(!refusal.isConnectFailure)
        #expect(!refusal.description.contains("secret"))
    }
}
