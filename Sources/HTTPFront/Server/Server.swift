internal import Glibc
internal import Locking
public import NIOCore
internal import NIOPosix
internal import NIOSSL
public import Primitives

/// A listening HTTP server: one `ServerLoop` with a responder of its own on each event loop of a group.
public final class Server<R: Responder>: Sendable {
    /// The open connections.
    public let limiter: ConnectionLimiter
    private let unsent: UnsentLedger
    private let loops: [NIOLoopBound<ServerLoop<R>>]
    private let group: any EventLoopGroup
    private let offersHTTP2: Bool
    private let proxies: TrustedProxies
    private let sendBufferBytes: Int
    let channels = Locked<[any Channel]>([])
    /// The Unix sockets that it has made.
    private let files = Locked<[String]>([])
    private let certificates = Locked<[ListenerCertificates]>([])
    private let watches = Locked<[RepeatedTask]>([])

    /// The bytes of answers that clients have not read yet; see `HTTPLimits.maxUnsentBytes`.
    public var unsentBytes: Int { unsent.total }

    /// Above so many unread bytes connections are closed; `.max` for no limit.
    public var maxUnsentBytes: Int { unsent.maxBytes }

    /// When the certificates of its listeners end to be valid, in seconds since 1970-01-01T00:00:00Z: the earliest; `nil` without TLS.
    public var certificateExpiry: Int64? { certificates.withLock { $0 }.map(\.expiry).min() }

