import NIOHTTP2
import Streams
import Testing

@testable import HTTPFront

extension PipeWriter {
    fileprivate func write(_ text: String) { write(Array(text.utf8).span) }

    /// Writes so many bytes, as fast as they are read.
    fileprivate func write(count: Int, piece: Int = 60_000) async {
        let (room, came) = AsyncStream.makeStream(of: Void.self)
        onRoom { came.yield() }
        var waits = room.makeAsyncIterator()
        let bytes = TestResponder.content(piece)
        var left = count
        while left > 0, !isClosed {
            while awaitsRoom() { await waits.next() }
            let size = min(left, piece)
            write(bytes.span.extracting(0..<size))
            left -= size
        }
    }
}

@Suite("A streamed answer", .timeLimit(.minutes(1)))
struct StreamedAnswerTests {
    private static let head =
        "HTTP/1.1 200 OK\r\nDate: \(testDate)\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test("arrives part by part as it comes, and the requests behind it are answered then")
    func inOrder() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later") + get("/behind"))
            let writer = try await server.stream(server.journal.waiter("/later"))
            #expect(try await client.read(upTo: "\r\n\r\n") == Self.head)
            writer.write("first")
            #expect(try await client.read(upTo: "first\r\n") == "5\r\nfirst\r\n")
            writer.write("second part")
            #expect(try await client.read(upTo: "part\r\n") == "b\r\nsecond part\r\n")
            #expect(!server.journal.paths.contains("/behind"))
            writer.end()
            #expect(try await client.read(upTo: "0\r\n\r\n") == "0\r\n\r\n")
            #expect(try await client.answer().content == "/behind:")
            try await client.send(get("/after"))
            #expect(try await client.answer().content == "/after:")
        }
    }

    @Test("that is empty ends at once")
    func empty() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            try await server.stream(server.journal.waiter("/later")).end()
            #expect(try await client.read(upTo: "0\r\n\r\n") == Self.head + "0\r\n\r\n")
        }
    }

    @Test(
        "ends with the connection where that is to close, by its own or for want of chunks", arguments: ["1.1", "1.0"])
    func closes(version: String) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send("GET /later HTTP/\(version)\r\nHost: a\r\nConnection: close\r\n\r\n")
            let writer = try await server.stream(server.journal.waiter("/later"))
            writer.write("all")
            let head = try await client.read(upTo: "\r\n\r\n")
            #expect(head.contains("Connection: close\r\n"))
            #expect(head.contains("chunked") == (version == "1.1"))
            writer.end()
            #expect(try await client.remainder() == (version == "1.1" ? "3\r\nall\r\n0\r\n\r\n" : "all"))
        }
    }

    @Test("that breaks off ends without its last chunk")
    func breaks() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            var writer: PipeWriter? = try await server.stream(server.journal.waiter("/later"))
            writer?.write("some")
            _ = try await client.read(upTo: "some\r\n")
            writer = nil
            #expect(try await client.remainder() == "")
        }
    }

    enum Leaving: CaseIterable { case close, reset, halfClose, beforeHead, afterPipelining }

    @Test("is not wanted any more when the client has gone", arguments: Leaving.allCases)
    func leaves(_ how: Leaving) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later") + (how == .afterPipelining ? get("/behind") : ""))
            let waiter = try await server.journal.waiter("/later")
            if how == .beforeHead { client.closeWriting() }
            let writer = try await server.stream(waiter)
            if how != .beforeHead { _ = try await client.read(upTo: "\r\n\r\n") }
            switch how {
            case .close, .afterPipelining: client.close()
            case .reset: client.reset()
            case .halfClose: client.closeWriting()
            case .beforeHead: break
            }
            try await server.journal.wait("the end of the stream") { writer.isClosed }
            try await server.empty()
        }
    }

    @Test("is held up by a client that reads slowly, and counts as unsent meanwhile")
    func slowReader() async throws {
        let size = 8 << 20
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 16_384)
            try await client.send(get("/later"))
            let writer = try await server.stream(server.journal.waiter("/later"))
            async let written: Void = writer.write(count: size)
            try await server.journal.wait("the pipe to fill") { writer.awaitsRoom() }
            try await server.journal.wait(ticks: 2)
            let most = BytePipe.capacity + 2 * BytePipe.maxPart
            #expect((BytePipe.capacity / 2...most).contains(server.server.unsentBytes))
            var read = 0
            while read < size {
                let count = try await client.skip(atMost: 100_000)
                guard count > 0 else { break }
                read += count
                #expect(server.server.unsentBytes <= most)
            }
            await written
            #expect(read >= size)
            writer.end()
            _ = try await client.read(upTo: "0\r\n\r\n")
            try await server.journal.wait(ticks: 2)
            #expect(server.server.unsentBytes == 0)
        }
    }

    @Test("ends for a client that reads nothing in time, and not for want of content")
    func deadlines() async throws {
        try await withServer { server in
            let client = try await server.connect(receiveBuffer: 4096)
            try await client.send(get("/later"))
            let writer = try await server.stream(server.journal.waiter("/later"))
            try await server.tick(ahead: 100_000)
            #expect(!writer.isClosed)
            async let written: Void = writer.write(count: 64 << 20)
            try await server.journal.wait("the pipe to fill") { writer.awaitsRoom() }
            try await server.ticking(ahead: 100) {
                try await server.journal.wait("the end") { server.journal.dropped == [.unreadAnswer] }
            }
            await written
            #expect(writer.isClosed)
            client.close()
        }
    }

    @Test("makes way where unsent answers take too much memory")
    func relief() async throws {
        try await withServer({ $0.maxUnsentBytes = 100_000 }) { server in
            let client = try await server.connect(receiveBuffer: 4096)
            try await client.send(get("/later"))
            let writer = try await server.stream(server.journal.waiter("/later"))
            await writer.write(count: 64 << 20)
            #expect(server.journal.dropped == [.unsentLimit])
            client.close()
        }
    }

    @Test(
        "ends when the server has drained for long enough, and its connection is not used again",
        arguments: [true, false])
    func drain(ends: Bool) async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/later"))
            let writer = try await server.stream(server.journal.waiter("/later"))
            writer.write("some")
            _ = try await client.read(upTo: "some\r\n")
            async let drained = server.server.shutDown(timeout: ends ? 20_000_000_000 : 200_000_000)
            try await server.draining()
            if ends { writer.end() }
            #expect(try await client.remainder() == (ends ? "0\r\n\r\n" : ""))
            #expect(await drained == ends)
            #expect(ends || writer.isClosed)
        }
    }
}

