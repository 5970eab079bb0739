/// A range of IP addresses with a common prefix (RFC 4632, section 3.1; RFC 4291, section 2.3).
public struct IPNetwork: Sendable, Hashable {
    private let address: IPAddress
    /// The number of bits that all addresses of it share.
    private let prefix: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address.
    ///
    /// - Returns: `nil` for any other text, and for an address that has bits beyond its prefix: that is a mistake in one of the two.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first.utf8) else { return nil }
        self.address = address
        let most = address.bytes.count * 8
        guard parts.count == 2 else {
            prefix = most
            return
        }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(\.isDigit), let length = Int(parts[1]),
            length <= most
        else { return nil }
        prefix = length
        let isWhole = (0..<most).allSatisfy { bit in
            bit < length || address.bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) == 0
        }
        guard isWhole else { return nil }
    }

    /// Returns true if an address is one of it. An IPv4 address that is mapped into IPv6 (RFC 4291, section 2.5.5.2) counts as the IPv4 address.
    public func contains(_ other: IPAddress) -> Bool {
        let bytes = other.unmapped.bytes
        let own = address.bytes
        guard bytes.count == own.count else { return false }
        let whole = prefix / 8
        guard bytes[..<whole].elementsEqual(own[..<whole]) else { return false }
        let rest = UInt8(prefix % 8)
        return rest == 0 || (bytes[whole] ^ own[whole]) & ~(0xff >> rest) == 0
    }
}

extension IPAddress {
    /// The IPv4 address that is mapped into this one of IPv6, or itself.
    public var unmapped: IPAddress {
        guard bytes.count == 16, bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) else { return self }
        return IPAddress(bytes: Array(bytes[12...])) ?? self
    }
}
