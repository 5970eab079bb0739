import NIOCore
import NIOEmbedded
import Primitives
import Testing

@testable import Redis

@Suite("A connection and the events that come within its steps")
struct ConnectionTests {
    private final class Journal: @unchecked Sendable {
        // `@unchecked` because: one thread uses it.
        var entries: [String] = []
    }

    /// Does something to the channel while something is written, before the write returns.
    private final class Interruption: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let body: (ChannelHandlerContext) -> Void
        init(_ body: @escaping (ChannelHandlerContext) -> Void) { self.body = body }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            context.write(data, promise: promise)
            body(context)
        }
    }

    private let journal = Journal()

    private func call(_ name: String, after seconds: Int64 = 60, then: @escaping @Sendable () -> Void = {}) -> RedisCall
    {
        let journal = journal
        return RedisCall(command: Array(name.utf8), deadline: .now + seconds * 1_000_000_000) { reply in
            switch reply {
            case .success(let value): journal.entries.append("\(name): \(value.text ?? "?")")
            case .failure(let error): journal.entries.append("\(name): \(error)")
            }
            then()
        }
    }

    private func channel(
        _ interruption: @escaping (ChannelHandlerContext) -> Void = { _ in }
    ) throws -> (EmbeddedChannel, RedisConnection) {
        let connection = RedisConnection(.init())
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([Interruption(interruption), connection])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let journal = journal
        connection.onEnd = { journal.entries.append("end: \($0)") }
        return (channel, connection)
    }

    @Test("a write that fails and closes the channel ends the call once")
    func failingWrite() throws {
        let (channel, connection) = try channel { $0.close(promise: nil) }
        connection.send([call("a"), call("b")])
        let lost = "the connection to Redis was lost: the server has closed it"
        #expect(journal.entries == ["a: \(lost)", "b: \(lost)", "end: \(lost)"])
        #expect(connection.reason == .connectionLost("the server has closed it"))
        connection.send([call("c")])
        #expect(journal.entries.last == "c: there is no connection to Redis")
        #expect(throws: ChannelError.alreadyClosed) { try channel.close().wait() }
    }

    @Test("a reply that comes before the write returns is the call's")
    func earlyReply() throws {
        let (channel, connection) = try channel { $0.pipeline.fireChannelRead(ByteBuffer(string: "+OK\r\n")) }
        connection.send([call("a")])
        #expect(journal.entries == ["a: OK"])
        _ = try channel.finish()
    }

    @Test("a completion may send, and close, while replies are read")
    func sendingCompletion() throws {
        let (channel, connection) = try channel()
        nonisolated(unsafe) let shared = connection
        let third = call("c")
        connection.send([call("a") { shared.send([third]) }, call("b") { shared.close() }, call("d")])
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "abd"))
        try channel.writeInbound(ByteBuffer(string: "+1\r\n+2\r\n"))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "c"))
        let closed = "the connection to Redis was closed by its owner"
        #expect(journal.entries == ["a: 1", "b: 2", "d: \(closed)", "c: \(closed)", "end: \(closed)"])
    }

    @Test("a call that is overdue before it is written is not sent")
    func overdue() throws {
        let (channel, connection) = try channel()
        connection.send([call("a", after: -1), call("b")])
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "b"))
        #expect(journal.entries == ["a: Redis has not replied in time"])
        try channel.writeInbound(ByteBuffer(string: "+1\r\n"))
        #expect(journal.entries.last == "b: 1" && connection.reason == nil)
        _ = try channel.finish()
    }

    @Test("a reply after its deadline is dropped and counted, and ends the connection")
    func late() throws {
        let (channel, connection) = try channel()
        let journal = journal
        connection.onLateReply = { journal.entries.append("late") }
        let call = RedisCall(command: [97], deadline: .now + 2_000_000) { _ in journal.entries.append("timeout") }
        connection.send([call, self.call("b")])
        while MonotonicInstant.now < call.deadline {}
        // The embedded event loop's clock stands still, so its timer has not fired.
        try channel.writeInbound(ByteBuffer(string: "+1\r\n+2\r\n"))
        #expect(journal.entries.prefix(2) == ["late", "timeout"])
        #expect(journal.entries.count == 4 && connection.reason == .timeout)
        #expect(!channel.isActive)
    }

    @Test("an error that names another server ends the connection after the replies that came with it")
    func elsewhere() throws {
        let (channel, connection) = try channel()
        connection.send([call("a"), call("b"), call("c")])
        try channel.writeInbound(ByteBuffer(string: "-READONLY no\r\n+2\r\n"))
        #expect(journal.entries.prefix(2) == ["a: Redis says: READONLY no", "b: 2"])
        #expect(journal.entries.count == 4 && journal.entries[2].contains("another server is looked for"))
        #expect(connection.reason == .server(RedisServerError("READONLY no".utf8)))
        #expect(!channel.isActive)
    }
}
