public import Primitives

/// The names in a client certificate that was verified.
public struct PeerCertificate: Sendable, Equatable {
    /// The subject, and then the alternative names (RFC 5280, section 4.2.1.6) in their order; those of other kinds than `Name` has
    /// are left out.
    public var names: [Name]

    public init(names: [Name]) { self.names = names }

    /// A name in a certificate. Two names are equal if their kinds and their bytes are: text that only looks the same differs, and so
    /// does the same text of another kind.
    public struct Name: Sendable, Hashable {
        private enum Kind {
            case subject, dns, uri, ip, email
        }

        private let kind: Kind
        let bytes: [UInt8]
    }
}

extension PeerCertificate.Name {
    /// A subject as RFC 4514 writes it, the most particular part first: `CN=dashboard,OU=Risk,O=Example`.
    public static func subject(_ text: some Sequence<UInt8>) -> Self { Self(kind: .subject, bytes: Array(text)) }

    /// A DNS name. The case of ASCII letters makes no difference (RFC 5280, section 7.2).
    public static func dns(_ text: some Sequence<UInt8>) -> Self { Self(kind: .dns, bytes: text.map(\.lowercased)) }

    /// A URI, every byte of which counts.
    public static func uri(_ text: some Sequence<UInt8>) -> Self { Self(kind: .uri, bytes: Array(text)) }

    public static func ip(_ address: IPAddress) -> Self { Self(kind: .ip, bytes: address.bytes) }

    /// An e-mail address. The case of ASCII letters makes no difference behind the `@` (RFC 5280, section 7.5).
    public static func email(_ text: some Sequence<UInt8>) -> Self {
        let text = Array(text)
        let domain = (text.lastIndex(of: UInt8(ascii: "@")) ?? text.endIndex)...
        return Self(kind: .email, bytes: text[..<domain.lowerBound] + text[domain].map(\.lowercased))
    }
}

extension PeerCertificate.Name: CustomStringConvertible {
    /// The kind and the name, such as `dns: dashboard.example.com`.
    public var description: String {
        guard kind == .ip else { return "\(kind): \(String(decoding: bytes, as: UTF8.self))" }
        return "ip: " + bytes.map { "\($0)" }.joined(separator: ".")
    }
}
