internal import Locking
internal import NIOCore

/// Counts the open connections of a server, in all and by peer address, and refuses those above the limits.
public final class ConnectionLimiter: Sendable {
    private struct Counts {
        var total = 0
        /// The refused connections that are being answered.
        var shed = 0
        var addresses: [Address: Int] = [:]
        var whenEmpty: (@Sendable () -> Void)?
    }

    /// An IP address without its port.
    typealias Address = String

    private let limits: HTTPLimits
    private let counts = Locked(Counts())

    init(limits: HTTPLimits) { self.limits = limits }

    /// How many connections are open now.
    public var total: Int { counts.withLock { $0.total } }

    /// How many connections may be open; 0 for any number.
    public var limit: Int { limits.maxConnections }

    /// How many refused connections are being answered now.
    var shed: Int { counts.withLock { $0.shed } }

    enum Admission: Equatable {
        /// It is accepted and counted.
        case admitted
        /// It is refused with an answer, and counted among the refused.
        case shed(Refusal)
        /// It is refused and closed at once, and not counted.
        case dropped(Refusal)

        var refusal: Refusal? {
            switch self {
            case .admitted: nil
            case .shed(let refusal), .dropped(let refusal): refusal
            }
        }
    }

    /// Decides on a connection. The caller calls `release` at the end of it.
    ///
    /// - Parameter canAnswer: true if the connection can get an answer. The number of refused connections that are answered is limited,
    ///   so that a flood of them takes no memory.
    func admit(_ address: Address?, canAnswer: Bool) -> Admission {
        counts.withLock { counts in
            if let refusal = refusal(counts, address) {
                guard canAnswer, counts.shed < limits.maxRefused else { return .dropped(refusal) }
                counts.shed += 1
                return .shed(refusal)
            }
            if let address { counts.addresses[address, default: 0] += 1 }
            counts.total += 1
            return .admitted
        }
    }

    /// Counts an admitted connection that had no address under one.
    ///
    /// - Returns: the refusal if there are too many of it; it is not counted then.
    func add(_ address: Address) -> Refusal? {
        counts.withLock { counts in
            let most = limits.maxConnectionsPerPeer
            guard most == 0 || counts.addresses[address, default: 0] < most else { return .connectionsPerPeer }
            counts.addresses[address, default: 0] += 1
            return nil
        }
    }

    private func refusal(_ counts: Counts, _ address: Address?) -> Refusal? {
        let most = limits.maxConnectionsPerPeer
        if limits.maxConnections > 0, counts.total >= limits.maxConnections { return .connections }
        guard most > 0, let address, counts.addresses[address, default: 0] >= most else { return nil }
        return .connectionsPerPeer
    }

    func release(_ address: Address?, _ admission: Admission = .admitted) {
        let action = counts.withLock { counts in
            switch admission {
            case .admitted:
                counts.total -= 1
                if let address, let count = counts.addresses[address] {
                    counts.addresses[address] = count > 1 ? count - 1 : nil
                }
            case .shed: counts.shed -= 1
            case .dropped: break
            }
            return counts.total == 0 ? counts.whenEmpty : nil
        }
        action?()
    }

    /// Calls `action` whenever the last open connection has ended, and now if none is open.
    func whenEmpty(_ action: @escaping @Sendable () -> Void) {
        counts.withLock { $0.whenEmpty = action }
        if total == 0 { action() }
    }

    /// The address that a connection is counted under; `nil` if connections are not limited by peer.
    func address(_ address: SocketAddress?) -> Address? { limits.maxConnectionsPerPeer > 0 ? address?.ipAddress : nil }
}
