internal import NIOCore
internal import NIOSSL

extension TLSSettings {
    /// The context of new handshakes, from the files as they are now.
    ///
    /// - Throws: `TLSError` if a file cannot be read or used.
    func makeContext(offersHTTP2: Bool) throws(TLSError) -> NIOSSLContext {
        let chain = try Self.certificates(certificate)
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
            return try NIOSSLContext(configuration: configuration)
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
