internal import Locking
internal import NIOCore

/// Counts the open connections of a server, in all and by peer address, and refuses those above the limits.
public final class ConnectionLedger: Sendable {
    private struct Counts {
        var total = 0
        var addresses: [Address: Int] = [:]
    }

    /// An IP address without its port.
    typealias Address = String

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
    func admit(_ address: Address?) -> Refusal? {
        counts.withLock { counts in
            if maxConnections > 0, counts.total >= maxConnections { return .connections }
            if let address {
                let count = counts.addresses[address, default: 0]
                if maxConnectionsPerPeer > 0, count >= maxConnectionsPerPeer { return .connectionsPerPeer }
                counts.addresses[address] = count + 1
            }
            counts.total += 1
            return nil
        }
    }

    func release(_ address: Address?) {
        counts.withLock { counts in
            counts.total -= 1
            if let address, let count = counts.addresses[address] {
                counts.addresses[address] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// The address to count a connection under, or nothing if connections are not limited by peer.
    func address(_ address: SocketAddress?) -> Address? {
        maxConnectionsPerPeer > 0 ? address?.ipAddress : nil
    }
}
