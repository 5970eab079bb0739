import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOSSL
import Testing

@testable import HTTPFront

@Suite("A connection of HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    @Test("gives the answers of HTTP/1.1, with the same fields and the same bytes")
    func same() async throws {
        try await withServer { server in
            let plain = try await server.connect()
            let client = try await HTTP2Client.connect(port: server.port)
            for path in ["/1", "/peer", "/large/3000", "/large/100000"] {
                try await plain.send(get(path))
                let expected = try await plain.answer()
                let answer = try await client.answer(client.request(path))
                #expect(answer.status == expected.status)
                #expect(answer.content == expected.contentBytes)
                #expect(answer.blocks.last?.dropFirst().map(\.name) == expected.fields.map { $0.name.lowercased() })
                #expect(answer.blocks.last?.dropFirst().map(\.value) == expected.fields.map(\.value))
            }
        }
    }

    @Test("gives HEAD the fields of GET and no content, at once or later", arguments: ["/x", "/later"])
    func head(path: String) async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request(path, method: "HEAD")
            if path == "/later" { #expect(try await server.answer(server.journal.waiter(path), "abc")) }
            let answer = try await client.answer(id)
            #expect(answer.status == 200)
            #expect(answer["content-length"] == ["3"])
            #expect(answer.content == [])
        }
    }

    @Test("carries requests at the same time, and answers each when its answer is there")
    func concurrent() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            var ids: [HTTP2StreamID] = []
            for number in 0..<100 { ids.append(try await client.request("/later/\(number)")) }
            for number in (0..<100).reversed() {
                let waiter = try await server.journal.waiter("/later/\(number)")
                #expect(try await server.answer(waiter, "\(number)"))
                #expect(try await server.answer(waiter, "again") == false)
            }
            for (number, id) in ids.enumerated() { #expect(try await client.answer(id).text == "\(number)") }
            #expect(server.journal.answered == 0, "what is counted so was answered at once")
            #expect(server.server.limiter.total == 1)
        }
    }

    @Test(
        "takes content in any pieces, and what follows it",
        arguments: [["hello"], ["he", "", "llo"], ["h", "e", "llo", ""]])
    func content(pieces: [String]) async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            for withLength in [true, false] {
                let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
                let id = try await client.send(
                    fields: fields + (withLength ? [("content-length", "5")] : []), ends: false)
                for piece in pieces.dropLast() { try await client.send(id, data: piece, ends: false) }
                try await client.send(id, data: pieces.last ?? "", ends: withLength)
                if !withLength {
                    try await client.send(id, .headers(.init(headers: ["x": "y"], endStream: true)))
                }
                #expect(try await client.answer(id).text == "/:hello")
            }
        }
    }

    @Test("says 100 before the answer to a client that waits for it")
    func sendsContinue() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.send(
                fields: [
                    (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"),
                    ("expect", "100-continue"),
                ], ends: false)
            #expect(try await client.record(id) { !$0.blocks.isEmpty }.status == 100)
            try await client.send(id, data: "hi", ends: true)
            let answer = try await client.answer(id)
            #expect(answer.status == 200)
            #expect(answer.text == "/:hi")
        }
    }

    @Test(
        "answers what it refuses, and goes on with the other requests",
        arguments: [
            (Refusal.connectionField, 400, [("connection", "close")], nil as String?),
            (.fieldName, 400, [("X", "y")], nil),
            (.pseudoField, 400, [(":path", "/")], nil),
            (.contentLength, 400, [("content-length", "5")], nil),
            (.contentLength, 400, [("content-length", "5")], "hell"),
            (.contentLength, 400, [("content-length", "3")], "hell"),
            (.bodyTooLarge, 413, [], String(repeating: "x", count: 65_537)),
            (.fieldsTooMany, 431, Array(repeating: ("x", "y"), count: 100), nil),
        ] as [(Refusal, Int, [(String, String)], String?)])
    func refused(refusal: Refusal, code: Int, fields: [(String, String)], content: String?) async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let waiting = try await client.request("/later")
            let waiter = try await server.journal.waiter("/later")
            let id = try await client.request("/refused", fields, content: content, method: "POST")
            let answer = try await client.record(id) { $0.hasEnded }
            #expect(answer.status == code)
            #expect(answer.text == refusal.rawValue)
            #expect(answer["connection"] == [])
            #expect(server.journal.events.contains(.refused(refusal)))
            #expect(try await server.answer(waiter, "late"))
            #expect(try await client.answer(waiting).text == "late")
            #expect(try await client.answer(client.request("/next")).text == "/next:")
            #expect(!server.journal.paths.contains("/refused"))
        }
    }

    @Test("tells a client that its refused request need not be sent to the end (RFC 9113, section 8.1)")
    func stopsRequest() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.send(
                fields: [
                    (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"),
                    ("content-length", "70000"),
                ], ends: false)
            let answer = try await client.record(id) { $0.reset != nil }
            #expect(answer.hasEnded)
            #expect(answer.status == 413)
            #expect(answer.text == Refusal.bodyTooLarge.rawValue)
            #expect(answer.reset == .noError)
        }
    }

    @Test("takes more content than its window in all, and the largest that is allowed")
    func windows() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let content = String(repeating: "x", count: 65_536)
            let ids = try await withThrowingTaskGroup(of: HTTP2StreamID.self) { group in
                for _ in 0..<20 { group.addTask { try await client.request("/", content: content, method: "POST") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for id in ids { #expect(try await client.answer(id).content.count == content.count + 2) }
        }
    }

    @Test("reports the requests that their client takes back, and the waiters are void")
    func takenBack() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/later/1")
            try await client.request("/later/2")
            let first = try await server.journal.waiter("/later/1")
            let second = try await server.journal.waiter("/later/2")
            try await client.send(id, .rstStream(.cancel))
            try await server.journal.wait("the report") { server.journal.abandoned == [first] }
            #expect(try await server.answer(first, "late") == false)
            await client.close()
            try await server.empty()
            #expect(server.journal.abandoned == [first, second])
            #expect(try await server.answer(second, "late") == false)
        }
    }

    @Test("begins with its preface, however that arrives; what only resembles it is HTTP/1.1")
    func preface() async throws {
        try await withServer { server in
            let client = try await server.connect()
            for byte in RawFrame.preface { try await client.send([byte]) }
            try await client.send(RawFrame.frame(type: 1, flags: 5, stream: 1, RawFrame.get("/later")))
            _ = try await server.journal.waiter("/later")
            let other = try await server.connect()
            try await other.send("P")
            try await other.send("OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            #expect(try await other.answer().content == "/:hi")
            for text in ["PRI * HTTP/2.0\r\n\r\nSX", "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
                let answer = try await server.answer(to: text)
                #expect(answer.status == 400)
                #expect(answer.content == Refusal.httpVersion.rawValue)
            }
            try await other.send(RawFrame.preface)
            #expect(try await other.answer().content == Refusal.httpVersion.rawValue)
        }
    }

    @Test("is not taken where it is switched off")
    func off() async throws {
        try await withServer({ $0.maxStreams = 0 }) { server in
            let client = try await server.connect()
            try await client.send(RawFrame.preface)
            #expect(try await client.answer().content == Refusal.httpVersion.rawValue)
        }
        try await withSecureServer({ $0.maxStreams = 0 }) { secure in
            let client = try await secure.connect { $0.applicationProtocols = ["h2", "http/1.1"] }
            #expect(try await client.protocolName == "http/1.1")
        }
    }

    @Test("is agreed on by TLS, and each of its requests has the identity of the connection")
    func secure() async throws {
        try await withSecureServer({ _ in }, { $0.clientCA = $1.certificate }) { secure in
            let pair = try await secure.certificates.client("client", subject: "/CN=a", by: secure.authority)
            var configuration = try SecureClient.configuration(trusting: secure.authority, as: pair)
            configuration.applicationProtocols = ["h2"]
            let client = try await HTTP2Client.connect(port: secure.server.port, configuration: configuration)
            #expect(try await client.answer(client.request("/peer")).text == "true 4")
            #expect(try await client.answer(client.request("/peer")).text == "true 4")
            #expect(secure.server.journal.identified.count == 1)
            let size = 1 << 20
            #expect(try await client.answer(client.request("/large/\(size)")).content.count == size)
            await client.close()
            try await secure.server.empty()
        }
    }
}
