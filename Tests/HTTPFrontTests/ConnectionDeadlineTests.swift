import Testing

@testable import HTTPFront

/// Every limit here is a minute of the connection's clock: half a minute is early, a minute and a half is late.
@Suite("A deadline", .timeLimit(.minutes(1)))
struct ConnectionDeadlineTests {
    private static let minute: Int64 = 60_000_000_000
    private static let early = 30.0
    private static let late = 90.0

    /// Expects a refusal with 408 late, nothing early, and the end after it.
    private func expectRefusal(
        _ connection: EmbeddedConnection, _ refusal: Refusal, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        connection.tick(until: Self.early)
        let early = try connection.answer()
        #expect(early == nil, sourceLocation: sourceLocation)
        connection.tick(until: Self.late)
        let answer = try #require(try connection.answer(), sourceLocation: sourceLocation)
        #expect(answer.status == 408, sourceLocation: sourceLocation)
        #expect(answer["Connection"] == ["close"], sourceLocation: sourceLocation)
        #expect(connection.hasEnded, sourceLocation: sourceLocation)
        #expect(connection.journal.events.contains(.refused(refusal)), sourceLocation: sourceLocation)
    }

    /// Sends piece by piece, a piece in each second, until the server answers.
    ///
    /// - Returns: the number of pieces, and the answer.
    private func drip(
        _ pieces: some Sequence<String>, _ connection: EmbeddedConnection
    ) throws -> (sent: Int, answer: Answer?) {
        var sent = 0
        for piece in pieces {
            connection.send(piece)
            sent += 1
            connection.tick(until: Double(sent))
            if let answer = try connection.answer() { return (sent, answer) }
        }
        return (sent, nil)
    }

    @Test("ends a connection on which nothing is ever said, and counts it")
    func first() throws {
        let connection = try EmbeddedConnection { $0.headTimeout = Self.minute }
        connection.tick(until: Self.early)
        #expect(!connection.hasEnded)
        connection.tick(until: Self.late)
        #expect(connection.hasEnded)
        #expect(try connection.answer() == nil)
        #expect(connection.journal.dropped == [.headTimeout])
    }

    @Test("refuses a head that does not end, with 408", arguments: ["G", "GET / HTTP/1.1\r\nHost: a\r\n"])
    func head(start: String) throws {
        let connection = try EmbeddedConnection { $0.headTimeout = Self.minute }
        connection.send(start)
        try expectRefusal(connection, .headTimeout)
    }

    @Test("refuses a later head that does not end, with 408")
    func laterHead() throws {
        let connection = try EmbeddedConnection { $0.headTimeout = Self.minute }
        connection.send(get("/1"))
        #expect(try connection.answer()?.status == 200)
        connection.send("GET /2")
        try expectRefusal(connection, .headTimeout)
    }

    @Test("of a head is not put off by one byte after the other")
    func slowHead() throws {
        let connection = try EmbeddedConnection { $0.headTimeout = Self.minute }
        let request = get("/", "X: \(String(repeating: "x", count: 1000))\r\n")
        let (sent, answer) = try drip(request.unicodeScalars.map { String($0) }, connection)
        #expect((50...70).contains(sent))
        #expect(answer?.status == 408)
    }

    @Test("of a head is not put off by empty lines")
    func emptyLines() throws {
        let connection = try EmbeddedConnection { $0.headTimeout = Self.minute }
        let lines = Array(repeating: "\r\n", count: 100)
        var sent = 0
        for line in lines where !connection.hasEnded {
            connection.send(line)
            sent += 1
            connection.tick(until: Double(sent))
        }
        #expect((50...70).contains(sent))
    }

    @Test(
        "refuses content that does not end, with 408",
        arguments: [
            post("Content-Length: 5\r\n", "hell"), post("Content-Length: 5\r\n"),
            post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
        ])
    func content(request: String) throws {
        let connection = try EmbeddedConnection {
            $0.bodyTimeout = Self.minute
            $0.minBodyBytes = 0
        }
        connection.send(request)
        try expectRefusal(connection, .bodyTimeout)
        #expect(connection.journal.paths == [])
    }