@Suite("A streamed answer over HTTP/2", .timeLimit(.minutes(1)))
struct StreamedHTTP2AnswerTests {
    @Test("arrives part by part beside others, and ends in order")
    func inOrder() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/later")
            let writer = try await server.stream(server.journal.waiter("/later"))
            writer.write("first")
            let first = try await client.record(id) { $0.text == "first" }
            #expect(first.status == 200)
            #expect(first["content-type"] == ["text/event-stream"])
            #expect(first["transfer-encoding"] == [])
            #expect(!first.hasEnded)
            #expect(try await client.answer(client.request("/beside")).text == "/beside:")
            writer.write(" second")
            writer.end()
            let all = try await client.answer(id)
            #expect(all.text == "first second")
            #expect(all.hasEnded)
            await client.close()
        }
    }

    @Test("that breaks off is reset")
    func breaks() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/later")
            var writer: PipeWriter? = try await server.stream(server.journal.waiter("/later"))
            writer?.write("some")
            _ = try await client.record(id) { $0.text == "some" }
            writer = nil
            let answer = try await client.answer(id)
            #expect(answer.reset == .internalError)
            #expect(!answer.hasEnded)
            #expect(try await client.answer(client.request("/alive")).text == "/alive:")
            await client.close()
        }
    }

    @Test("is not wanted any more when the client has reset it or has gone", arguments: [true, false])
    func leaves(resets: Bool) async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/later")
            let writer = try await server.stream(server.journal.waiter("/later"))
            _ = try await client.record(id) { $0.status == 200 }
            if resets { try await client.send(id, .rstStream(.cancel)) } else { await client.close() }
            try await server.journal.wait("the end of the stream") { writer.isClosed }
            await client.close()
        }
    }

    @Test("is held up by a client that gives it no window, without holding up others, and in time is reset")
    func heldUp() async throws {
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port, window: 1000, refills: false)
            let id = try await client.request("/later")
            let writer = try await server.stream(server.journal.waiter("/later"))
            async let written: Void = writer.write(count: 64 << 20)
            try await server.journal.wait("the pipe to fill") { writer.awaitsRoom() }
            try await server.journal.wait(ticks: 2)
            let most = BytePipe.capacity + 2 * BytePipe.maxPart
            #expect((BytePipe.capacity / 2...most).contains(server.server.unsentBytes))
            #expect(try await client.answer(client.request("/beside")).text == "/beside:")
            try await server.ticking(ahead: 100) {
                let answer = try await client.answer(id)
                #expect(answer.reset == .cancel)
            }
            await written
            #expect(writer.isClosed)
            await client.close()
        }
    }

    @Test("passes whole, and is counted no more then")
    func large() async throws {
        let size = 4 << 20
        try await withServer { server in
            let client = try await HTTP2Client.connect(port: server.port)
            let id = try await client.request("/later")
            let writer = try await server.stream(server.journal.waiter("/later"))
            await writer.write(count: size)
            writer.end()
            #expect(try await client.answer(id).content.count == size)
            try await server.journal.wait(ticks: 2)
            #expect(server.server.unsentBytes == 0)
            await client.close()
        }
    }
}
