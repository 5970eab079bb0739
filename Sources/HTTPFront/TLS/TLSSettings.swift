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
