internal import NIOCore
public import Primitives

/// The proxies whose word about their clients is taken.
public struct TrustedProxies: Sendable, Equatable {
    private let networks: [IPNetwork]
    private let trustsUnixSockets: Bool

    /// - Parameters:
    ///   - networks: the addresses of the proxies.
    ///   - trustsUnixSockets: true if whoever connects by a Unix socket is one.
    public init(_ networks: [IPNetwork] = [], trustsUnixSockets: Bool = false) {
        self.networks = networks
        self.trustsUnixSockets = trustsUnixSockets
    }

    var isEmpty: Bool { networks.isEmpty && !trustsUnixSockets }

    public func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    func contains(_ address: SocketAddress?) -> Bool {
        if case .unixDomainSocket = address { return trustsUnixSockets }
        guard let text = address?.ipAddress, let address = IPAddress(text.utf8) else { return false }
        return contains(address)
    }

    /// The client of a request that such a proxy forwards: in the values of `X-Forwarded-For`, to which each proxy appends the address that it
    /// sees, the last one that is no proxy's, or else the first. What stands before it may be made up.
    ///
    /// - Parameter values: in the order of the request.
    /// - Returns: `nil` if there is none, or if something that is no address stands where it should be.
    public func client(forwardedFor values: [[UInt8]]) -> IPAddress? {
        var first: IPAddress?
        for word in Array(values.joined(separator: [UInt8(ascii: ",")])).split(
            separator: UInt8(ascii: ","), omittingEmptySubsequences: false
        ).reversed() {
            guard let address = Self.address(word) else { return nil }
            if !contains(address) { return address }
            first = address
        }
        return first
    }

    /// An address, perhaps with a port behind it, as some proxies write it.
    private static func address(_ word: ArraySlice<UInt8>) -> IPAddress? {
        let bytes = Array(word)
        let range = bytes.span.trimmed(0..<bytes.count)
        var text = bytes[range]
        if text.first == UInt8(ascii: "["), let end = text.firstIndex(of: UInt8(ascii: "]")) {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.count(where: { $0 == UInt8(ascii: ":") }) == 1,
            let colon = text.firstIndex(of: UInt8(ascii: ":"))
        {
            text = text[..<colon]
        }
        return IPAddress(text)?.unmapped
    }
}
