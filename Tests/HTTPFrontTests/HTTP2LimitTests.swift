import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

@testable import HTTPFront

@Suite("HTTP/2 under attack", .timeLimit(.minutes(1)))
struct HTTP2LimitTests {
    /// Every deadline here is a minute of the loop's clock; those that a test is not about are ten minutes.
    private static let minute: Int64 = 60_000_000_000
    private static let late: Int64 = 90

    private static func patient(_ limits: inout HTTPLimits) {
        limits.headTimeout = 10 * minute
        limits.idleTimeout = 10 * minute
        limits.bodyTimeout = 60 * minute
        limits.minBodyBytes = 0
    }

    /// Expects that what follows the preface ends the connection, and that it is counted so.
    private func expectEnd(
        _ server: TestServer, _ refusal: Refusal, _ frames: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let client = try await server.connect()
        try await client.send(RawFrame.preface)
        // The server may end the connection before all has been sent.
        try? await client.send(frames.flatMap(\.self))
        try await server.journal.wait("the end") { server.journal.events.contains(.dropped(refusal)) }
        client.close()
        try await server.empty()
        #expect(server.journal.events.count { $0 == .dropped(refusal) } == 1, sourceLocation: sourceLocation)
    }

    @Test("ends a connection whose requests are taken back as soon as they are made (CVE-2023-44487)")
    func rapidReset() async throws {
        try await withServer { server in
            var frames: [[UInt8]] = []
            for number in 0..<2000 as Range<UInt32> {
                frames.append(RawFrame.frame(type: 1, flags: 5, stream: 2 * number + 1, RawFrame.get("/later")))
                frames.append(RawFrame.frame(type: 3, flags: 0, stream: 2 * number + 1, [0, 0, 0, 8]))
            }
            try await expectEnd(server, .flood, frames)
            #expect(server.journal.paths.count <= 202)
            #expect(server.journal.abandoned.count == server.journal.paths.count)
        }
    }

    @Test("ends a connection whose fields do not end")
    func continuations() async throws {
        try await withServer { server in
            let first = RawFrame.frame(type: 1, flags: 1, stream: 1, RawFrame.get("/later"))
            let more = RawFrame.frame(type: 9, flags: 0, stream: 1, RawFrame.fields([("x", "y")]))
            try await expectEnd(server, .flood, [first] + Array(repeating: more, count: 1000))
            #expect(server.journal.paths == [])
        }
    }

    @Test("ends a connection whose fields are far too many")
    func fields() async throws {
        try await withServer { server in
            let field = RawFrame.fields([("x", String(repeating: "y", count: 100))])
            let block = Array(repeating: field, count: 150).flatMap(\.self)
            let first = RawFrame.frame(type: 1, flags: 1, stream: 1, block)
            let more = RawFrame.frame(type: 9, flags: 0, stream: 1, block)
            try await expectEnd(server, .brokenProtocol, [first] + Array(repeating: more, count: 5))
        }
    }

