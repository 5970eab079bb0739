/// Which texts name a host, and which of them mean this machine alone.
enum Host {
    /// An IPv4 address, a name, or an IPv6 address without its brackets.
    static func isValid(_ host: String) -> Bool {
        host.contains(":") ? ipv6(host) != nil : endsInNumber(host) ? ipv4(host) != nil : isName(host)
    }

    /// Whether only this machine reaches a listener there. Of the names, `localhost` alone is believed (RFC 6761, 6.3).
    static func isLoopback(_ host: String) -> Bool {
        if lowercased(host).utf8.elementsEqual("localhost".utf8) { return true }
        if let octets = ipv4(host) { return octets[0] == 127 }
        guard let groups = ipv6(host) else { return false }
        let mappedIPv4 = groups[..<5].allSatisfy { $0 == 0 } && groups[5] == 0xFFFF
        return groups == [0, 0, 0, 0, 0, 0, 0, 1] || mappedIPv4 && groups[6] >> 8 == 127
    }

    /// With small letters in place of ASCII's capitals, and of no others: U+212A, the sign of kelvin, is no `k`.
    static func lowercased(_ host: String) -> String {
        String(decoding: host.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// As it stands before a port.
    static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    /// Letters, digits and inner hyphens in labels of at most 63 bytes, 253 in all (RFC 1123, 2.1); underscores too,
    /// since container networks use them.
    private static func isName(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_".utf8.contains($0) }
        }
    }

    /// Such a host is an IPv4 address or nothing: resolvers read `127.1`, `0` and `0x7f000001` as addresses too, and
    /// what they make of them must not depend on who asks (WHATWG URL, "ends in a number").
    private static func endsInNumber(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last?.utf8 else { return false }
        return last.allSatisfy(\.isDigit) || last.starts(with: "0x".utf8) || last.starts(with: "0X".utf8)
    }

    /// Four decimal octets without leading zeros.
    private static func ipv4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let octets = parts.compactMap { part in
            (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(\.isDigit) && (part == "0" || part.first != "0")
                ? UInt8(part) : nil
        }
        return parts.count == 4 && octets.count == 4 ? octets : nil
    }

    /// Eight groups (RFC 4291, 2.2), without a zone.
    private static func ipv6(_ text: String) -> [UInt16]? {
        guard text.utf8.count <= 45 else { return nil }
        guard let gap = text.firstRange(of: "::") else {
            return groups(text[...]).flatMap { $0.count == 8 ? $0 : nil }
        }
        guard let before = groups(text[..<gap.lowerBound], mayEndInIPv4: false),
            let after = groups(text[gap.upperBound...])
        else { return nil }
        let missing = 8 - before.count - after.count
        return missing >= 1 ? before + [UInt16](repeating: 0, count: missing) + after : nil
    }

    private static func groups(_ text: Substring, mayEndInIPv4: Bool = true) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (place, part) in zip(1..., parts) {
            if mayEndInIPv4, place == parts.count, part.contains("."), let octets = ipv4(String(part)) {
                groups += [UInt16(octets[0]) << 8 | UInt16(octets[1]), UInt16(octets[2]) << 8 | UInt16(octets[3])]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit) else { return nil }
            guard let group = UInt16(part, radix: 16) else { return nil }
            groups.append(group)
        }
        return groups
    }
}
