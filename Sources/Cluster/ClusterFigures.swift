internal import Locking
internal import Primitives
internal import Redis

/// A member, as operators see it.
public struct MemberFigures: Sendable, Equatable {
    public let name: String
    /// nil for a member beyond the number of seats.
    public let seat: Int?
    /// Milliseconds since its last sign of life.
    public let silentFor: Int64
    /// Milliseconds for which it may still trust its pages; 0 if it may not.
    public let lease: Int64
    public let isSelf: Bool
}

extension MemberFigures {
    /// A member as it is kept in Redis; nil if no member is kept so.
    ///
    /// - Parameters:
    ///   - time: microseconds of Redis's clock.
    ///   - own: the name of this gateway.
    init?(name: String, _ text: String, at time: Int64, self own: String) {
        let parts = text.split(separator: " ")
        guard parts.count >= 4, let heard = Int64(parts[0]), let leased = Int64(parts[3]),
            let seat = Int(parts[1]), min(heard, leased, time) >= 0
        else { return nil }
        self.init(
            name: name, seat: seat < 0 ? nil : seat, silentFor: max(0, time - heard) / 1000,
            lease: max(0, ClusterSettings.silence / 1000 - max(0, time - leased)) / 1000, isSelf: name == own)
    }
}

/// The state of the sharing, for `/state` and metrics.
public struct ClusterFigures: Sendable, Equatable {
    /// True if Redis answers.
    public let isUp: Bool
    /// `shared`, `seated`, `forgotten`, or `unknown` if Redis was never reached.
    public let mode: String
    public let live: Int
    public let silent: Int
    public let members: [MemberFigures]
    /// The last fault of Redis.
    public let fault: String
}

extension ClusterMember.State {
    private static let censusTime: Int64 = 2_000_000_000

    /// Returns true if the members are to be asked for, for operators.
    mutating func isCensusDue(now: MonotonicInstant) -> Bool {
        guard now - lastCensus >= Self.censusTime else { return false }
        lastCensus = now
        return true
    }
}

extension ClusterMember {
    public var figures: ClusterFigures {
        let isUp = isJoined
        return state.withLock { state in
            ClusterFigures(
                isUp: isUp, mode: "\(state.mode)", live: isUp ? state.membership.live : 0,
                silent: isUp ? state.membership.silent : 0, members: isUp ? state.members : [], fault: state.lastFault)
        }
    }

    /// Asks who is there, for the next look at the figures.
    func askForMembers() {
        run(membersScript, as: .members, keys: [keys.members], []) { member, reply in
            guard let reply, let elements = reply.value.array else { return }
            let members = elements.dropFirst().pairs.compactMap {
                MemberFigures(name: $0, $1, at: reply.number(0), self: member.name)
            }
            let sorted = members.sorted { ($0.seat ?? .max, $0.name) < ($1.seat ?? .max, $1.name) }
            member.state.withLock { $0.members = sorted }
        }
    }
}
