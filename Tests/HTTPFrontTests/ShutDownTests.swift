import Testing

@testable import HTTPFront

@Suite("A server that shuts down", .timeLimit(.minutes(1)))
struct ShutDownTests {
    private static let patient: Int64 = 10_000_000_000

    @Test("closes idle connections, and listens no longer")
    func idle() async throws {
        try await withServer { server in
            let silent = try await server.connect()
            let idle = try await server.connect()
            try await idle.send(get("/1"))
            #expect(try await idle.answer().status == 200)
            #expect(await server.server.shutDown(timeout: Self.patient))
            #expect(try await idle.remainder() == "")
            _ = try await silent.remainder()
            await #expect(throws: TestClient.Failure.self) { try await server.connect() }
        }
    }

    @Test("gives idle connections the time of grace for one more request, whose answer is their last")
    func grace() async throws {
        try await withServer { server in
            let idle = try await server.connect()
            try await idle.send(get("/1"))
            #expect(try await idle.answer()["Connection"] == [])
            let silent = try await server.connect()
            try await server.journal.wait("both connections") { server.server.limiter.total == 2 }
            async let isComplete = server.server.shutDown(timeout: Self.patient, grace: Self.patient)
            try await server.draining()
            for client in [idle, silent] {
                try await client.send(get("/2") + get("/behind"))
                let answer = try await client.answer()
                #expect(answer.content == "/2:")
                #expect(answer["Connection"] == ["close"])
                #expect(try await client.remainder() == "")
                client.close()
            }
            #expect(await isComplete)
            #expect(server.journal.dropped == [])
        }
    }

    @Test("closes idle connections when their time of grace is over")
    func graceIsOver() async throws {
        try await withServer { server in
            let idle = try await server.connect()
            try await idle.send(get("/1"))
            #expect(try await idle.answer().status == 200)
            let start = ContinuousClock.now
            async let isComplete = server.server.shutDown(timeout: Self.patient, grace: 300_000_000)
            #expect(try await idle.remainder() == "")
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            #expect(await isComplete)
            #expect(server.journal.dropped == [])
        }
    }

    @Test("lets an answer that is outstanding be given, and says that it is the last")
    func inFlight() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later") + get("/behind"))
            let waiter = try await server.journal.waiter("/later")
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            try await server.draining()
            #expect(try await server.answer(waiter, "late"))
            let answer = try await client.answer()
            #expect(answer.content == "late")
            #expect(answer["Connection"] == ["close"])
            #expect(try await client.remainder() == "")
            client.close()
            #expect(await isComplete)
            #expect(server.journal.paths == ["/later"])
        }
    }

    @Test("answers a request that is on its way, and says that it is the last")
    func onItsWay() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let request = post("Content-Length: 5\r\n", "hello")
            try await client.send(get("/1") + String(request.dropLast(3)))
            #expect(try await client.answer().content == "/1:")
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            try await server.draining()
            try await client.send(String(request.suffix(3)))
            let answer = try await client.answer()
            #expect(answer.content == "/:hello")
            #expect(answer["Connection"] == ["close"])
            #expect(try await client.remainder() == "")
            client.close()
            #expect(await isComplete)
        }
    }

    @Test("lets a client read what it was answered before")
    func unread() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            let size = 16 << 20
            try await client.send(get("/large/\(size)"))
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            try await server.draining()
            #expect(try await client.answer().contentBytes.count == size)
            #expect(try await client.remainder() == "")
            client.close()
            #expect(await isComplete)
        }
    }

    @Test("closes what is left after its patience, says so, and reports the waiters that are void")
    func impatient() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let waiter = try await server.journal.waiter("/later")
            #expect(await server.server.shutDown(timeout: 100_000_000) == false)
            #expect(try await client.remainder() == "")
            try await server.empty()
            #expect(try await server.answer(waiter, "late") == false)
            #expect(server.journal.abandoned == [waiter])
        }
    }
}
