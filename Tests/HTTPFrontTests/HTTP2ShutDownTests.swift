import NIOHTTP2
import Testing

@testable import HTTPFront

@Suite("A server that shuts down", .timeLimit(.minutes(1)))
struct HTTP2ShutDownTests {
    private static let patient: Int64 = 10_000_000_000

    @Test("says to clients of HTTP/2 that it does, and gives the answers that are outstanding")
    func inFlight() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let idle = try await HTTP2Client.connect(port: server.port)
            #expect(try await idle.answer(idle.request("/1")).status == 200)
            let id = try await client.request("/later")
            let waiter = try await server.journal.waiter("/later")
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            #expect(try await idle.end().map(\.code) == [.noError])
            let first = try await client.goAway()
            #expect(first.last == id)
            #expect(first.code == .noError)
            #expect(try await server.answer(waiter, "late"))
            #expect(try await client.answer(id).text == "late")
            #expect(Set(try await client.end().map(\.last)) == [id])
            #expect(await isComplete)
        }
    }

    @Test("takes no request after it has said so, and clients know which were not taken")
    func onItsWay() async throws {
        try await withServer { server in
            let client = try await server.connect()
            let first = RawFrame.frame(type: 1, flags: 5, stream: 1, RawFrame.get("/later/1"))
            try await client.send(RawFrame.preface + first)
            let waiter = try await server.journal.waiter("/later/1")
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            try await server.draining()
            try await client.send(RawFrame.frame(type: 1, flags: 5, stream: 3, RawFrame.get("/raced")))
            #expect(try await server.answer(waiter, "one"))
            let received = try await client.remainder()
            #expect(received.contains(text(RawFrame.frame(type: 7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 0]))))
            #expect(received.contains("one"))
            #expect(!server.journal.paths.contains("/raced"))
            client.close()
            #expect(await isComplete)
        }
    }

    @Test("gives idle clients of HTTP/2 the time of grace to send one more request")
    func grace() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            #expect(try await client.answer(client.request("/1")).status == 200)
            async let isComplete = server.server.shutDown(timeout: Self.patient, grace: Self.patient)
            try await server.draining()
            let id = try await client.request("/2")
            #expect(try await client.answer(id).status == 200)
            #expect(try await client.end().last?.last == id)
            #expect(await isComplete)
        }
    }

    @Test("lets a client of HTTP/2 read a large last answer")
    func large() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            try await client.setReading(false)
            let size = 8 << 20
            let id = try await client.request("/large/\(size)")
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            async let isComplete = server.server.shutDown(timeout: Self.patient)
            try await server.draining()
            try await client.setReading(true)
            #expect(try await client.answer(id).content.count == size)
            _ = try await client.end()
            #expect(await isComplete)
        }
    }

    @Test("is what a responder can ask for on one connection of HTTP/2")
    func closes() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/close")
            #expect(try await client.answer(id).status == 200)
            #expect(try await client.end().allSatisfy { $0.code == .noError })
            try await server.empty()
        }
    }
}
