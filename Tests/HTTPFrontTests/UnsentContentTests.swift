import NIOSSL
import Testing

@testable import HTTPFront

@Suite("What waits to be read", .timeLimit(.minutes(1)))
struct UnsentContentTests {
    private static let size = 4 << 20

    @Test("arrives whole, however slowly it is read, and requests behind it are answered in order")
    func whole() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            let expected = TestResponder.content(Self.size)
            for round in 1...3 {
                try await client.send(get("/first/\(round)") + get("/shared/\(Self.size)") + get("/behind/\(round)"))
                try await server.journal.wait(ticks: 1)
                #expect(try await client.answer().content == "/first/\(round):")
                #expect(try await client.answer().contentBytes == expected)
                #expect(try await client.answer().content == "/behind/\(round):")
            }
            #expect(server.server.unsentBytes == 0)
        }
    }

    @Test("arrives whole where it ends the connection", arguments: [false, true])
    func last(halfCloses: Bool) async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            try await client.send(get("/shared/\(Self.size)", halfCloses ? "" : "Connection: close\r\n"))
            if halfCloses { client.closeWriting() }
            try await server.journal.wait(ticks: 1)
            #expect(try await client.answer().contentBytes == TestResponder.content(Self.size))
            #expect(try await client.remainder() == "")
        }
    }

    @Test("is held once for all who read the same, and given back when they go")
    func shared() async throws {
        try await withServer { server in
            var clients: [TestClient] = []
            for _ in 0..<40 {
                let client = try await server.connect(receiveBuffer: 4096)
                try await client.send(get("/shared/\(Self.size)"))
                clients.append(client)
            }
            try await server.journal.wait("all to wait") { server.server.unsentBytes > Self.size }
            try await server.journal.wait(ticks: 2)
            #expect(server.server.unsentBytes <= Self.size + 40 * LargeContent.partBytes)
            for client in clients { client.reset() }
            try await server.empty()
            #expect(server.server.unsentBytes == 0)
        }
    }

    @Test("is bounded in all: those who have read nothing for longest are closed, and who reads is not")
    func relief() async throws {
        let size = 1 << 20
        try await withServer({ $0.maxUnsentBytes = size + 20 * LargeContent.partBytes }) { server in
            var silent: [TestClient] = []
            for _ in 0..<60 {
                let client = try await server.connect(receiveBuffer: 4096)
                try await client.send(get("/shared/\(size)"))
                silent.append(client)
            }
            let reader = try await server.connect(receiveBuffer: 4096)
            try await reader.send(get("/shared/\(size)"))
            #expect(try await reader.answer().contentBytes.count == size)
            try await server.journal.wait("room") {
                server.journal.events.contains(.dropped(.unsentLimit))
                    && server.server.unsentBytes <= size + 20 * LargeContent.partBytes
            }
            try await reader.send(get("/alive"))
            #expect(try await reader.answer().content == "/alive:")
            for client in silent { client.reset() }
        }
    }

    @Test("over HTTP/2 takes a reference and a part for each stream, and arrives whole")
    func streams() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 1024)
            var ids = [try await client.request("/shared/\(Self.size)")]
            for _ in 0..<30 { ids.append(try await client.request("/shared/\(Self.size)")) }
            try await server.journal.wait(ticks: 2)
            #expect(server.server.unsentBytes <= Self.size + 31 * 16 * 1024 + 65_536)
            await client.close()
            try await server.empty()
            #expect(server.server.unsentBytes == 0)

            let reader = try await HTTP2Client.connect(port: server.port)
            let id = try await reader.request("/shared/\(Self.size)")
            #expect(try await reader.answer(id).content == TestResponder.content(Self.size))
            await reader.close()
        }
    }
}

@Suite("Turns", .timeLimit(.minutes(1)))
struct TurnTests {
    /// How many requests of the one who sends many were answered before the other's.
    private func answered(before path: String, in journal: Journal) throws -> Int {
        try #require(journal.paths.firstIndex(of: path))
    }

    @Test("A client that sends thousands of requests at once makes nobody wait for all of them")
    func pipeline() async throws {
        try await withServer { server in
            let greedy = try await server.connect()
            let other = try await server.connect()
            for client in [greedy, other] {
                try await client.send(get("/in"))
                _ = try await client.answer()
            }
            try await server.holding {
                try await greedy.send((1...2000).map { get("/\($0)") }.joined())
                try await other.send(get("/other"))
            }
            #expect(try await other.answer().content == "/other:")
            #expect(try answered(before: "/other", in: server.journal) <= 2 * LoopScratch.turnRequests + 2)
            for number in 1...2000 { #expect(try await greedy.answer().content == "/\(number):") }
        }
    }

    @Test("Requests that wait for their turn wait on while their client does not read")
    func backPressure() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 4096)
            // Small enough to be copied: nothing but writability holds them back.
            try await client.send((1...2000).map { get("/large/\(16_000 + $0 % 2)") }.joined())
            try await server.journal.wait(ticks: 4)
            #expect(server.journal.paths.count < 1000)
            for number in 1...2000 { #expect(try await client.answer().contentBytes.count == 16_000 + number % 2) }
        }
    }

    @Test("Requests that wait for their turn are answered though their client has ended its side")
    func halfClose() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send((1...500).map { get("/\($0)") }.joined())
            client.closeWriting()
            for number in 1...500 { #expect(try await client.answer().content == "/\(number):") }
            #expect(try await client.remainder() == "")
        }
    }

    @Test("A connection of HTTP/2 has as many requests answered in a turn as one of HTTP/1.1")
    func streams() async throws {
        try await withServer { server in
            let other = try await server.connect()
            try await other.send(get("/in"))
            _ = try await other.answer()
            let client = try await server.connect()
            try await client.send(RawFrame.preface)
            try await server.journal.wait(ticks: 1)
            try await server.holding {
                var frames: [UInt8] = []
                for number in 0..<90 as Range<UInt32> {
                    frames += RawFrame.frame(type: 1, flags: 5, stream: 2 * number + 1, RawFrame.get("/\(number)"))
                }
                try await client.send(frames)
                try await other.send(get("/other"))
            }
            #expect(try await other.answer().content == "/other:")
            #expect(try answered(before: "/other", in: server.journal) <= 2 * LoopScratch.turnRequests + 2)
            try await server.journal.wait("all of them") { server.journal.paths.count == 92 }
            client.close()
        }
    }
}
