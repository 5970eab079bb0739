internal import NIOCore

/// Who is at the other end of a connection.
public struct Peer: Sendable, Equatable {
    /// Whether it is on this machine.
    public var isLoopback: Bool
    /// What the responder said of the client's certificate; -1 without one.
    public var identity: Int32

    public init(isLoopback: Bool = false, identity: Int32 = -1) {
        self.isLoopback = isLoopback
        self.identity = identity
    }

    init(_ address: SocketAddress?) { self.init(isLoopback: address?.isLoopback ?? false) }
}

/// The names in a client's certificate, which has been verified.
public struct PeerCertificate: Sendable, Equatable {
    /// The subject in the form of RFC 4514, such as `CN=dashboard,O=Example`.
    public let subject: String
    /// The subject's alternative names: of DNS, URIs, mail and IP addresses, as texts.
    public let subjectAlternativeNames: [String]

    public init(subject: String, subjectAlternativeNames: [String]) {
        self.subject = subject
        self.subjectAlternativeNames = subjectAlternativeNames
    }
}

extension SocketAddress {
    /// Whether only this machine has it: 127.0.0.0/8, also when written as an IPv6 address, and ::1.
    fileprivate var isLoopback: Bool {
        if case .unixDomainSocket = self { return true }
        guard let text = ipAddress else { return false }
        return text.hasPrefix("127.") || text.hasPrefix("::ffff:127.") || text == "::1"
    }
}
