import NIOCore
import NIOPosix
import NIOSSL
import NIOTestSupport
import TestSupport

/// Speaks TLS in front of an origin that does not, and passes on what either side sends, and how it ends.
final class SecureFront: Sendable {
    /// How the client's side ends when the origin has closed.
    enum End: Sendable {
        /// As TLS wants it: with an alert that says so.
        case alert
        /// Without one, so that nobody can tell whether something was cut off.
        case bare
        /// By a reset.
        case reset
    }

    private let channel: any Channel

    /// - Parameters:
    ///   - origin: the port that it stands in front of.
    ///   - protocols: what it offers by ALPN, such as `h2`.
    ///   - newest: the newest version of TLS that it speaks.
    init(
        origin: UInt16, _ certificate: OriginCertificate, protocols: [String] = [], end: End = .alert,
        newest: TLSVersion = .tlsv13
    ) async throws {
        var settings = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate.certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem)))
        settings.applicationProtocols = protocols
        settings.minimumTLSVersion = .tlsv1
        settings.maximumTLSVersion = newest
        let context = try NIOSSLContext(configuration: settings)
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 512)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    let secure = NIOSSLServerHandler(context: context)
                    let relay = Relay(end)
                    try client.pipeline.syncOperations.addHandlers([secure, relay])
                }.flatMap {
                    ClientBootstrap(group: client.eventLoop)
                        .channelInitializer { origin in
                            origin.eventLoop.makeCompletedFuture {
                                let handler = try client.pipeline.syncOperations.handler(type: Relay.self)
                                let other = Relay(.alert)
                                handler.other = other
                                other.other = handler
                                try origin.pipeline.syncOperations.addHandler(other)
                            }
                        }
                        .connect(host: "127.0.0.1", port: Int(origin))
                        .flatMap { _ in client.setOption(.autoRead, value: true) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    var url: String { "https://localhost:\(channel.localAddress?.port ?? 0)" }

    func stop() async throws { try await channel.close() }
}

/// One side of a connection. Both are on the same event loop.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Not weak: each lets go of the other when it ends.
    var other: Relay?
    private var context: ChannelHandlerContext?
    private let end: SecureFront.End

    init(_ end: SecureFront.End) { self.end = end }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        let other = other
        self.other = nil
        other?.finish()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { other?.send(unwrapInboundIn(data)) }

    /// What follows comes as the end of the channel.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func send(_ bytes: ByteBuffer) { context?.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }

    /// The other side has ended.
    private func finish() {
        guard let context else { return }
        if case .alert = end { return context.close(promise: nil) }
        // Past the handler of TLS, which would say that it is the end.
        let secure = try? context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self)
        guard case .reset = end, let options = context.channel as? any SocketOptionProvider else {
            secure?.close(promise: nil)
            return
        }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            secure?.close(promise: nil)
        }
    }
}
