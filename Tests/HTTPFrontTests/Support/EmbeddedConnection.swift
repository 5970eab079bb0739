import NIOCore
import NIOEmbedded
import Primitives
import Testing

@testable import HTTPFront

/// A connection without a socket, whose clock a test turns on: no test of a deadline waits.
final class EmbeddedConnection {
    let journal = Journal()
    let loop: ServerLoop<TestResponder>
    private let eventLoop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let client = Client()
    private let start = Clock.now()
    /// The time of the last tick, in quarters of a second.
    private var quarters: Int64 = 0
    private var received: [UInt8] = []

    /// - Parameters:
    ///   - reads: false for a client that reads nothing.
    ///   - handler: a handler between the client and the connection.
    init(
        _ change: (inout HTTPLimits) -> Void, reads: Bool = true, behind handler: (any ChannelHandler)? = nil
    ) throws {
        var limits = HTTPLimits()
        change(&limits)
        let journal = journal
        loop = ServerLoop(
            index: 0, eventLoop: eventLoop, limits: limits, limiter: ConnectionLimiter(limits: limits),
            unsent: UnsentLedger(maxBytes: limits.maxUnsentBytes), wallClock: { WallInstant(seconds: 1_700_000_000) }
        ) { _ in TestResponder(journal: journal) }
        client.reads = reads
        channel = EmbeddedChannel(loop: eventLoop)
        try channel.pipeline.syncOperations.addHandlers(
            [client] + [handler].compactMap(\.self) + [Connection(loop: loop, isSecured: false)])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    /// True if the server has closed its side.
    var hasEnded: Bool { client.outputIsClosed || !channel.isActive }

    func send(_ text: String) {
        guard channel.isActive else { return }
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes(text)))
        channel.pipeline.fireChannelReadComplete()
        // Turns are due a little later.
        eventLoop.advanceTime(by: .milliseconds(10))
    }

    /// Lets the loop tick, four times a second, until so many seconds after the start.
    func tick(until seconds: Double) {
        while Double(quarters) < seconds * 4 {
            quarters += 1
            loop.tick(now: start + quarters * 250_000_000)
        }
        eventLoop.run()
    }

    /// The next answer; `nil` if there is none.
    func answer() throws -> Answer? {
        while let part = try channel.readOutbound(as: ByteBuffer.self) { received += part.readableBytesView }
        return try Answer.take(from: &received)
    }

    /// The client's side of the channel.
    private final class Client: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        var reads = true
        var outputIsClosed = false

        func flush(context: ChannelHandlerContext) { if reads { context.flush() } }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard mode == .output else { return context.close(mode: mode, promise: promise) }
            outputIsClosed = true
            promise?.succeed()
        }
    }
}
