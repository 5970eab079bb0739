internal import NIOCore
internal import NIOSSL
internal import Primitives

/// The DNS name that the server's certificate must have, compared as RFC 9525, section 6.3, says: in full, or with one whole label in place
/// of a leading `*`.
///
/// NIOSSL's own verification also accepts a certificate for the address of the connection. With a forged name lookup that is any certificate
/// for an address of the forger, so this is checked in addition.
struct ServerName: Sendable {
    private let labels: [[UInt8]]

    init(_ name: String) { labels = Self.labels(name.utf8) }

    func matches(_ pattern: some Collection<UInt8>) -> Bool {
        let pattern = Self.labels(pattern)
        guard pattern.count == labels.count, !pattern.isEmpty, pattern[0] == [0x2a] else { return pattern == labels }
        // A name such as *.com is no host's.
        return labels.count > 2 && pattern.dropFirst() == labels.dropFirst()
    }

    /// A handler that ends the handshake if the certificate has another name.
    func makeHandler(_ context: NIOSSLContext, name: String) throws -> NIOSSLClientHandler {
        try ._makeSSLClientHandler(context: context, serverHostname: name) { certificate, channel in
            let names = certificate._subjectAlternativeNames()
            let isMatch = names.contains { $0.nameType == .dnsName && matches($0.contents) }
            return isMatch
                ? channel.eventLoop.makeSucceededVoidFuture() : channel.eventLoop.makeFailedFuture(Mismatch(name: name))
        }
    }

    struct Mismatch: Error, CustomStringConvertible {
        let name: String
        var description: String { "the server's certificate is not for the name '\(name)' (subjectAltName)" }
    }

    /// Lower-case labels, without the empty one behind a final dot.
    private static func labels(_ name: some Collection<UInt8>) -> [[UInt8]] {
        let bytes = name.map(\.lowercased)
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { Array($0) }
        return labels.last == [] ? labels.dropLast() : labels
    }
}
