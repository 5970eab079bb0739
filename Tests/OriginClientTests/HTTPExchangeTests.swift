import Glibc
import TestSupport
import Testing

@testable import OriginClient

private let second: Int64 = 1_000_000_000

private func exchange(_ method: HTTPMethod, _ url: String, keeping fields: KeptFields = .none) -> AttemptRequest {
    AttemptRequest(
        endpoint: Endpoint(url: url, connectTimeout: 5 * second, keptFields: fields), method: method, fields: [],
        body: [], timeout: 10 * second, maxReplyBytes: 64 * 1024)
}

private func fault(_ exchange: AttemptRequest) -> CurlError? {
    do throws(CurlError) { _ = try exchange.perform() } catch { return error }
    return nil
}

extension CurlError {
    /// True if the request cannot be sent.
    fileprivate var isOfRequest: Bool { !isTimeout && !isConnectFailure && !mayHaveSent }
}

@Suite("One exchange over HTTP", .timeLimit(.minutes(1)))
struct HTTPExchangeTests {
    @Test(
        "sends method, target, fields and body as they are, and nothing of libcurl's own",
        arguments: [
            HTTPMethod.get, .post, .put,
        ])
    func request(method: HTTPMethod) throws {
        let origin = try ScriptedOrigin { _, _ in
            .reply(status: 201, fields: [("X-Two", "2"), ("Date", "today")], body: "answer")
        }
        defer { origin.stop() }
        var exchange = exchange(method, "\(origin.url)a/../b?c=%2F", keeping: KeptFields(["date"]))
        exchange.fields = [("X-One", "1"), ("X-Empty", ""), ("Authorization", "secret")]
        exchange.body = Array("text".utf8)
        let reply = try exchange.perform()
        #expect(reply.status == 201)
        #expect(reply.body == Array("answer".utf8))
        #expect(reply.fields.map(\.name) == ["date"] && reply.fields.map(\.value) == ["today"])

        let request = try #require(origin.requests.first)
        #expect(request.method == method.rawValue)
        #expect(request.target == "/a/../b?c=%2F")
        #expect(request.text == (method == .get ? "" : "text"))
        #expect(request["Host"] == "127.0.0.1:\(origin.port)")
        let names = request.fields.map { $0.name.lowercased() }.sorted()
        let own = method == .get ? [] : ["content-length"]
        #expect(names == (["authorization", "host", "x-empty", "x-one"] + own).sorted())
    }

    @Test("sends a Host field that is given, and an empty body with its length")
    func host() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        var exchange = exchange(.put, origin.url)
        exchange.fields = [("Host", "service.example")]
        _ = try exchange.perform()
        #expect(origin.requests.first?["Host"] == "service.example")
        #expect(origin.requests.first?["Content-Length"] == "0")
    }

    @Test("follows no redirect")
    func redirect() throws {
        let origin = try ScriptedOrigin { _, _ in .reply(status: 302, fields: [("Location", "/elsewhere")]) }
        defer { origin.stop() }
        #expect(try exchange(.get, origin.url).perform().status == 302)
        #expect(origin.requests.count == 1)
    }

    @Test(
        "ends when its time is over",
        arguments: [
            ScriptedOrigin.Step.stall, .stallAfterHead(body: "x"),
            .trickle(body: "0123456789", bytes: 1, milliseconds: 100),
        ])
    func timeout(step: ScriptedOrigin.Step) throws {
        let origin = try ScriptedOrigin { _, _ in step }
        defer { origin.stop() }
        var exchange = exchange(.get, origin.url)
        exchange.timeout = second / 5
        let start = CurlClock.now
        #expect(fault(exchange)?.isTimeout == true)
        #expect(CurlClock.now - start < 5 * second)
    }

    @Test("does not wait for a name lookup that hangs")
    func hungLookup() {
        let lookup = HungLookup.begin()
        defer { lookup.end() }
        var exchange = exchange(.get, "http://\(HungLookup.name)/")
        exchange.timeout = second / 5
        let start = CurlClock.now
        #expect(fault(exchange)?.isTimeout == true)
        #expect(CurlClock.now - start < 3 * second)
    }

    @Test("takes no body that is longer than allowed, announced or not")
    func tooLong() throws {
        let origin = try ScriptedOrigin { _, index in
            let body = String(repeating: "x", count: 101)
            return index == 0 ? .reply(body: body) : .sequence([.raw("HTTP/1.1 200 OK\r\n\r\n\(body)"), .close])
        }
        defer { origin.stop() }
        var exchange = exchange(.get, origin.url)
        exchange.maxReplyBytes = 100
        for _ in 0..<2 {
            let error = fault(exchange)
            #expect(error?.mayHaveSent == true && error?.isTimeout == false)
            #expect(error?.description == "the reply's body is too large")
        }
    }

    @Test(
        "takes no reply that is cut short or not well-formed",
        arguments: [
            ScriptedOrigin.Step.cutShort(after: 3, body: "0123456789"), .close, .reset,
            .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n12345"), .close]),
            .sequence([.raw("nonsense\r\n\r\n"), .close]),
        ])
    func badReply(step: ScriptedOrigin.Step) throws {
        let origin = try ScriptedOrigin { _, _ in step }
        defer { origin.stop() }
        let error = try #require(fault(exchange(.get, origin.url)))
        #expect(error.mayHaveSent && !error.isTimeout)
    }

    @Test(
        "sends nothing that is no HTTP request",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://user:secret@127.0.0.1/", "",
            "http://",
            "http://127.0.0.1:99999/", "http://127.0.0.1/\u{0}x",
        ])
    func badURL(url: String) throws {
        let error = try #require(fault(exchange(.get, url)))
        #expect(error.isOfRequest)
        #expect(!error.description.contains("secret"))
    }

    @Test("sends no field that would be two")
    func badField() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        for value in ["a\r\nX: y", "a\nX: y", "a\u{0}"] {
            var exchange = exchange(.get, origin.url)
            exchange.fields = [("Authorization", value)]
            #expect(fault(exchange)?.isOfRequest == true)
        }
        #expect(origin.connectionCount == 0)
    }

    @Test("tells when nobody is there")
    func nobody() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        origin.stop()
        #expect(fault(exchange(.get, origin.url))?.isConnectFailure == true)
    }

    @Test("describes and reflects nothing that it carries")
    func discreet() throws {
        let origin = try ScriptedOrigin { _, _ in .reply(body: "canary") }
        defer { origin.stop() }
        var exchange = exchange(.post, "\(origin.url)canary")
        exchange.fields = [("Authorization", "canary")]
        exchange.body = Array("canary".utf8)
        let reply = try exchange.perform()
        for value in [exchange, reply] as [Any] {
            var text = "\(value) \(String(reflecting: value))"
            dump(value, to: &text)
            #expect(!text.contains("canary"))
            #expect(!text.contains("\(UInt8(ascii: "c"))\n"))
        }
    }
}
