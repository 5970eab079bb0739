internal import NIOSSL
internal import Primitives

/// How TLS connections are verified. The files are PEM; they are read anew for each connection, so replaced ones are used from the next
/// connection on. The server's certificate is always verified in full, its name included.
public struct RedisTLS: Sendable, Equatable {
    /// The path of the certificate authorities that may sign the server's certificate; `nil` for the system's.
    public var caBundle: String?
    /// The paths of the client's certificate, followed in the file by those that lead to its authority, and of its key.
    public var certificate: String?
    public var key: String?
    /// The name that the server's certificate must have, also sent as SNI; `nil` for the host of the connection.
    public var serverName: String?

    public init(
        caBundle: String? = nil, certificate: String? = nil, key: String? = nil, serverName: String? = nil
    ) {
        self.caBundle = caBundle
        self.certificate = certificate
        self.key = key
        self.serverName = serverName
    }

    /// Reads the files as a connection does.
    ///
    /// - Throws: `RedisSettingsFault` if they cannot be used.
    public func check() throws(RedisSettingsFault) { _ = try makeContext() }

    /// The context of a connection, from the files as they are now. It blocks for as long as the file system does.
    func makeContext() throws(RedisSettingsFault) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let caBundle { configuration.trustRoots = .certificates(try Self.certificates(caBundle)) }
        if let certificate {
            guard let key else {
                throw RedisSettingsFault(certificate, "the certificate has no key beside it; name its key")
            }
            configuration.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
            let bytes = try Self.read(key)
            do {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .pem))
            } catch {
                throw RedisSettingsFault(key, "holds no private key in PEM form that can be read without a passphrase")
            }
        } else if let key {
            throw RedisSettingsFault(key, "the key has no certificate beside it; name its certificate")
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw RedisSettingsFault(certificate ?? caBundle ?? "tls", "the certificate cannot be used with its key")
        }
    }

    /// Far above the size of any collection of authorities.
    private static let maxBytes = 16 << 20

    private static func read(_ file: String) throws(RedisSettingsFault) -> [UInt8] {
        do throws(RegularFile.Fault) { return try RegularFile.read(file, atMost: maxBytes) } catch {
            throw RedisSettingsFault(file, "\(error)")
        }
    }

    private static func certificates(_ file: String) throws(RedisSettingsFault) -> [NIOSSLCertificate] {
        let bytes = try read(file)
        let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes)
        guard let certificates, !certificates.isEmpty else {
            throw RedisSettingsFault(file, "holds no certificate in PEM form")
        }
        return certificates
    }
}
