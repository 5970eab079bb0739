import Testing

@testable import HTTPFront

@Suite("Under pressure", .timeLimit(.minutes(1)))
struct ConnectionPressureTests {
    @Test("requests wait while their client does not read, and are answered in order when it does")
    func backPressure() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            let size = 1 << 20
            let count = 24
            try await client.send((1...count).map { get("/large/\(size + $0)") }.joined())
            try await server.journal.wait("the first answer") { server.journal.answered >= 1 }
            try await server.journal.wait(ticks: 2)
            let before = server.journal.paths.count
            #expect(before < count)
            for number in 1...count { #expect(try await client.answer().contentBytes.count == size + number) }
            #expect(server.journal.paths == (1...count).map { "/large/\(size + $0)" })
        }
    }

    @Test("a last answer may be read as late as any other, within the idle time")
    func lateReader() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            let size = 16 << 20
            try await client.send(get("/large/\(size)", "Connection: close\r\n"))
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            // Three seconds of sixty.
            try await server.journal.wait(ticks: 12)
            #expect(try await client.answer().contentBytes.count == size)
            #expect(try await client.remainder() == "")
        }
    }

    @Test("a connection above the limit gets 503 and the end, and a place that becomes free is given away")
    func maxConnections() async throws {
        try await withServer({ $0.maxConnections = 2 }) { server in
            let clients = [try await server.connect(), try await server.connect()]
            for client in clients {
                try await client.send(get("/in"))
                #expect(try await client.answer().status == 200)
            }
            let third = try await server.connect()
            let answer = try await third.answer()
            #expect(answer.status == 503)
            #expect(answer.content == Refusal.connections.rawValue)
            #expect(answer["Connection"] == ["close"])
            #expect(try await third.remainder() == "")
            third.close()
            clients[0].close()
            try await server.journal.wait("a free place") { server.server.limiter.total == 1 }
            #expect(try await server.answer(to: get("/in")).status == 200)
            try await clients[1].send(get("/in"))
            #expect(try await clients[1].answer().status == 200)
        }
    }

    @Test("where idle connections give way, the one that has waited longest does")
    func idleGivesWay() async throws {
        try await withServer({
            $0.maxConnections = 2
            $0.idleGivesWay = true
        }) { server in
            let (silent, idle) = (try await server.connect(), try await server.connect())
            try await idle.send(get("/in"))
            #expect(try await idle.answer().status == 200)
            var status = 503
            while status == 503 {
                let next = try await server.connect()
                try await next.send(get("/next"))
                status = try await next.answer().status
                next.close()
            }
            #expect(status == 200)
            #expect(try await silent.remainder() == "")
            try await idle.send(get("/in"))
            #expect(try await idle.answer().status == 200)
        }
    }

    @Test(
        "a flood of connections above the limit is told so or ended, holds no place, and disturbs no connection within")
    func flood() async throws {
        try await withServer({ $0.maxConnections = 1 }) { server in
            let client = try await server.connect()
            try await client.send(get("/in"))
            #expect(try await client.answer().status == 200)
            // They read nothing and do not go.
            var flood: [TestClient] = []
            let size = 2 * HTTPLimits().maxRefused
            for _ in 0..<size { flood.append(try await server.connect()) }
            try await server.journal.wait("all to be refused") {
                server.journal.events.count { $0 == .refused(.connections) || $0 == .dropped(.connections) }
                    == size
            }
            #expect(server.journal.dropped.count >= 1)
            #expect(server.journal.events.contains(.refused(.connections)))
            try await client.send(get("/in"))
            #expect(try await client.answer().status == 200)
            #expect(server.server.limiter.total == 1)
            // Though they stay, nothing of them is left soon.
            try await server.journal.wait("the end of the refused") { server.server.limiter.shed == 0 }
            for other in flood { other.close() }
            client.close()
            try await server.empty()
            #expect(try await server.answer(to: get("/in")).status == 200)
        }
    }

    @Test("a secure connection above the limit is ended without a handshake")
    func secure() async throws {
        try await withSecureServer({ $0.maxConnections = 1 }) { secure in
            let client = try await secure.connect()
            await #expect(throws: (any Error).self) { try await secure.connect() }
            #expect(secure.server.journal.dropped == [.connections])
            try await client.send(get("/in"))
            #expect(try await client.answer().status == 200)
        }
    }

    @Test("a peer above its limit gets 503, and other peers do not")
    func maxConnectionsPerPeer() async throws {
        try await withServer({ $0.maxConnectionsPerPeer = 1 }) { server in
            let first = try await server.connect()
            try await first.send(get("/in"))
            #expect(try await first.answer().status == 200)
            let second = try await server.connect()
            let answer = try await second.answer()
            #expect(answer.status == 503)
            #expect(answer.content == Refusal.connectionsPerPeer.rawValue)
            let other = try await server.connect(from: "127.0.0.2")
            try await other.send(get("/in"))
            #expect(try await other.answer().status == 200)
            second.close()
            first.close()
            try await server.journal.wait("a free place") { server.server.limiter.total == 1 }
            #expect(try await server.answer(to: get("/in")).status == 200)
        }
    }

    @Test("many connections at once are all served, and all counted out again")
    func many() async throws {
        try await withServer { server in
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<100 {
                    group.addTask { try await server.answer(to: get("/\(number)")).content }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(answers == Set((0..<100).map { "/\($0):" }))
            try await server.empty()
        }
    }
}