    @Test(
        "ends a connection of frames that ask for nothing",
        arguments: [
            RawFrame.frame(type: 6, flags: 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]),
            RawFrame.frame(type: 4, flags: 0, stream: 0, []),
            RawFrame.frame(type: 2, flags: 0, stream: 1, [0, 0, 0, 0, 1]),
        ])
    func idleFrames(frame: [UInt8]) async throws {
        try await withServer { server in
            try await expectEnd(server, .flood, Array(repeating: frame, count: 5000))
        }
    }

    @Test("ends a connection of empty content")
    func emptyContent() async throws {
        try await withServer { server in
            let head = RawFrame.frame(type: 1, flags: 4, stream: 1, RawFrame.get("/later"))
            let empty = RawFrame.frame(type: 0, flags: 0, stream: 1, [])
            try await expectEnd(server, .flood, [head] + Array(repeating: empty, count: 100))
        }
    }

    @Test("ends a connection that opens more streams than it may")
    func streams() async throws {
        try await withServer({ $0.maxStreams = 10 }) { server in
            let frames = (0..<200 as Range<UInt32>).map {
                RawFrame.frame(type: 1, flags: 5, stream: 2 * $0 + 1, RawFrame.get("/later"))
            }
            let client = try await server.connect()
            // The limit holds once the client has confirmed it.
            try await client.send(RawFrame.preface + RawFrame.frame(type: 4, flags: 1, stream: 0, []))
            try? await client.send(frames.flatMap(\.self))
            try await server.journal.wait("the end") { server.journal.events.contains(.dropped(.brokenProtocol)) }
            client.close()
            try await server.empty()
            // Those that had not had their turn were not looked at.
            #expect((1...10).contains(server.journal.paths.count))
            #expect(server.journal.abandoned.count == server.journal.paths.count)
        }
    }

    @Test(
        "ends a connection that does not keep to the protocol",
        arguments: [
            RawFrame.frame(type: 0, flags: 0, stream: 1, [1]),
            RawFrame.frame(type: 1, flags: 5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            RawFrame.frame(type: 8, flags: 0, stream: 0, [0, 0, 0, 0]),
            RawFrame.frame(type: 5, flags: 4, stream: 1, [0, 0, 0, 2]),
            [0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1],
        ])
    func malformed(frame: [UInt8]) async throws {
        try await withServer { server in try await expectEnd(server, .brokenProtocol, [frame]) }
    }

    @Test("ends a connection without a request, and an idle one, saying so")
    func idle() async throws {
        func limit(_ limits: inout HTTPLimits) {
            limits.headTimeout = Self.minute
            limits.idleTimeout = Self.minute
        }
        try await withServer(limit) { server in
            let silent = try await server.connect()
            try await silent.send(RawFrame.preface)
            // The settings: HTTP/2 has taken over.
            _ = try await silent.frame()
            try await server.ticking(ahead: Self.late) {
                var frame = try await silent.frame()
                while frame.type != 7 { frame = try await silent.frame() }
                #expect(frame.payload == [0, 0, 0, 0, 0, 0, 0, 0])
                silent.close()
            }
            let idle = try await HTTP2Client.connect(port: server.port)
            let id = try await idle.request("/1")
            #expect(try await idle.answer(id).status == 200)
            try await server.ticking(ahead: Self.late) {
                let ends = try await idle.end()
                #expect(ends.map(\.last) == [id])
            }
            try await server.empty()
            #expect(server.journal.events.contains(.dropped(.headTimeout)))
            #expect(server.journal.events.contains(.dropped(.idle)))
        }
    }

    @Test("ends a connection whose fields stop in the middle")
    func halfFields() async throws {
        try await withServer({ $0.headTimeout = Self.minute }) { server in
            let client = try await server.connect()
            try await client.send(
                RawFrame.preface + RawFrame.frame(type: 1, flags: 1, stream: 1, RawFrame.get("/later")))
            // The settings: HTTP/2 has taken over.
            _ = try await client.frame()
            try await server.ticking(ahead: Self.late) { _ = try await client.remainder() }
            try await server.empty()
            #expect(server.journal.paths == [])
        }
    }

    @Test("refuses content that does not end, with 408, and takes the next request")
    func slowContent() async throws {
        func limit(_ limits: inout HTTPLimits) {
            Self.patient(&limits)
            limits.bodyTimeout = Self.minute
        }
        try await withServer(limit) { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.send(
                fields: [(":method", "POST"), (":scheme", "http"), (":path", "/slow"), (":authority", "a")],
                content: "x", ends: false)
            try await server.ticking(ahead: Self.late) {
                let answer = try await client.record(id) { $0.reset != nil }
                #expect(answer.status == 408)
                #expect(answer.reset == .noError)
            }
            #expect(try await client.answer(client.request("/next")).status == 200)
            #expect(!server.journal.paths.contains("/slow"))
        }
    }

    /// Content may take an hour, but 1000 bytes of it must come in each minute.
    private static func paced(_ limits: inout HTTPLimits) {
        patient(&limits)
        limits.bodyStretch = minute
        limits.minBodyBytes = 1000
    }

    @Test("refuses content that stops, long before its whole time is over")
    func stoppedContent() async throws {
        try await withServer(Self.paced) { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.send(fields: Self.post, content: String(repeating: "x", count: 1500), ends: false)
            try await server.answered("/all", client)
            // The first tick finds 1500 bytes in time.
            for seconds: Int64 in [50, 100, 120] { try await server.tick(ahead: seconds) }
            #expect(try await client.record(id) { $0.reset != nil }.status == 408)
            #expect(try await client.answer(client.request("/next")).status == 200)
        }
    }

    /// As many streams as may send all of their content, each with a part of it, and one more, which waits for its turn.
    private func waitingStreams(
        _ server: TestServer, _ client: HTTP2Client
    ) async throws -> (wide: [HTTP2StreamID], last: HTTP2StreamID) {
        var wide: [HTTP2StreamID] = []
        for _ in 0..<HTTPLimits.wideStreams {
            wide.append(
                try await client.send(fields: Self.post, content: String(repeating: "x", count: 3000), ends: false))
        }
        let last = try await client.send(fields: Self.post, content: String(repeating: "y", count: 4096), ends: false)
        try await server.answered("/all", client)
        return (wide, last)
    }

    @Test("waits for content whose client has no window for it")
    func heldUpContent() async throws {
        try await withServer(Self.paced) { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let (wide, last) = try await waitingStreams(server, client)
            for round in 1...10 as ClosedRange<Int64> {
                for id in wide {
                    client.post(id, .data(.init(data: .byteBuffer(ByteBuffer(repeating: 0x78, count: 1000)))))
                }
                try await server.answered("/\(round)", client)
                try await server.tick(ahead: round * 40)
            }
            for id in wide + [last] {
                client.post(id, .data(.init(data: .byteBuffer(ByteBuffer(repeating: 0x79, count: 1)), endStream: true)))
            }
            for id in wide { #expect(try await client.answer(id).content.count == 13_001 + 2) }
            #expect(try await client.answer(last).content.count == 4097 + 2)
        }
    }

    @Test("counts the time of content from when its client may send it")
    func heldUpBeyondTime() async throws {
        func limit(_ limits: inout HTTPLimits) {
            Self.patient(&limits)
            limits.bodyTimeout = Self.minute
        }
        try await withServer(limit) { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let (wide, last) = try await waitingStreams(server, client)
            try await server.tick(ahead: 40)
            try await server.tick(ahead: 70)
            for id in wide { #expect(try await client.record(id) { $0.reset != nil }.status == 408) }
            client.post(last, .data(.init(data: .byteBuffer(ByteBuffer(repeating: 0x79, count: 1)), endStream: true)))
            let answer = try await client.answer(last)
            #expect(answer.status == 200)
            #expect(answer.content.count == 4097 + 2)
        }
    }

    @Test("resets an answer that its client gives no window for, and counts it")
    func unread() async throws {
        func limit(_ limits: inout HTTPLimits) {
            Self.patient(&limits)
            limits.idleTimeout = Self.minute
        }
        try await withServer(limit) { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 10, refills: false)
            let id = try await client.request("/large/100000")
            try await server.journal.wait("the answer") { server.journal.paths.count == 1 }
            try await server.ticking(ahead: Self.late) {
                let answer = try await client.record(id) { $0.reset != nil }
                #expect(answer.reset == .cancel)
                #expect(answer.content.count == 10)
            }
            #expect(server.journal.events.contains(.dropped(.unreadAnswer)))
        }
    }

    @Test("ends a connection whose client does not read from it")
    func stalled() async throws {
        try await withServer({ $0.idleTimeout = Self.minute }) { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 1 << 30)
            client.post(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 30))
            try await client.setReading(false)
            client.post(
                1,
                .headers(
                    .init(
                        headers: [
                            ":method": "GET", ":scheme": "http", ":path": "/large/\(32 << 20)", ":authority": "a",
                        ], endStream: true)))
            try await server.journal.wait("the answer") { server.journal.answered == 1 }
            try await server.ticking(ahead: Self.late) { try await server.empty() }
            #expect(server.journal.events.contains(.dropped(.unreadAnswer)))
            await client.close()
        }
    }

    @Test("lets all of many large requests come to their end, in whatever order their content arrives")
    func window() async throws {
        try await withServer({ $0.bodyTimeout = 60_000_000_000 }) { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let size = 60_000
            var ids: [HTTP2StreamID] = []
            for _ in 0..<100 {
                ids.append(try await client.send(fields: Self.post + [("content-length", "\(size)")], ends: false))
            }
            // A part of each, as far as the windows allow: none is complete.
            for id in ids {
                client.post(id, .data(.init(data: .byteBuffer(ByteBuffer(repeating: 0x78, count: size - 1)))))
            }
            try await server.journal.wait(ticks: 4)
            #expect(server.journal.paths == [])
            for id in ids {
                client.post(id, .data(.init(data: .byteBuffer(ByteBuffer(repeating: 0x79, count: 1)), endStream: true)))
            }
            for id in ids { #expect(try await client.answer(id).content.count == size + 2) }
        }
    }

    @Test("lets a request come to its end whose content was under way before its client knew the settings")
    func windowBeforeSettings() async throws {
        try await withServer({ $0.bodyTimeout = 5_000_000_000 }) { server in
            let client = try await server.connect()
            let part = [UInt8](repeating: 0x78, count: 5000)
            try await client.send(
                RawFrame.preface + RawFrame.frame(type: 1, flags: 4, stream: 1, RawFrame.fields(Self.post))
                    + RawFrame.frame(type: 0, flags: 0, stream: 1, part))
            // The settings, whose confirmation takes more from the window than is left in it.
            while try await client.frame().type != 4 {}
            try await client.send(RawFrame.frame(type: 4, flags: 1, stream: 0, []))
            while true {
                let frame = try await client.frame()
                try #require(frame.type != 1, "an answer before there was room for the rest")
                if frame.type == 8, frame.stream == 1 { break }
            }
            try await client.send(RawFrame.frame(type: 0, flags: 1, stream: 1, part))
            while true {
                let frame = try await client.frame()
                if frame.type == 0, frame.flags & 1 == 1 {
                    #expect(frame.payload.count == 10_000 + 2)
                    break
                }
            }
            client.close()
        }
    }

    private static let post: [(String, String)] = [
        (":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"),
    ]

    @Test("lets requests wait while their client leaves earlier answers unread, and answers them in order then")
    func backPressure() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 0, refills: false)
            var ids: [HTTP2StreamID] = []
            // Small enough to be copied: 256 KiB of them are held.
            for number in 0..<40 { ids.append(try await client.request("/large/\(16_000 + number)")) }
            try await server.journal.wait("the first answers") { server.journal.answered == 17 }
            try await server.journal.wait(ticks: 2)
            #expect(server.journal.paths.count == 17)
            client.post(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 30))
            for (number, id) in ids.enumerated() {
                client.post(id, .windowUpdate(windowSizeIncrement: 1 << 20))
                #expect(try await client.answer(id).content.count == 16_000 + number)
            }
            #expect(server.journal.paths == (0..<40).map { "/large/\(16_000 + $0)" })
        }
    }

    @Test("answers other requests while a large answer is left unread, of which a reference is held")
    func unreadLargeAnswer() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 100, refills: false)
            let large = try await client.request("/shared/\(4 << 20)")
            for number in 1...5 { #expect(try await client.answer(client.request("/\(number)")).status == 200) }
            client.post(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 30))
            client.post(large, .windowUpdate(windowSizeIncrement: 1 << 30))
            #expect(try await client.answer(large).content == TestResponder.content(4 << 20))
        }
    }
}

extension TestServer {
    /// Asks for `path` and waits for the answer: the server has read everything that the client sent before.
    fileprivate func answered(_ path: String, _ client: HTTP2Client) async throws {
        #expect(try await client.answer(client.request(path)).status == 200)
    }
}
