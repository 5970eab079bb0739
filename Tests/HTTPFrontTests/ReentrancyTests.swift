import NIOCore
import NIOEmbedded
import Primitives
import TestSupport
import Testing

@testable import HTTPFront

/// Calls back into the connection from each of its actions, as a channel may do: with bytes, the end of input, errors, the end.
private final class Reenterer: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private var generator: SeededGenerator
    private var depth = 0
    let bytes: (inout SeededGenerator) -> [UInt8]
    var callbacks = 0

    init(seed: UInt64, bytes: @escaping (inout SeededGenerator) -> [UInt8]) {
        generator = SeededGenerator(seed: seed)
        self.bytes = bytes
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        callBack(context)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        callBack(context)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        callBack(context)
        // Half of the channel is as good as all of it here.
        context.close(mode: .all, promise: promise)
    }

    private func callBack(_ context: ChannelHandlerContext) {
        guard depth < 6, context.channel.isActive else { return }
        depth += 1
        defer { depth -= 1 }
        callbacks += 1
        switch Int.random(in: 0..<12, using: &generator) {
        case 0, 1, 2:
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes(&generator))))
            context.fireChannelReadComplete()
        case 3: context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case 4: context.fireErrorCaught(ChannelError.eof)
        case 5: context.fireChannelWritabilityChanged()
        case 6: context.close(promise: nil)
        default: break
        }
    }
}

@Suite("Events in the midst of events", .timeLimit(.minutes(2)))
struct ReentrancyTests {
    /// What clients send, whole and in pieces, of either protocol.
    private static func piece(_ generator: inout SeededGenerator) -> [UInt8] {
        let pieces = [
            get("/a"), get("/b") + get("/c"), get("/large/20000"), get("/close"), get("/later"),
            post("Content-Length: 4\r\n", "1234"),
            post("Content-Length: 10\r\n", "123"), "4567890", "GET / HT", "TP/1.1\r\nHost: a\r\n\r\n", "\u{0}",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            String(repeating: get("/n"), count: 40),
        ].map(bytes)
        let frames = [
            [0, 0, 0, 4, 0, 0, 0, 0, 0], RawFrame.frame(type: 1, flags: 5, stream: 1, RawFrame.get("/a")),
            RawFrame.frame(type: 1, flags: 5, stream: 3, RawFrame.get("/large/40000")),
            RawFrame.frame(type: 1, flags: 5, stream: 5, RawFrame.get("/later")),
            RawFrame.frame(type: 3, flags: 0, stream: 5, [0, 0, 0, 8]),
        ]
        return (Bool.random(using: &generator) ? pieces : frames).randomElement(using: &generator) ?? []
    }

    @Test("wait until those have been handled: a hundred thousand steps, and each connection gives back what it had")
    func random() throws {
        let eventLoop = EmbeddedEventLoop()
        let limits = HTTPLimits()
        let limiter = ConnectionLimiter(limits: limits)
        let unsent = UnsentLedger(maxBytes: limits.maxUnsentBytes)
        let journal = Journal()
        let loop = ServerLoop<TestResponder>(
            index: 0, eventLoop: eventLoop, limits: limits, limiter: limiter, unsent: unsent,
            wallClock: { WallInstant(seconds: 1_700_000_000) }
        ) { _ in TestResponder(journal: journal) }
        var (steps, callbacks, seed) = (0, 0, 0 as UInt64)
        while steps + callbacks < 100_000 {
            seed += 1
            var generator = SeededGenerator(seed: seed)
            let reenterer = Reenterer(seed: seed &+ 1_000_000, bytes: Self.piece)
            let channel = EmbeddedChannel(loop: eventLoop)
            try channel.pipeline.syncOperations.addHandlers(reenterer, Connection(loop: loop, isSecured: false))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            if seed % 3 == 0 {
                channel.pipeline.fireChannelRead(ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
            }
            for _ in 0..<Int.random(in: 1...12, using: &generator) where channel.isActive {
                steps += 1
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
                case 1: eventLoop.advanceTime(by: .milliseconds(1))
                case 2: channel.pipeline.fireChannelWritabilityChanged()
                default:
                    channel.pipeline.fireChannelRead(ByteBuffer(bytes: Self.piece(&generator)))
                    channel.pipeline.fireChannelReadComplete()
                }
                eventLoop.run()
            }
            if channel.isActive { channel.close(promise: nil) }
            eventLoop.advanceTime(by: .milliseconds(1))
            callbacks += reenterer.callbacks
            #expect(limiter.total == 0, "after the connection of seed \(seed)")
            #expect(unsent.total == 0, "after the connection of seed \(seed)")
            journal.clear()
        }
        #expect(callbacks > 20_000)
    }
}

extension ReentrancyTests {
    /// Sends more requests when the first answer is written.
    private final class Impatient: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer

        private var hasCalledBack = false

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            context.write(data, promise: promise)
            guard !hasCalledBack else { return }
            hasCalledBack = true
            context.fireChannelRead(wrapInboundOut(ByteBuffer(string: get("/behind/1") + get("/behind/2"))))
        }
    }

    @Test("that bring more requests, while answers are sent, are handled after those")
    func batch() throws {
        let connection = try EmbeddedConnection({ _ in }, behind: Impatient())
        connection.send((1...20).map { get("/large/\(16_000 + $0)") }.joined())
        for number in 1...20 { #expect(try connection.answer()?.contentBytes.count == 16_000 + number) }
        for number in 1...2 { #expect(try connection.answer()?.content == "/behind/\(number):") }
        #expect(try connection.answer() == nil)
    }
}
