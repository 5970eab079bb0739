internal import HTTPFront
internal import Primitives

/// The names and addresses of a listener, and those of loopback.
///
/// Names are compared as bytes, in any case of their ASCII letters and with or without a final dot; addresses as addresses.
/// Ports make no difference.
public struct OwnHosts: Sendable {
    private enum Host: Hashable {
        case name([UInt8])
        case address(IPAddress)
    }

    private let hosts: Set<Host>
    /// In lower case.
    private let prefixes: [[UInt8]]
    private let hasLoopback: Bool

    /// - Parameters:
    ///   - hosts: each with or without a port; an IPv6 address with a port is in brackets.
    ///   - prefixes: words that SDKs put before the name of the host that they call, for operations that the service has other hosts
    ///     for; a name with one of them counts as the name without it.
    ///   - hasLoopback: true if `localhost` and the addresses of loopback are included.
    public init(_ hosts: [String], prefixes: [String] = [], hasLoopback: Bool = true) {
        self.prefixes = prefixes.map { $0.utf8.map(\.lowercased) }
        self.hosts = Set(
            hosts.map { host in
                IPAddress(host.utf8).map(Host.address) ?? Self.host(Array(host.utf8).span, 0..<host.utf8.count)
            })
        self.hasLoopback = hasLoopback
    }

    /// Returns true if an authority (`host[:port]`) names one of them.
    func contains(_ bytes: Span<UInt8>, _ authority: Range<Int>) -> Bool {
        if contains(exactly: authority, of: bytes) { return true }
        return prefixes.contains { prefix in
            guard authority.count > prefix.count else { return false }
            let start = authority.lowerBound + prefix.count
            return bytes.holds(anyCaseOf: prefix.span, at: authority.lowerBound..<start)
                && contains(exactly: start..<authority.upperBound, of: bytes)
        }
    }

    /// Returns true if an authority is an address of this machine: the one that its sender has connected to. A web page that points a name of its own
    /// here cannot have that in `Host`.
    static func isAddress(_ local: PeerAddress, _ bytes: Span<UInt8>, _ authority: Range<Int>) -> Bool {
        guard case .address(let address) = host(bytes, authority) else { return false }
        return PeerAddress(address.unmapped) == local
    }

    private func contains(exactly authority: Range<Int>, of bytes: Span<UInt8>) -> Bool {
        let host = Self.host(bytes, authority)
        if hosts.contains(host) { return true }
        guard hasLoopback else { return false }
        return switch host {
        case .name(let name): name == Array("localhost".utf8)
        case .address(let address): address.isLoopback
        }
    }

    private static func host(_ bytes: Span<UInt8>, _ authority: Range<Int>) -> Host {
        var text: [UInt8] = []
        var isBracketed = false
        for index in authority {
            let byte = bytes[index]
            if byte == UInt8(ascii: "[") { isBracketed = true }
            if byte == UInt8(ascii: "]") { isBracketed = false }
            if byte == UInt8(ascii: ":"), !isBracketed { break }
            text.append(byte.lowercased)
        }
        if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]"),
            let address = IPAddress(text.dropFirst().dropLast())
        {
            return .address(address)
        }
        if let address = IPAddress(text) { return .address(address) }
        if text.count > 1, text.last == UInt8(ascii: ".") { text.removeLast() }
        return .name(text)
    }
}
