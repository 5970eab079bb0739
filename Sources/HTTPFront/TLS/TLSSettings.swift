internal import NIOCore
internal import NIOSSL

/// How a listener secures its connections. The files are PEM; they are read anew when they change.
public struct TLSSettings: Sendable, Equatable {
    /// The path of the server's certificate, followed in the file by those that lead from it to a root that clients know.
    public var certificate: String
    /// The path of the certificate's private key, not encrypted.
    public var key: String
    /// The path of the certificate authorities that may sign client certificates. Without it clients are not asked for a certificate;
    /// with it a certificate that a client shows must be signed by one of them.
    public var clientCA: String?
    /// True if a client that shows no certificate is refused in the handshake. Needs `clientCA`.
    public var requiresClientCertificate: Bool

    public init(
        certificate: String, key: String, clientCA: String? = nil, requiresClientCertificate: Bool = false
    ) {
        self.certificate = certificate
        self.key = key
        self.clientCA = clientCA
        self.requiresClientCertificate = requiresClientCertificate
    }
}

extension TLSSettings {
    /// Reads the files as a listener does.
    ///
    /// - Throws: `TLSError` if they cannot be used.
    public func check() throws(TLSError) { _ = try ListenerCertificates(self, offersHTTP2: true) { _ in } }
}

/// The reason why the files of a listener cannot be used, for the operator.
public struct TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path of the file at fault.
    public let file: String
    /// The fault, as a clause that follows the file's path.
    public let what: String

    public var description: String { "\(file): \(what)" }
}

extension TLSSettings {
    /// The context of new handshakes, from the files as they are now, and when the first of the chain's certificates ends to be valid, in
    /// seconds since 1970-01-01T00:00:00Z.
    ///
    /// - Throws: `TLSError` if a file cannot be read or used.
    func makeContext(offersHTTP2: Bool) throws(TLSError) -> (context: NIOSSLContext, expiry: Int64) {
        let chain = try Self.certificates(certificate)
        // A chain is of no more use when any of its certificates is over.
        let expiry = chain.map { Int64($0.notValidAfter) }.min() ?? 0
        let key = try Self.key(key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.cipherSuiteValues = Self.cipherSuites
        configuration.applicationProtocols = offersHTTP2 ? ["h2", "http/1.1"] : ["http/1.1"]
        configuration.shutdownTimeout = .seconds(2)
        if let clientCA {
            configuration.trustRoots = .certificates(try Self.certificates(clientCA))
            configuration.certificateVerification =
                requiresClientCertificate ? .noHostnameVerification : .optionalVerification
            configuration.sendCANameList = true
        } else if requiresClientCertificate {
            throw TLSError(
                file: certificate, what: "client certificates cannot be required without a clientCA to verify them")
        }
        do {
            return (try NIOSSLContext(configuration: configuration), expiry)
        } catch {
            throw TLSError(file: certificate, what: "cannot be used together with the key in \(self.key)")
        }
    }

    /// The suites of TLS 1.2 with forward secrecy and authenticated encryption (RFC 9325, section 4.2). TLS 1.3 has no other suites.
    private static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    private static func certificates(_ file: String) throws(TLSError) -> [NIOSSLCertificate] {
        let bytes = try TLSFile.read(file)
        let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes)
        guard let certificates, !certificates.isEmpty else {
            throw TLSError(file: file, what: "holds no certificate in PEM form")
        }
        return certificates
    }

    private static func key(_ file: String) throws(TLSError) -> NIOSSLPrivateKey {
        let bytes = try TLSFile.read(file)
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSError(file: file, what: "holds no private key in PEM form that can be read without a passphrase")
        }
    }
}
