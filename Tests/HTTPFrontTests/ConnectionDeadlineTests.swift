import Testing

@testable import HTTPFront

@Suite("A deadline", .timeLimit(.minutes(1)))
struct ConnectionDeadlineTests {
    private static let short: Int64 = 800_000_000

    /// Expects that `body` takes at least the short limit.
    private func takesItsTime(_ body: () async throws -> Void) async throws {
        let start = ContinuousClock.now
        try await body()
        #expect(ContinuousClock.now - start >= .nanoseconds(Self.short))
    }

    @Test("ends a connection on which nothing is ever said")
    func first() async throws {
        try await withServer({ $0.headTimeout = Self.short }) { server in
            try await takesItsTime {
                let client = try await server.connect()
                _ = try await client.remainder()
            }
            try await server.empty()
        }
    }

    @Test("refuses a head that does not end, with 408", arguments: ["G", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func head(start: String) async throws {
        try await withServer({ $0.headTimeout = Self.short }) { server in
            try await takesItsTime {
                let client = try await server.connect()
                try await client.send(start)
                let answer = try await client.answer()
                #expect(answer.status == 408)
                #expect(answer["Connection"] == ["close"])
                #expect(try await client.remainder() == "")
            }
            #expect(server.journal.events.contains(.refused(.headTimeout)))
        }
    }

    @Test("of a later head counts from its first byte")
    func laterHead() async throws {
        try await withServer({ $0.headTimeout = Self.short }) { server in
            let client = try await server.connect()
            try await client.send(get("/1"))
            #expect(try await client.answer().status == 200)
            try await server.journal.wait(ticks: 5)
            try await takesItsTime {
                try await client.send("GET /2")
                #expect(try await client.answer().status == 408)
            }
        }
    }

    @Test("of a head is not put off by one byte after the other")
    func drip() async throws {
        try await withServer({ $0.headTimeout = 2 * Self.short }) { server in
            let client = try await server.connect()
            let request = bytes(get("/", "X: \(String(repeating: "x", count: 1000))\r\n"))
            var sent = 0
            while sent < request.count, try await !client.hears(within: 40) {
                try await client.send([request[sent]])
                sent += 1
            }
            #expect(sent < request.count)
            #expect(try await client.answer().status == 408)
        }
    }

    @Test("of a head is not put off by empty lines")
    func emptyLines() async throws {
        try await withServer({ $0.headTimeout = Self.short }) { server in
            let client = try await server.connect()
            var sent = 0
            while sent < 100, try await !client.hears(within: 40) {
                try await client.send("\r\n")
                sent += 1
            }
            #expect(sent < 100)
            client.close()
            try await server.empty()
        }
    }

    @Test(
        "refuses content that does not end, with 408",
        arguments: [
            post("Content-Length: 5\r\n", "hell"), post("Content-Length: 5\r\n"),
            post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ])
    func content(request: String) async throws {
        try await withServer({ $0.bodyTimeout = Self.short }) { server in
            try await takesItsTime {
                let client = try await server.connect()
                try await client.send(request)
                let answer = try await client.answer()
                #expect(answer.status == 408)
                #expect(answer["Connection"] == ["close"])
                #expect(try await client.remainder() == "")
            }
            #expect(server.journal.events.contains(.refused(.bodyTimeout)))
            #expect(server.journal.paths == [])
        }
    }

    @Test("of content is not put off by one byte after the other, nor by 100 Continue")
    func contentDrip() async throws {
        try await withServer({ $0.bodyTimeout = Self.short }) { server in
            let client = try await server.connect()
            try await client.send(post("Expect: 100-continue\r\nContent-Length: 1000\r\n"))
            #expect(try await client.answer().status == 100)
            var sent = 0
            while sent < 1000, try await !client.hears(within: 40) {
                try await client.send("x")
                sent += 1
            }
            #expect(sent < 1000)
            #expect(try await client.answer().status == 408)
        }
    }

    /// Content may take a minute, but 1000 bytes of it must come in each short time.
    private static func paced(_ limits: inout HTTPLimits) {
        limits.bodyTimeout = 60_000_000_000
        limits.bodyStretch = short
        limits.minBodyBytes = 1000
    }

    @Test(
        "refuses content that stops or drips, long before its whole time is over",
        arguments: ["Content-Length: 50000\r\n", "Content-Length: 50000\r\nExpect: 100-continue\r\n"])
    func contentPace(fields: String) async throws {
        try await withServer(Self.paced) { server in
            let client = try await server.connect()
            try await client.send(post(fields))
            if fields.contains("Expect") { #expect(try await client.answer().status == 100) }
            try await client.send(String(repeating: "x", count: 20_000))
            var sent = 0
            while sent < 1000, try await !client.hears(within: 40) {
                try await client.send("x")
                sent += 1
            }
            // The first part gained one stretch at most.
            #expect(sent < 100)
            #expect(try await client.answer().status == 408)
            #expect(server.journal.events.contains(.refused(.bodyTimeout)))
        }
    }

    @Test("leaves content alone that comes slowly, but fast enough")
    func contentKeepsUp() async throws {
        func limit(_ limits: inout HTTPLimits) {
            Self.paced(&limits)
            limits.bodyStretch = 2_000_000_000
        }
        try await withServer(limit) { server in
            let client = try await server.connect()
            try await client.send(post("Content-Length: 20000\r\n"))
            for _ in 0..<10 {
                try await client.send(String(repeating: "x", count: 2000))
                try await server.journal.wait(ticks: 1)
            }
            #expect(try await client.answer().status == 200)
        }
    }

    @Test("ends an idle connection, without an answer that no request asked for")
    func idle() async throws {
        try await withServer({ $0.idleTimeout = Self.short }) { server in
            let client = try await server.connect()
            try await takesItsTime {
                try await client.send(get("/1"))
                #expect(try await client.answer().status == 200)
                #expect(try await client.remainder() == "")
            }
            try await server.empty()
        }
    }

    @Test("does not run while the responder takes its time")
    func answer() async throws {
        func limit(_ limits: inout HTTPLimits) {
            limits.headTimeout = Self.short
            limits.bodyTimeout = Self.short
            limits.idleTimeout = Self.short
        }
        try await withServer(limit) { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let ticket = try await server.journal.ticket("/later")
            try await server.journal.wait(ticks: 5)
            #expect(try await server.answer(ticket, "late"))
            #expect(try await client.answer().content == "late")
        }
    }

    @Test("ends a connection whose client does not read, after the idle time, and counts it")
    func unread() async throws {
        try await withServer({ $0.idleTimeout = Self.short }) { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            try await client.send(get("/large/\(16 << 20)"))
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            try await server.empty()
            client.close()
            #expect(server.journal.dropped == [.unreadAnswer])
        }
    }

    @Test("ends a connection whose client reads too little", arguments: ["", "Connection: close\r\n"])
    func trickle(fields: String) async throws {
        try await withServer({ $0.idleTimeout = Self.short }) { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            try await client.send(get("/large/\(32 << 20)", fields))
            while server.server.limiter.total > 0 || server.journal.answered == 0 {
                _ = try await client.skip(atMost: 100)
                // Nothing tells when a client should be slow.
                try await Task.sleep(for: .milliseconds(10))
            }
            client.close()
            #expect(server.journal.dropped == [.unreadAnswer])
        }
    }

    @Test("that passes without a word, or without another request, is counted")
    func counted() async throws {
        func limit(_ limits: inout HTTPLimits) {
            limits.headTimeout = Self.short
            limits.idleTimeout = Self.short
        }
        try await withServer(limit) { server in
            let silent = try await server.connect()
            _ = try await silent.remainder()
            let idle = try await server.connect()
            try await idle.send(get("/1"))
            #expect(try await idle.answer().status == 200)
            #expect(try await idle.remainder() == "")
            try await server.empty()
            #expect(server.journal.dropped == [.headTimeout, .idle])
        }
    }
}
