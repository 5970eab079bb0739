/// Who a client certificate, which was verified, says that the client is.
public struct PeerCertificate: Sendable, Equatable {
    /// The subject's name as RFC 4514 writes it, the most particular part first: `CN=dashboard,OU=Risk,O=Example`.
    public var subject: String
    /// The subject's other names, in the order of the certificate: DNS names, URIs, e-mail and IP addresses.
    public var subjectAlternativeNames: [String]

    public init(subject: String, subjectAlternativeNames: [String] = []) {
        self.subject = subject
        self.subjectAlternativeNames = subjectAlternativeNames
    }
}
