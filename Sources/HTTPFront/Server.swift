internal import Locking
public import NIOCore
internal import NIOPosix

/// A listening HTTP server: one `ServerLoop` with a responder of its own on each event loop of a group.
public final class Server<R: Responder>: Sendable {
    /// The open connections.
    public let ledger: ConnectionLedger
    private let loops: [NIOLoopBound<ServerLoop<R>>]
    private let group: any EventLoopGroup
    private let channels = Locked<[any Channel]>([])

    /// Prepares the loops; nothing listens yet.
    ///
    /// - Parameters:
    ///   - wallClock: seconds since 1970-01-01T00:00:00Z.
    ///   - makeResponder: called once on each event loop.
    public init(
        group: any EventLoopGroup, limits: HTTPLimits, wallClock: @escaping @Sendable () -> Int64,
        makeResponder: @escaping @Sendable (ServerLoop<R>) -> R
    ) async throws {
        self.group = group
        let ledger = ConnectionLedger(limits: limits)
        self.ledger = ledger
        var loops: [NIOLoopBound<ServerLoop<R>>] = []
        for (index, eventLoop) in group.makeIterator().enumerated() {
            let bound = try await eventLoop.submit {
                let loop = ServerLoop(
                    index: Int32(clamping: index), eventLoop: eventLoop, limits: limits, ledger: ledger,
                    wallClock: wallClock, makeResponder: makeResponder)
                loop.start()
                return NIOLoopBound(loop, eventLoop: eventLoop)
            }.get()
            loops.append(bound)
        }
        self.loops = loops
    }

    /// Binds and listens.
    ///
    /// - Returns: the bound address, with the port that the system chose if `port` was 0.
    /// - Throws: the system's error, for example if the address is in use.
    public func listen(host: String, port: Int) async throws -> SocketAddress? {
        let loops = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 16_384)
            )
            .childChannelInitializer { channel in
                guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(loop: loop.value))
                }
            }
            .bind(host: host, port: port).get()
        channels.withLock { $0.append(channel) }
        return channel.localAddress
    }

    /// Stops listening, closes idle connections, and waits until every other one has had its answer.
    ///
    /// - Parameter timeout: nanoseconds after which what is left is closed.
    /// - Returns: whether all connections ended by themselves.
    @discardableResult
    public func shutDown(timeout: Int64) async -> Bool {
        for channel in channels.withLock({ $0 }) { try? await channel.close() }
        let deadline = NIODeadline.now() + .nanoseconds(timeout)
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.drain() }.get()
        }
        while ledger.total > 0, NIODeadline.now() < deadline {
            // A cancelled sleep ends early and the loop goes on; the deadline bounds it all the same.
            try? await Task.sleep(for: .milliseconds(5))
        }
        let isEmpty = ledger.total == 0
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.stop() }.get()
        }
        return isEmpty
    }
}
