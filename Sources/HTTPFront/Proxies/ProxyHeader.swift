internal import Primitives

/// The header with which a proxy tells whose connection it hands on: versions 1 and 2 of the PROXY protocol
/// (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt).
///
/// Both begin with bytes that neither HTTP nor TLS begins with, so a connection without it is told apart.
struct ProxyHeader: Equatable {
    /// Whose connection it is.
    enum Origin: Equatable, Sendable {
        case client(IPAddress)
        /// A client that the proxy does not tell, or one without an IP address.
        case unknown
        /// The proxy's own, such as a check of health.
        case proxy
    }

    let origin: Origin
    /// The bytes of the header.
    let length: Int

    /// What the first bytes of a connection are.
    enum Reading: Equatable {
        case header(ProxyHeader)
        /// More bytes are needed.
        case incomplete
        /// The connection begins with something else.
        case absent
        /// It begins like a header and is none.
        case malformed
    }

    private static let line = Array("PROXY ".utf8)
    /// Section 2.1: the longest line, with its end.
    private static let maxLineBytes = 107
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
    private static let fixedBytes = 16
    /// Behind the addresses there may be more, which is skipped; section 2.2 allows 64 KiB.
    private static let maxRestBytes = 2048

    static func read(_ bytes: some RandomAccessCollection<UInt8>) -> Reading {
        let bytes = Array(bytes.prefix(fixedBytes + maxRestBytes))
        if begins(bytes, line) { return readLine(bytes) }
        if begins(bytes, signature) { return readBinary(bytes) }
        return .absent
    }

    /// Returns true if the bytes begin with a mark, as far as there are any.
    private static func begins(_ bytes: [UInt8], _ mark: [UInt8]) -> Bool {
        bytes.prefix(mark.count).elementsEqual(mark.prefix(bytes.count))
    }

    // MARK: Version 1

    private static func readLine(_ bytes: [UInt8]) -> Reading {
        guard let end = bytes.prefix(maxLineBytes).firstIndex(of: 10) else {
            return bytes.count < maxLineBytes ? .incomplete : .malformed
        }
        guard end > 0, bytes[end - 1] == 13 else { return .malformed }
        let words = bytes[..<(end - 1)].split(separator: 32, omittingEmptySubsequences: false)
        guard words.count >= 2 else { return .malformed }
        if words[1].elementsEqual("UNKNOWN".utf8) { return .header(ProxyHeader(origin: .unknown, length: end + 1)) }
        guard words.count == 6, let source = IPAddress(words[2]), let destination = IPAddress(words[3]),
            isPort(words[4]),
            isPort(words[5])
        else { return .malformed }
        let size = words[1].elementsEqual("TCP4".utf8) ? 4 : words[1].elementsEqual("TCP6".utf8) ? 16 : 0
        guard source.bytes.count == size, destination.bytes.count == size else { return .malformed }
        return .header(ProxyHeader(origin: .client(source), length: end + 1))
    }

    private static func isPort(_ word: ArraySlice<UInt8>) -> Bool {
        (1...5).contains(word.count) && word.allSatisfy(\.isDigit)
            && word.reduce(0) { $0 * 10 + Int($1 &- 0x30) } <= 65_535
    }

    // MARK: Version 2

    private static func readBinary(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= fixedBytes else { return .incomplete }
        let (version, command, family) = (bytes[12] >> 4, bytes[12] & 15, bytes[13])
        let rest = Int(bytes[14]) << 8 | Int(bytes[15])
        guard version == 2, command <= 1, rest <= maxRestBytes else { return .malformed }
        let length = fixedBytes + rest
        guard bytes.count >= length else { return .incomplete }
        guard command == 1 else { return .header(ProxyHeader(origin: .proxy, length: length)) }
        let size = family >> 4 == 1 ? 4 : family >> 4 == 2 ? 16 : 0
        guard size > 0 else { return .header(ProxyHeader(origin: .unknown, length: length)) }
        guard rest >= 2 * size + 4 else { return .malformed }
        let source = IPAddress(bytes: Array(bytes[fixedBytes..<(fixedBytes + size)]))
        return .header(ProxyHeader(origin: source.map { .client($0) } ?? .unknown, length: length))
    }
}
