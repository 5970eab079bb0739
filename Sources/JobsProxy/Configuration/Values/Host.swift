internal import HTTPFront
internal import Primitives

enum Host {
    /// An IPv4 address, a name, or an IPv6 address without its brackets.
    static func isValid(_ host: String) -> Bool {
        host.contains(":") || endsInNumber(host) ? IPAddress(host.utf8) != nil : isName(host)
    }

    /// Returns true if only this machine reaches a listener there. Of the names, only `localhost` counts (RFC 6761, 6.3).
    static func isLoopback(_ host: String) -> Bool {
        if lowercased(host).utf8.elementsEqual("localhost".utf8) { return true }
        return IPAddress(host.utf8)?.isLoopback ?? false
    }

    /// With small letters in place of ASCII's capitals.
    static func lowercased(_ host: String) -> String {
        String(decoding: host.utf8.map(\.lowercased), as: UTF8.self)
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

    /// Such a host must be an IPv4 address in full: resolvers read `127.1`, `0` and `0x7f000001` as addresses too, but not all
    /// alike (WHATWG URL, "ends in a number").
    private static func endsInNumber(_ host: String) -> Bool {
        guard let last = host.split(separator: ".").last?.utf8 else { return false }
        return last.allSatisfy(\.isDigit) || last.starts(with: "0x".utf8) || last.starts(with: "0X".utf8)
    }
}
