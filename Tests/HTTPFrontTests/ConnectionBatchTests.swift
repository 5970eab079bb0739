import Testing

@testable import HTTPFront

@Suite("Connections that are answered together", .timeLimit(.minutes(1)))
struct ConnectionBatchTests {
    private func clients(_ count: Int, of server: TestServer) async throws -> [TestClient] {
        try await server.answerTogether()
        var clients: [TestClient] = []
        for number in 0..<count {
            let client = try await server.connect()
            try await client.send(get("/hello/\(number)"))
            #expect(try await client.answer().content == "/hello/\(number):")
            clients.append(client)
        }
        return clients
    }

    @Test("are, and each gets its own answers, whatever the others asked")
    func ownAnswers() async throws {
        try await withServer { server in
            let clients = try await clients(40, of: server)
            // The second round begins when much is known to arrive.
            for round in 1...2 {
                try await server.holding {
                    for (number, client) in clients.enumerated() { try await client.send(get("/\(round)/\(number)")) }
                }
                for (number, client) in clients.enumerated() {
                    #expect(try await client.answer().content == "/\(round)/\(number):")
                }
            }
            try await server.journal.wait("the count of all answers") { server.journal.answered == 120 }
            #expect(server.journal.events.contains(.answered(count: 16)))

            try await server.holding {
                for (number, client) in clients.enumerated() {
                    try await client.send(
                        get("/\(number)") + get(number.isMultiple(of: 3) ? "/large/\(number * 5000)" : "/y/\(number)")
                            + get("/z/\(number)", number.isMultiple(of: 4) ? "Connection: close\r\n" : ""))
                    if number.isMultiple(of: 5) { client.closeWriting() }
                }
            }
            for (number, client) in clients.enumerated() {
                #expect(try await client.answer().content == "/\(number):")
                let content = try await client.answer().content
                if number.isMultiple(of: 3) {
                    #expect(content == String(repeating: "x", count: number * 5000))
                } else {
                    #expect(content == "/y/\(number):")
                }
                #expect(try await client.answer().content == "/z/\(number):")
                if number.isMultiple(of: 4) || number.isMultiple(of: 5) { #expect(try await client.remainder() == "") }
            }
        }
    }

    @Test("wait for nobody whose answer comes later, and get what they asked before it")
    func later() async throws {
        try await withServer { server in
            let clients = try await clients(12, of: server)
            try await server.holding {
                for (number, client) in clients.enumerated() {
                    try await client.send(get("/\(number)") + get("/later/\(number)") + get("/behind/\(number)"))
                }
            }
            for (number, client) in clients.enumerated() { #expect(try await client.answer().content == "/\(number):") }
            for (number, client) in clients.enumerated().reversed() {
                #expect(try await server.answer(server.journal.waiter("/later/\(number)"), "late \(number)"))
                #expect(try await client.answer().content == "late \(number)")
                #expect(try await client.answer().content == "/behind/\(number):")
            }
        }
    }

    @Test("are not disturbed by others that are refused, or have gone")
    func disturbed() async throws {
        try await withServer { server in
            let clients = try await clients(12, of: server)
            try await server.holding {
                for (number, client) in clients.enumerated() {
                    switch number % 4 {
                    case 0: try await client.send(get("/\(number)"))
                    case 1: try await client.send(get("/\(number)") + "GET / HTTP/1.1\r\n\r\n" + get("/never"))
                    case 2:
                        try await client.send(get("/gone"))
                        client.reset()
                    default: try await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1234")
                    }
                }
            }
            for (number, client) in clients.enumerated() where number % 4 < 2 {
                #expect(try await client.answer().content == "/\(number):")
                if number % 4 == 1 {
                    #expect(try await client.answer().status == 400)
                    #expect(try await client.remainder() == "")
                }
            }
            for (number, client) in clients.enumerated() where number % 4 == 3 {
                try await client.send("56789")
                #expect(try await client.answer().content == "/:123456789")
            }
            #expect(!server.journal.paths.contains("/never"))
        }
    }

    /// A client resets its connection while more answers than one batch takes are on their way to it; NIO then reads what is left
    /// in the midst of answering, and did so with a decoder that was in use.
    @Test("go on when writing to one of them fails in the midst of its requests", arguments: [8192, 16_384])
    func writingFails(size: Int) async throws {
        try await withServer { server in
            try await server.answerTogether()
            for attempt in 1...3 {
                let client = try await server.connect()
                // So that as much is read at once.
                var length = 1024
                while length < size {
                    try await client.send(get("/grow/\(length)", "X: \(String(repeating: "x", count: length))\r\n"))
                    #expect(try await client.answer().content == "/grow/\(length):")
                    length *= 2
                }
                try await client.send(post("Content-Length: 10\r\n", "12345"))
                try await server.journal.wait(ticks: 1)
                try await server.holding {
                    let method = String(repeating: "A", count: 3000)
                    try await client.send(
                        "67890" + String(repeating: get("/large/3000"), count: 120)
                            + String(repeating: "\(method) / HTTP/1.1\r\nHost: a\r\n\r\n", count: 12))
                    client.reset()
                }
                try await server.empty()
                #expect(try await server.answer(to: get("/alive/\(attempt)")).content == "/alive/\(attempt):")
            }
        }
    }
}