    /// Prepares the loops without listening.
    ///
    /// - Parameter makeResponder: called once on each event loop.
    public init(
        group: any EventLoopGroup, limits: HTTPLimits, wallClock: @escaping @Sendable () -> WallInstant,
        makeResponder: @escaping @Sendable (ServerLoop<R>) -> R
    ) async throws {
        self.group = group
        offersHTTP2 = limits.maxStreams > 0
        proxies = limits.trustedProxies
        sendBufferBytes = limits.sendBufferBytes
        let limiter = ConnectionLimiter(limits: limits)
        self.limiter = limiter
        let unsent = UnsentLedger(maxBytes: limits.maxUnsentBytes)
        self.unsent = unsent
        var loops: [NIOLoopBound<ServerLoop<R>>] = []
        for (index, eventLoop) in group.makeIterator().enumerated() {
            let bound = try await eventLoop.submit {
                let loop = ServerLoop(
                    index: Int32(clamping: index), eventLoop: eventLoop, limits: limits, limiter: limiter,
                    unsent: unsent,
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
    /// The files of `tls` are checked every second, and read when they have changed; new connections use the new certificates.
    ///
    /// - Parameters:
    ///   - tls: secures the connections by TLS 1.2 or later; `nil` for connections without TLS.
    ///   - report: receives the result of every reading that a change of the files caused, on a thread that no request waits for. The old
    ///     certificates stay if the files cannot be used.
    /// - Returns: the bound address, with the port that the system chose if `port` was 0.
    /// - Throws: `TLSError` if the files cannot be used, or the system's error, for example if the address is in use.
    public func listen(
        host: String, port: Int, tls: TLSSettings? = nil,
        report: @escaping @Sendable (Result<Void, TLSError>) -> Void = { _ in }
    ) async throws -> SocketAddress? {
        try await listen(tls, report) { try await $0.bind(host: host, port: port).get() }
    }

    /// Binds a Unix socket and listens. The file of a socket that nobody listens on any more is replaced.
    ///
    /// - Parameters:
    ///   - path: of at most 107 bytes.
    ///   - mode: the file's permissions: who may write to it may connect.
    ///   - tls: as for `listen(host:port:tls:report:)`.
    /// - Returns: the socket's address.
    /// - Throws: `TLSError` if the files cannot be used, or the system's error, `EADDRINUSE` if another process listens there,
    ///   `ENOTSOCK` if the file is no socket.
    public func listen(
        path: String, mode: UInt32 = 0o660, tls: TLSSettings? = nil,
        report: @escaping @Sendable (Result<Void, TLSError>) -> Void = { _ in }
    ) async throws -> SocketAddress? {
        try UnixSocketFile.makeRoom(at: path)
        let address = try await listen(tls, report) { try await $0.bind(unixDomainSocketPath: path).get() }
        try UnixSocketFile.permit(mode, at: path)
        files.withLock { $0.append(path) }
        return address
    }

    /// Listens on a socket that another process has bound; see `InheritedSockets`. The server closes its descriptor when it shuts down; the
    /// descriptors of other processes stay open.
    ///
    /// - Parameter tls: as for `listen(host:port:tls:report:)`.
    /// - Returns: the socket's address.
    /// - Throws: `TLSError` if the files cannot be used, or the system's error.
    public func listen(
        descriptor: Int32, tls: TLSSettings? = nil,
        report: @escaping @Sendable (Result<Void, TLSError>) -> Void = { _ in }
    ) async throws -> SocketAddress? {
        try await listen(tls, report) { try await $0.withBoundSocket(NIOBSDSocket.Handle(descriptor)).get() }
    }

    /// Reads the files of all TLS listeners now.
    ///
    /// - Throws: the first `TLSError`; the old certificates of that listener stay.
    public func reloadCertificates() throws(TLSError) {
        var failure: TLSError?
        for certificates in certificates.withLock({ $0 }) {
            do throws(TLSError) { try certificates.reload() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func listen(
        _ tls: TLSSettings?, _ report: @escaping @Sendable (Result<Void, TLSError>) -> Void,
        bind: (ServerBootstrap) async throws -> any Channel
    ) async throws -> SocketAddress? {
        let certificates = try tls.map { try ListenerCertificates($0, offersHTTP2: offersHTTP2, report: report) }
        let loops = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        let proxies = proxies
        let sendBufferBytes = sendBufferBytes
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Without a free descriptor the listener stays readable, and accepting again at once would take all of a processor.
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let backoff = AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { _ in .milliseconds(100) }
                    try channel.pipeline.syncOperations.addHandler(backoff)
                }
            }
            // NIO sets TCP_NODELAY on each connection that it accepts.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: ReceiveSize())
            // One read at a time: NIO keeps memory for each.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                guard let loop = loops[ObjectIdentifier(channel.eventLoop)] else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
                }
                return channel.eventLoop.makeCompletedFuture {
                    if sendBufferBytes > 0 {
                        let size = SocketOptionValue(clamping: sendBufferBytes)
                        try? channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: size)
                    }
                    let pipeline = channel.pipeline.syncOperations
                    if !proxies.isEmpty, proxies.contains(channel.remoteAddress) {
                        try pipeline.addHandler(ProxyHeaderReader())
                    }
                    if let certificates {
                        try pipeline.addHandler(FirstByteWatch())
                        try pipeline.addHandler(NIOSSLServerHandler(context: certificates.context))
                    }
                    try pipeline.addHandler(Connection(loop: loop.value, isSecured: certificates != nil))
                }
            }
        let channel = try await bind(bootstrap)
        // Connections inherit this option from the listener. The kernel then keeps no more of an unread answer than this, its memory being
        // scarce, and a client that does not read is noticed sooner. The server works without the option too.
        try? await channel.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT)), value: 262_144).get()
        channels.withLock { $0.append(channel) }
        if let certificates { watch(certificates) }
        return channel.localAddress
    }

    /// Checks the files of a listener every second, on a thread that no request waits for.
    private func watch(_ certificates: ListenerCertificates) {
        self.certificates.withLock { $0.append(certificates) }
        let task = group.next().scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            // One check at a time: a file system that hangs must not take all threads.
            guard certificates.beginsLook() else { return }
            NIOThreadPool.singleton.submit { state in
                if case .active = state { certificates.reloadIfChanged() }
            }
        }
        watches.withLock { $0.append(task) }
    }

    /// Puts another responder in the place of each loop's, between two steps of its connections. Requests that were to be answered later
    /// are answered by the new one.
    ///
    /// - Parameter make: called once on each event loop, with its responder.
    public func replaceResponders(_ make: @escaping @Sendable (ServerLoop<R>, R) -> R) async {
        for loop in loops {
            try? await loop.eventLoop.submit {
                if let old = loop.value.responder { loop.value.use(make(loop.value, old)) }
            }.get()
        }
    }

    /// Uses other files for the listeners that are secured, for new handshakes.
    ///
    /// - Throws: `TLSError` if they cannot be used; the old certificates stay.
    public func useCertificates(_ tls: TLSSettings) throws(TLSError) {
        for certificates in certificates.withLock({ $0 }) { try certificates.use(tls) }
    }

    /// Goes on accepting, but tells each client that its connection ends: answers have `Connection: close`, HTTP/2 gets a GOAWAY. A load
    /// balancer needs time to learn that the server is to end; clients that it sends meanwhile are served.
    ///
    /// - Parameter grace: nanoseconds for which idle connections stay open.
    public func beginEnding(grace: Int64) async {
        let until = Clock.now() + grace
        for loop in loops { try? await loop.eventLoop.submit { loop.value.drain(graceUntil: until) }.get() }
    }

    /// NIO closes a connection whose listener closes while the connection is on its way to its event loop. So accepting stops first. Then
    /// the accepted connections go to their loop, back to the listener's loop, and to their own again, where they become active.
    private func stopListening() async {
        let channels = channels.withLock { $0 }
        for channel in channels { try? await channel.setOption(.autoRead, value: false).get() }
        for _ in 0..<2 {
            for loop in loops { try? await loop.eventLoop.submit {}.get() }
            for channel in channels { try? await channel.eventLoop.submit {}.get() }
        }
        for channel in channels { try? await channel.close() }
        for path in files.withLock({ $0 }) { UnixSocketFile.remove(path) }
    }

    /// The time before the end in which requests that still wait are answered and their connections close, in nanoseconds; a quarter at most.
    private static var lastAnswers: Int64 { 500_000_000 }

    /// Stops listening, closes idle connections, and waits until every other connection has received its answer. Shortly before the end of
    /// that time the responders answer what still waits; see `Responder.endIsNear`.
    ///
    /// - Parameters:
    ///   - timeout: nanoseconds after which the remaining connections are closed.
    ///   - grace: nanoseconds for which idle connections stay open, so that a request that is on its way still gets an answer, which is
    ///     then the last of its connection.
    /// - Returns: true if all connections ended by themselves.
    @discardableResult
    public func shutDown(timeout: Int64, grace: Int64 = 0) async -> Bool {
        for watch in watches.withLock({ $0 }) { watch.cancel() }
        await stopListening()
        let now = Clock.now()
        let end = group.next().makePromise(of: Void.self)
        // The promise is kept once; whatever comes later does nothing.
        let timer = end.futureResult.eventLoop.scheduleTask(in: .nanoseconds(timeout)) { end.succeed() }
        let last = loops.map { loop in
            loop.eventLoop.scheduleTask(in: .nanoseconds(timeout - min(timeout / 4, Self.lastAnswers))) {
                loop.value.endIsNear()
            }
        }
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.drain(graceUntil: now + min(grace, timeout)) }.get()
        }
        limiter.whenEmpty { end.succeed() }
        try? await end.futureResult.get()
        timer.cancel()
        for answers in last { answers.cancel() }
        let isEmpty = limiter.total == 0
        for loop in loops {
            try? await loop.eventLoop.submit { loop.value.stop() }.get()
        }
        return isEmpty
    }
}
