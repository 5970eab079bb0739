import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

@testable import HTTPFront

/// A client that speaks TLS.
struct SecureClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    /// Connects to a server that an authority has signed, and completes the handshake.
    static func connect(
        port: Int, trusting authority: TestCertificates.Pair, as pair: TestCertificates.Pair? = nil,
        _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> SecureClient {
        var configuration = try configuration(trusting: authority, as: pair)
        change(&configuration)
        let context = try NIOSSLContext(configuration: configuration)
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    try pipeline.addHandler(Inbox.Handler(inbox, describe: Self.describe))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        let client = SecureClient(channel: channel, inbox: inbox)
        _ = try await inbox.handshake()
        return client
    }

    /// Trusts what an authority has signed, and shows a certificate of the client's.
    static func configuration(
        trusting authority: TestCertificates.Pair, as pair: TestCertificates.Pair? = nil
    ) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority.certificate)
        if let pair {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(pair.certificate).map {
                .certificate($0)
            }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: pair.key, format: .pem))
        }
        return configuration
    }

    private static func describe(_ event: Any) -> String? {
        guard case .handshakeCompleted(let name) = event as? TLSUserEvent else { return nil }
        return name ?? ""
    }

    /// The protocol that was agreed on by ALPN, or "".
    var protocolName: String {
        get async throws { try await inbox.handshake() }
    }

    /// The common name of the server's certificate.
    var serverName: String {
        get async throws {
            let certificate = try await channel.nioSSL_peerCertificate().get()
            return try PeerCertificate(der: certificate?.toDERBytes() ?? []).subject
        }
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes(text))) }

    func answer() async throws -> Answer { try await inbox.answer() }

    /// Connects no more, and reads what comes before the server ends its output.
    func remainder() async throws -> String { try await inbox.remainder() }

    /// Says that no more requests come: a closing alert, and the end of the stream.
    func closeWriting() async throws { try await channel.close(mode: .output) }

    func close() async { try? await channel.close() }

    /// Reads nothing until it is told to go on.
    func setReading(_ reads: Bool) async throws { try await channel.setOption(.autoRead, value: reads).get() }
}
