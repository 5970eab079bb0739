internal import Glibc

/// An IP address as its bytes in network order: 4 of IPv4, 16 of IPv6.
public struct IPAddress: Sendable, Hashable {
    public let bytes: [UInt8]

    /// - Returns: `nil` unless there are 4 or 16.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads four decimal octets without leading zeros, or a form of RFC 4291, section 2.2. There are no brackets and no zone.
    public init?(_ text: some Collection<UInt8>) {
        guard text.count <= 45, text.allSatisfy({ $0.isHexDigit || ":.".utf8.contains($0) }) else { return nil }
        let isIPv6 = text.contains(UInt8(ascii: ":"))
        let text = text.map { CChar(bitPattern: $0) } + [0]
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        // Unsafe only in its pointers: the text ends in a zero, and as many bytes are there as the family has.
        guard unsafe inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        self.bytes = bytes
    }

    /// Decimal octets, or the form of RFC 5952.
    public var text: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        // Unsafe only in its pointers: the address has the bytes of its family, and the text ends in a zero within its memory.
        _ = unsafe inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// 127.0.0.0/8, also mapped into IPv6, and ::1 (RFC 6890).
    public var isLoopback: Bool {
        if bytes.count == 4 { return bytes[0] == 127 }
        if bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) { return bytes[12] == 127 }
        return bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// 0.0.0.0 and ::, with which a listener accepts at every address of the machine.
    public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
}
