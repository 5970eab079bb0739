import Primitives
import Testing

@testable import HTTPFront

@Suite("A waiter", .timeLimit(.minutes(1)))
struct WaiterTests {
    @Test("answers once")
    func once() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let waiter = try await server.journal.waiter("/later")
            #expect(try await server.answer(waiter, "one"))
            #expect(try await server.answer(waiter, "two") == false)
            #expect(try await client.answer().content == "one")
            try await client.send(get("/next"))
            #expect(try await client.answer().content == "/next:")
        }
    }

    @Test("of a request before does not answer the request that waits now on the same connection")
    func staleOnConnection() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later/1"))
            let stale = try await server.journal.waiter("/later/1")
            #expect(try await server.answer(stale, "one"))
            try await client.send(get("/later/2"))
            let waiter = try await server.journal.waiter("/later/2")
            #expect(waiter != stale)
            #expect(try await server.answer(stale, "wrong") == false)
            #expect(try await server.answer(waiter, "two"))
            #expect(try await client.answer().content == "one")
            #expect(try await client.answer().content == "two")
        }
    }

    @Test("of a connection that has ended does not answer on the one that has its slot now")
    func staleSlot() async throws {
        try await withServer { server in
            let first = try await server.connect()
            try await first.send(get("/later/1"))
            let stale = try await server.journal.waiter("/later/1")
            first.reset()
            try await server.empty()
            let second = try await server.connect()
            try await second.send(get("/later/2"))
            let waiter = try await server.journal.waiter("/later/2")
            #expect(waiter.slot == stale.slot)
            #expect(try await server.answer(stale, "wrong") == false)
            #expect(try await server.answer(waiter, "right"))
            #expect(try await second.answer().content == "right")
        }
    }

    @Test("of a place that does not exist does nothing")
    func foreign() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let waiter = try await server.journal.waiter("/later")
            for (loop, slot) in [(waiter.loop + 1, waiter.slot), (waiter.loop, .max), (waiter.loop, -1), (.min, .min)] {
                let other = Waiter(loop: loop, slot: slot, generation: waiter.generation)
                #expect(try await server.answer(other, "wrong") == false)
            }
            #expect(try await server.answer(waiter, "right"))
            #expect(try await client.answer().content == "right")
        }
    }

    @Test("whose client has gone is reported, once, and answers nothing")
    func abandoned() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let waiter = try await server.journal.waiter("/later")
            client.reset()
            try await server.empty()
            #expect(server.journal.abandoned == [waiter])
            #expect(try await server.answer(waiter, "late") == false)
            #expect(server.journal.abandoned == [waiter])
        }
    }

    @Test("that was answered is not reported when its client goes")
    func answeredIsNotAbandoned() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            #expect(try await server.answer(server.journal.waiter("/later"), "late"))
            #expect(try await client.answer().content == "late")
            client.reset()
            try await server.empty()
            #expect(server.journal.abandoned == [])
        }
    }
}
