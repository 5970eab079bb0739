internal import Glibc

/// What is known of a driver's connections, and who uses them.
///
/// libcurl (7.88) does not look twice: it takes what has come on a connection that nobody was using for the reply to the next
/// request, and once one connection to a host has spoken HTTP/2 it lets requests share all of them, those that speak
/// HTTP/1.1 too, and mixes up their replies. So each use is looked at here before anything is sent.
final class CurlConnections {
    /// A connection, by its two ends as far as they tell it apart.
    struct Key: Hashable {
        let localPort: Int32
        let remoteAddress: String
        let remotePort: Int32
    }

    /// The loss of a connection.
    struct Loss {
        /// Its number, where its end was the end of all attempts on it.
        var cause: UInt64?
        /// Whether no other attempt has told of it.
        let isFirst: Bool

        var withoutCause: Loss { Loss(cause: nil, isFirst: isFirst) }
    }

    /// Why a connection is the wrong one for an attempt, before anything was sent over it.
    enum Detour: Equatable {
        /// Bytes have come over it that no request asked for, or its end. Or nothing is known of it.
        case dirty
        /// Others use it, and it speaks HTTP/1.1.
        case occupied
        /// Others use it, and no reply has shown yet whether it can be shared.
        case unproven(Key)
        /// It is a new one, where one had to be joined.
        case nothingToJoin
        /// It has ended, or leads nowhere, and some attempts that use it have yet to find out.
        case lost
    }

    private struct Connection {
        /// Nil until a reply has told.
        var version: ReplyCollector.Version?
        /// Nil if it is not known.
        let socket: Int32?
        /// Unique in the process.
        let number: UInt64
        var users = 0
        var isLost = false
        /// When a reply last came over it.
        var heardAt: Int64 = 0
        /// The last stream that the origin has looked at, if it has said so.
        var lastStream: UInt32?
    }

    /// More are not remembered, but those that are in use.
    private static let maxCount = 1024

    private var connections: [Key: Connection] = [:]
    /// How many sockets were made, to connect by them.
    private var sockets = 0
    private var lastNumber: UInt64 = 0

    /// A socket is made.
    func begin() { sockets += 1 }

    /// A connection has been made, to be used at once. Ports of one that is gone may be used again.
    ///
    /// - Parameters:
    ///   - version: what it speaks; nil if that was left to the TLS handshake.
    ///   - sockets: what was opened to make it; to an address that did not answer too.
    func opened(_ key: Key, _ version: ReplyCollector.Version?, among sockets: [Int32]) {
        if connections.count >= Self.maxCount { connections = connections.filter { $0.value.users > 0 } }
        lastNumber += 1
        connections[key] = Connection(
            version: version, socket: sockets.last { Self.localPort($0) == key.localPort }, number: lastNumber, users: 1
        )
    }

    /// Begins a use of a connection that was there, if it may be used.
    ///
    /// - Parameter mayShare: whether libcurl would let the request share it. If not it has made sure that nobody uses it.
    /// - Returns: why it may not be used; nil if it may.
    func use(_ key: Key, mayShare: Bool) -> Detour? {
        guard var connection = connections[key] else { return .dirty }
        if connection.isLost { return .lost }
        // Of one that has agreed on HTTP/2 libcurl takes no notice when HTTP/1.1 is asked for.
        if !mayShare {
            guard connection.version == .http1 else { return .dirty }
        } else if connection.users > 0 {
            switch connection.version {
            case .http2: break
            case .http1: return .occupied
            // libcurl has agreed on HTTP/2 for this one, or for another. Where there was no other, it is this one.
            case nil: guard sockets == 1 else { return .unproven(key) }
            }
        }
        if connection.version == .http1, let socket = connection.socket, !Self.isSilent(socket) { return .dirty }
        connection.users += 1
        connections[key] = connection
        return nil
    }

    /// Whether others still use it and its reply has yet to come.
    func isUnproven(_ key: Key) -> Bool {
        connections[key].map { $0.version == nil && $0.users > 0 } ?? false
    }

    /// A use of a connection has ended.
    ///
    /// - Parameter version: what the reply says that it speaks; nil if none came.
    /// - Returns: whether it was unproven until now.
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

    /// An attempt's end tells that a connection is of no more use: no other begins to use it.
    func lose(_ key: Key) -> Loss? {
        guard let connection = connections[key] else { return nil }
        connections[key]?.isLost = true
        return Loss(cause: connection.number, isFirst: !connection.isLost)
    }

    /// Whether no reply has come over a connection since an attempt was sent, so that none may ever come.
    func hasBeenSilent(_ key: Key, since sentAt: Int64) -> Bool {
        connections[key].map { $0.heardAt < sentAt } ?? false
    }

    /// The origin looks at no stream of a connection above `last`. A later word may only take back more (RFC 9113 section 6.8).
    func goAway(_ key: Key, last: UInt32) {
        let before = connections[key]?.lastStream ?? .max
        connections[key]?.lastStream = min(last, before)
    }

    func lastStream(_ key: Key) -> UInt32? { connections[key]?.lastStream }

    /// All connections are gone.
    func removeAll() {
        connections = [:]
        sockets = 0
    }

    /// Whether nothing has come over a connection, nor its end.
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
        // The port lies at the same place in both families.
        return unsafe withUnsafeBytes(of: &address) { bytes in
            Int32(unsafe UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}