    @Test("of content is not put off by one byte after the other, nor by 100 Continue")
    func slowContent() throws {
        let connection = try EmbeddedConnection {
            $0.bodyTimeout = Self.minute
            $0.minBodyBytes = 0
        }
        connection.send(post("Expect: 100-continue\r\nContent-Length: 1000\r\n"))
        #expect(try connection.answer()?.status == 100)
        let (sent, answer) = try drip(Array(repeating: "x", count: 1000), connection)
        #expect((50...70).contains(sent))
        #expect(answer?.status == 408)
    }

    /// Content may take an hour, but 1000 bytes of it must come in each minute.
    private static func paced(_ limits: inout HTTPLimits) {
        limits.bodyTimeout = 60 * minute
        limits.bodyStretch = minute
        limits.minBodyBytes = 1000
    }

    @Test(
        "refuses content that stops or drips, long before its whole time is over",
        arguments: ["Content-Length: 50000\r\n", "Content-Length: 50000\r\nExpect: 100-continue\r\n"])
    func contentRate(fields: String) throws {
        let connection = try EmbeddedConnection(Self.paced)
        connection.send(post(fields))
        if fields.contains("Expect") { #expect(try connection.answer()?.status == 100) }
        connection.send(String(repeating: "x", count: 20_000))
        let (sent, answer) = try drip(Array(repeating: "x", count: 1000), connection)
        // The first part gains one stretch at most.
        #expect((50...130).contains(sent))
        #expect(answer?.status == 408)
        #expect(connection.journal.events.contains(.refused(.bodyTimeout)))
    }

    @Test("leaves content alone that comes slowly, but fast enough")
    func contentKeepsUp() throws {
        let connection = try EmbeddedConnection(Self.paced)
        connection.send(post("Content-Length: 20000\r\n"))
        let (sent, answer) = try drip(Array(repeating: String(repeating: "x", count: 20), count: 1000), connection)
        #expect(sent == 1000)
        #expect(answer?.status == 200)
    }

    @Test("ends an idle connection, without an answer that no request asked for, and counts it")
    func idle() throws {
        let connection = try EmbeddedConnection { $0.idleTimeout = Self.minute }
        connection.send(get("/1"))
        #expect(try connection.answer()?.status == 200)
        connection.tick(until: Self.early)
        #expect(!connection.hasEnded)
        connection.tick(until: Self.late)
        #expect(connection.hasEnded)
        #expect(try connection.answer() == nil)
        #expect(connection.journal.dropped == [.idle])
    }

    @Test("does not run while the responder takes its time")
    func answer() throws {
        let connection = try EmbeddedConnection {
            $0.headTimeout = Self.minute
            $0.bodyTimeout = Self.minute
            $0.idleTimeout = Self.minute
        }
        connection.send(get("/later"))
        let request = try #require(connection.journal.events.first)
        guard case .request(_, _, let waiter) = request else { return #expect(Bool(false), "no request") }
        connection.tick(until: 10 * Self.late)
        let isAnswered = connection.loop.answer(waiter) { _, response in
            TestResponder.write(bytes("late"), into: &response)
        }
        #expect(isAnswered)
        #expect(try connection.answer()?.content == "late")
    }

    @Test(
        "ends a connection whose client does not read, after the idle time, and counts it",
        arguments: ["", "Connection: close\r\n"])
    func unread(fields: String) throws {
        let connection = try EmbeddedConnection({ $0.idleTimeout = Self.minute }, reads: false)
        connection.send(get("/large/\(1 << 20)", fields))
        #expect(connection.journal.answered == 1)
        connection.tick(until: Self.early)
        #expect(!connection.hasEnded)
        connection.tick(until: Self.late)
        #expect(connection.hasEnded)
        #expect(connection.journal.dropped == [.unreadAnswer])
    }
}
