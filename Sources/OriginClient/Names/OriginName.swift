internal import Primitives

/// The name and port that connections of an endpoint go to: its own, or its proxy's.
struct OriginName: Equatable, Sendable {
    /// As the URL spells it: no address, and none that means this machine.
    let name: String
    let port: Int

    /// Nil for a numeric address or a loopback name, which need no lookup, and for a URL in an uncommon form, which is left to
    /// libcurl.
    init?(_ endpoint: Endpoint) {
        if let proxy = endpoint.proxy {
            // libcurl takes 1080 where a proxy names no port.
            self.init(url: proxy, port: 1080)
        } else {
            self.init(url: endpoint.url, port: endpoint.isTLS ? 443 : 80)
        }
    }

    /// - Parameter port: the one that is meant if the URL names none.
    private init?(url: String, port: Int) {
        guard RequestTarget(url: url) != nil else { return nil }
        let pieces = url.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard pieces.count > 2, let authority = pieces[2].split(separator: UInt8(ascii: "?")).first else { return nil }
        let parts = authority.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init)
        guard let host = parts.first, parts.count <= 2, !Self.isAddress(host), !Self.isLoopback(host) else {
            return nil
        }
        var number: Int? = port
        if parts.count == 2 {
            let digits = parts[1]
            number = digits.span.decimal(0..<digits.count)
        }
        guard let number, (1...65535).contains(number) else { return nil }
        name = String(decoding: host, as: UTF8.self)
        self.port = number
    }

    /// Returns true if a host is an address: in brackets, or one whose last label is a number (WHATWG URL, "ends in a number").
    private static func isAddress(_ host: [UInt8]) -> Bool {
        guard host.first != UInt8(ascii: "[") else { return true }
        let last = host.split(separator: UInt8(ascii: ".")).last ?? []
        if last.allSatisfy(\.isDigit) { return true }
        return Array(last).span.hasPrefix("0x")
    }

    /// Returns true if a host is `localhost` or below it, which libcurl does not look up (RFC 6761 section 6.3).
    private static func isLoopback(_ host: [UInt8]) -> Bool {
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let last = labels.last else { return false }
        return Array(last).span.equals("localhost", in: 0..<last.count)
    }
}
