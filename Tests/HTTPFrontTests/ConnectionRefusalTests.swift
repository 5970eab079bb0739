import Testing

@testable import HTTPFront

@Suite("A refused request", .timeLimit(.minutes(1)))
struct ConnectionRefusalTests {
    @Test(
        "gets its answer and the end of the connection, and nothing behind it is looked at",
        arguments: [
            (Refused("a bare line feed", "GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed), 400),
            (Refused("a folded field", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", .foldedField), 400),
            (Refused("two lengths", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), .contentLength), 400),
            (Refused("a chunk", post("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"), .chunk), 400),
            (Refused("no host", "GET / HTTP/1.1\r\n\r\n", .host), 400),
            (Refused("CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", .connectMethod), 405),
            (Refused("too much content", post("Content-Length: 65537\r\n"), .bodyTooLarge), 413),
            (Refused("an expectation", post("Expect: tea\r\n"), .expectation), 417),
            (Refused("too many fields", post(String(repeating: "X: y\r\n", count: 100)), .fieldsTooMany), 431),
        ])
    func refused(_ refused: Refused, code: Int) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(refused.input + get("/behind"))
            let answer = try await client.answer()
            #expect(answer.status == code)
            #expect(answer.content == refused.refusal.rawValue)
            #expect(answer["Connection"] == ["close"])
            #expect(answer["Date"] == [testDate])
            #expect(try await client.remainder() == "")
            #expect(server.journal.paths == [])
            #expect(server.journal.events.contains(.refused(refused.refusal)))
            client.close()
            try await server.empty()
        }
    }

    @Test("waits for the answers to the requests before it")
    func afterOthers() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/1") + get("/later") + "nonsense\r\n\r\n" + get("/behind"))
            #expect(try await client.answer().content == "/1:")
            let waiter = try await server.journal.waiter("/later")
            #expect(!server.journal.events.contains(.refused(.requestLine)))
            #expect(try await server.answer(waiter, "late"))
            let answer = try await client.answer()
            #expect(answer.content == "late")
            #expect(answer["Connection"] == [])
            #expect(try await client.answer().status == 400)
            #expect(try await client.remainder() == "")
            #expect(server.journal.paths == ["/1", "/later"])
        }
    }

    @Test(
        "is answered as soon as it is known to be too large, before it has arrived",
        arguments: [
            (post("Content-Length: 70000\r\n"), 413),
            (post("Expect: 100-continue\r\nContent-Length: 70000\r\n"), 413),
            ("GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 33_000), 431),
            ("GET /" + String(repeating: "x", count: 33_000), 414),
        ])
    func tooLargeToWaitFor(request: String, code: Int) async throws {
        try await withServer { server in
            let answer = try await server.answer(to: request)
            #expect(answer.status == code)
        }
    }

    @Test("has an answer that a client can read that goes on sending meanwhile (RFC 9112, section 9.6)")
    func sendsOn() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send("nonsense\r\n\r\n")
            try await server.journal.wait("the refusal") { server.journal.events.contains(.refused(.requestLine)) }
            try await client.send([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
            #expect(try await client.answer().status == 400)
            #expect(try await client.remainder() == "")
        }
    }

    @Test("does not keep its connection open for a client that stays")
    func lingers() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send("nonsense\r\n\r\n")
            #expect(try await client.answer().status == 400)
            try await server.empty()
            client.close()
        }
    }
}
