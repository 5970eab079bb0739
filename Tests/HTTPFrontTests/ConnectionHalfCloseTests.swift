import Testing

@testable import HTTPFront

@Suite("A client that closes its side", .timeLimit(.minutes(1)))
struct ConnectionHalfCloseTests {
    @Test(
        "gets the answers to all that it asked, then the end",
        arguments: [
            get("/1"), get("/1", "Connection: close\r\n"), get("/1", version: "HTTP/1.0"),
        ])
    func complete(request: String) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/0") + request)
            client.closeWriting()
            #expect(try await client.answer().content == "/0:")
            #expect(try await client.answer().content == "/1:")
            #expect(try await client.remainder() == "")
            try await server.empty()
        }
    }

    @Test("gets an answer that comes later, and those behind it")
    func later() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later") + get("/1") + get("/later/2"))
            client.closeWriting()
            let waiter = try await server.journal.waiter("/later")
            try await server.journal.wait(ticks: 1)
            #expect(try await server.answer(waiter, "one"))
            #expect(try await client.answer().content == "one")
            #expect(try await client.answer().content == "/1:")
            #expect(try await server.answer(server.journal.waiter("/later/2"), "two"))
            #expect(try await client.answer().content == "two")
            #expect(try await client.remainder() == "")
            try await server.empty()
        }
    }

    @Test("gets all of a large answer, though it reads late", arguments: ["", "Connection: close\r\n"])
    func large(fields: String) async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            let size = 16 << 20
            try await client.send(get("/large/\(size)", fields))
            client.closeWriting()
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            try await server.journal.wait(ticks: 1)
            #expect(try await client.answer().contentBytes.count == size)
            #expect(try await client.remainder() == "")
            try await server.empty()
        }
    }

    @Test(
        "in the middle of a request ends the connection at once, and the request is none",
        arguments: [
            "", "\r\n", "GET / HT", post("Content-Length: 5\r\n", "hell"),
            post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ])
    func incomplete(request: String) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(request)
            client.closeWriting()
            _ = try await client.remainder()
            try await server.empty()
            #expect(server.journal.paths == [])
        }
    }
}
