import Testing

@testable import HTTPFront

@Suite("A ticket", .timeLimit(.minutes(1)))
struct TicketTests {
    @Test("answers once")
    func once() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let ticket = try await server.journal.ticket("/later")
            #expect(try await server.answer(ticket, "one"))
            #expect(try await server.answer(ticket, "two") == false)
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
            let stale = try await server.journal.ticket("/later/1")
            #expect(try await server.answer(stale, "one"))
            try await client.send(get("/later/2"))
            let ticket = try await server.journal.ticket("/later/2")
            #expect(ticket != stale)
            #expect(try await server.answer(stale, "wrong") == false)
            #expect(try await server.answer(ticket, "two"))
            #expect(try await client.answer().content == "one")
            #expect(try await client.answer().content == "two")
        }
    }

    @Test("of a connection that has ended does not answer on the one that has its slot now")
    func staleSlot() async throws {
        try await withServer { server in
            let first = try await server.connect()
            try await first.send(get("/later/1"))
            let stale = try await server.journal.ticket("/later/1")
            first.reset()
            try await server.empty()
            let second = try await server.connect()
            try await second.send(get("/later/2"))
            let ticket = try await server.journal.ticket("/later/2")
            #expect(ticket.slot == stale.slot)
            #expect(try await server.answer(stale, "wrong") == false)
            #expect(try await server.answer(ticket, "right"))
            #expect(try await second.answer().content == "right")
        }
    }

    @Test("of a place that does not exist does nothing")
    func foreign() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let ticket = try await server.journal.ticket("/later")
            for (loop, slot) in [(ticket.loop + 1, ticket.slot), (ticket.loop, .max), (ticket.loop, -1), (.min, .min)] {
                let other = Ticket(loop: loop, slot: slot, generation: ticket.generation)
                #expect(try await server.answer(other, "wrong") == false)
            }
            #expect(try await server.answer(ticket, "right"))
            #expect(try await client.answer().content == "right")
        }
    }

    @Test("whose client has gone is reported, once, and answers nothing")
    func abandoned() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let ticket = try await server.journal.ticket("/later")
            client.reset()
            try await server.empty()
            #expect(server.journal.abandoned == [ticket])
            #expect(try await server.answer(ticket, "late") == false)
            #expect(server.journal.abandoned == [ticket])
        }
    }

    @Test("that was answered is not reported when its client goes")
    func answeredIsNotAbandoned() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            #expect(try await server.answer(server.journal.ticket("/later"), "late"))
            #expect(try await client.answer().content == "late")
            client.reset()
            try await server.empty()
            #expect(server.journal.abandoned == [])
        }
    }
}
