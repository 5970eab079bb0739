internal import Glibc

/// The state of the connections that libcurl keeps for a driver, and how many attempts use each.
///
/// libcurl (7.88) takes bytes that came over an idle connection for the reply to the next request. And once one connection to a host
/// has spoken HTTP/2, it lets requests share all connections to it, those that speak HTTP/1.1 too, and mixes up their replies. So
/// each use is checked here before a byte is sent.
final class CurlConnections {
    /// Identifies a connection by its two ends.
    struct Key: Hashable {
        let localPort: Int32
        let remoteAddress: String
        let remotePort: Int32
    }

    /// The loss of a connection.
    struct Loss {
        /// Its number, if its end ended all attempts on it; else nil.
        var cause: UInt64?
        /// True if no other attempt has reported it.
        let isFirst: Bool

        var withoutCause: Loss { Loss(cause: nil, isFirst: isFirst) }
    }

    /// Why a connection is the wrong one for an attempt, before anything was sent over it.
    enum Detour: Equatable {
        /// Bytes have come over it that no request asked for, or its end; or it is not in the table.
        case dirty
        /// Others use it, and it speaks HTTP/1.1.
        case occupied
        /// Others use it, and no reply has shown yet whether it can be shared.
        case unproven(Key)
        /// It is a new one, where one had to be joined.
        case nothingToJoin
        /// It has ended, or brings no replies any more, and some attempts that use it have not noticed yet.
        case lost
    }

    private struct Connection {
        /// Nil until a reply has told.
        var version: ReplyCollector.Version?
        /// Nil if it was not found among the sockets that were made.
        let socket: Int32?
        /// Unique in the process.
        let number: UInt64
        var users = 0
        var isLost = false
        /// When a reply last came over it.
        var heardAt: Int64 = 0
        /// The last stream that the origin processes, by its GOAWAY; nil without one.
        var lastStream: UInt32?
    }

    /// Above this number, connections that are not in use are forgotten.
    private static let maxCount = 1024

    private var connections: [Key: Connection] = [:]
    /// How many sockets were made for connections.
    private var sockets = 0
    private var lastNumber: UInt64 = 0

    /// A socket is made.
    func begin() { sockets += 1 }

    /// A connection has been made, and is used at once. Its key may be that of one that is closed.
    ///
    /// - Parameters:
    ///   - version: what it speaks; nil if that was left to the TLS handshake.
    ///   - sockets: those that were opened to make it, also to addresses that did not answer.
    func opened(_ key: Key, _ version: ReplyCollector.Version?, among sockets: [Int32]) {
        if connections.count >= Self.maxCount { connections = connections.filter { $0.value.users > 0 } }
        lastNumber += 1
        connections[key] = Connection(
            version: version, socket: sockets.last { Self.localPort($0) == key.localPort }, number: lastNumber, users: 1
        )
    }

    /// Begins a use of an existing connection, if it may be used.
    ///
    /// - Parameter mayShare: true if libcurl would let the request share it. If false, libcurl has checked that no other uses it.
    /// - Returns: why it may not be used; nil if it may.
    func use(_ key: Key, mayShare: Bool) -> Detour? {
        guard var connection = connections[key] else { return .dirty }
        if connection.isLost { return .lost }
        // A request for HTTP/1.1 gets a connection from libcurl even if that has agreed on HTTP/2.
        if !mayShare {
            guard connection.version == .http1 else { return .dirty }
        } else if connection.users > 0 {
            switch connection.version {
            case .http2: break
            case .http1: return .occupied
            // libcurl has agreed on HTTP/2 with this connection or another one. If no other was made, it is this one.
            case nil: guard sockets == 1 else { return .unproven(key) }
            }
        }
        if connection.version == .http1, let socket = connection.socket, !Self.isSilent(socket) { return .dirty }
        connection.users += 1
        connections[key] = connection
        return nil
    }

    /// Returns true while others use a connection and no reply has come over it.
    func isUnproven(_ key: Key) -> Bool {
        connections[key].map { $0.version == nil && $0.users > 0 } ?? false
    }

    /// A use of a connection has ended.
    ///
    /// - Parameter version: that of the reply; nil if none came.
    /// - Returns: true if its version was not known until now.
    func ended(_ key: Key, _ version: ReplyCollector.Version?, now: Int64) -> Bool {
        guard var connection = connections[key] else { return true }
        let wasUnknown = connection.version == nil
        connection.users = max(0, connection.users - 1)
        if let version {
            connection.version = version
            connection.heardAt = now
        }
        connections[key] = connection
        return wasUnknown
    }

    /// An attempt has found a connection unusable: no other attempt begins to use it.
    func lose(_ key: Key) -> Loss? {
        guard let connection = connections[key] else { return nil }
        connections[key]?.isLost = true
        return Loss(cause: connection.number, isFirst: !connection.isLost)
    }

    /// Returns true if no reply has come over a connection since an attempt was sent, so that none may ever come.
    func hasBeenSilent(_ key: Key, since sentAt: Int64) -> Bool {
        connections[key].map { $0.heardAt < sentAt } ?? false
    }

    /// The origin processes no stream of a connection above `last`. A later GOAWAY may only lower it (RFC 9113 section 6.8).
    func goAway(_ key: Key, last: UInt32) {
        let before = connections[key]?.lastStream ?? .max
        connections[key]?.lastStream = min(last, before)
    }

    func lastStream(_ key: Key) -> UInt32? { connections[key]?.lastStream }

    func removeAll() {
        connections = [:]
        sockets = 0
    }

    /// Returns true if neither bytes nor the end of a connection have come.
    static func isSilent(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count < 0 && errno == EAGAIN
    }

    private static func localPort(_ socket: Int32) -> Int32? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe getsockname(socket, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &size)
        }
        guard code == 0 else { return nil }
        // The port is at the same offset in both families.
        return unsafe withUnsafeBytes(of: &address) { bytes in
            Int32(unsafe UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}
