internal import NIOCore

/// The peer of a connection.
public struct Peer: Sendable, Equatable {
    /// True if the peer is on this machine.
    public var isLoopback = false
    /// The responder's identity for the client certificate; -1 without a certificate, or if it belongs to no known caller.
    public var identity: Int32 = -1

    init() {}

    /// A peer without a certificate.
    init(_ address: SocketAddress?) {
        isLoopback = address.map(Self.isLoopback) ?? false
    }

    /// 127.0.0.0/8 and ::1 (RFC 6890), the first also as a socket of both families shows it; and Unix sockets.
    private static func isLoopback(_ address: SocketAddress) -> Bool {
        // Unsafe only in reading a socket address as its bytes; the IP address begins at byte 4 (sockaddr_in), or 8
        // (sockaddr_in6).
        if case .unixDomainSocket = address { return true }
        return unsafe address.withSockAddr { address, size in
            let bytes = unsafe UnsafeRawBufferPointer(start: address, count: size)
            switch size {
            case 16: return unsafe bytes[4] == 127
            case 28:
                let isMapped = unsafe bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18] == 0xff && bytes[19] == 0xff
                if isMapped { return unsafe bytes[20] == 127 }
                return unsafe bytes[8..<23].allSatisfy { $0 == 0 } && bytes[23] == 1
            default: return false
            }
        }
    }
}
