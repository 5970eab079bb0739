internal import NIOCore
internal import Primitives

/// The peer of a connection.
public struct Peer: Sendable, Equatable {
    /// True if the peer is on this machine.
    public var isLoopback = false
    /// The responder's identity for the client certificate; -1 without a certificate, or if it belongs to no known caller.
    public var identity: Int32 = -1

    init() {}

    /// A peer without a certificate. A Unix socket is on this machine too.
    init(_ address: SocketAddress?) {
        if case .unixDomainSocket = address { isLoopback = true }
        if let text = address?.ipAddress { isLoopback = IPAddress(text.utf8)?.isLoopback ?? false }
    }
}
