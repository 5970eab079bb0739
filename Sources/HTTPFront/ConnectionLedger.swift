internal import Locking
internal import NIOCore

/// Counts the open connections of a server, in all and by peer address, and refuses those above the limits.
public final class ConnectionLedger: Sendable {
    private struct Counts {
        var total = 0
        var peers: [Peer: Int] = [:]
    }

    /// An IP address without its port.
    typealias Peer = String

    private let maxConnections: Int
    private let maxConnectionsPerPeer: Int
    private let counts = Locked(Counts())

    init(limits: HTTPLimits) {
        maxConnections = limits.maxConnections
        maxConnectionsPerPeer = limits.maxConnectionsPerPeer
    }

    /// How many connections are open now.
    public var total: Int { counts.withLock { $0.total } }

    /// Counts a connection, which is to be given back with `release`, or says why it is refused and not counted.
    func admit(_ peer: Peer?) -> Refusal? {
        counts.withLock { counts in
            if maxConnections > 0, counts.total >= maxConnections { return .connections }
            if let peer {
                let count = counts.peers[peer, default: 0]
                if maxConnectionsPerPeer > 0, count >= maxConnectionsPerPeer { return .connectionsPerPeer }
                counts.peers[peer] = count + 1
            }
            counts.total += 1
            return nil
        }
    }

    func release(_ peer: Peer?) {
        counts.withLock { counts in
            counts.total -= 1
            if let peer, let count = counts.peers[peer] {
                counts.peers[peer] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// The peer to count a connection under, or nothing if connections are not limited by peer.
    func peer(_ address: SocketAddress?) -> Peer? {
        maxConnectionsPerPeer > 0 ? address?.ipAddress : nil
    }
}
