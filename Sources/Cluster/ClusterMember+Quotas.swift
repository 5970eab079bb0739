internal import Locking
public import Gateway
internal import NIOCore
public import Primitives
public import RateLimiter
internal import Redis

// Slots of quota groups, granted by Redis.

extension ClusterMember {
    /// Before Redis is asked again after a failure, in nanoseconds.
    private static let pause: Int64 = 50_000_000
    /// Redis is asked again after this time at the latest, whatever it says, in nanoseconds.
    private static let longestPause: Int64 = 1_000_000_000

    /// The name of a group in Redis: its service's and its own.
    private func name(of id: QuotaGroupID, _ gate: Gate) -> String {
        let service = gate.services[id.service]
        return "\(service.settings.name)/\(service.catalog.quotaGroups[id.group].name)"
    }

    public func ask(for request: SlotRequest, of id: QuotaGroupID, now: MonotonicInstant) {
        guard let gate else { return }
        guard commands.state.isUp else { return gate.queue.deny(id, until: now + Self.pause, now: now) }
        let name = name(of: id, gate)
        let quota = request.quota
        let seen = state.withLock { $0.buckets[id] ?? [] }
        let arguments = [
            nameBytes, bytes(quota.interval), bytes(quota.burst), bytes(quota.jitter / 1000),
            bytes(settings.horizon / 1000), bytes(request.count), seen, bytes(settings.instances),
            bytes(ClusterSettings.silence / 1000), bytes(settings.forget / 1000),
        ]
        let keys = [keys.bucket(name), keys.members, keys.generation, keys.cut(name), keys.hold(name)]
        run(takeScript, as: .take, keys: keys, arguments) { $0.granted(id, quota, $1) }
    }

    private func granted(_ id: QuotaGroupID, _ quota: Quota, _ reply: Reply?) {
        guard let gate else { return }
        defer { gate.releaseQueues() }
        guard let reply, reply.value.array?.count == 6 else {
            let now = MonotonicInstant.now
            return gate.queue.deny(id, until: now + Self.pause, now: now)
        }
        let text = reply.bytes(2)
        let bucket = state.withLock { state in
            state.membership.note(time: reply.number(5), sentAt: reply.sentAt, now: reply.now)
            if !text.isEmpty { state.buckets[id] = text }
            return Int64(String(decoding: text.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
                .map { TokenBucket(fullAt: state.membership.instant(of: $0)) }
        }
        let share = Double(reply.number(3)) / 1e6
        let count = reply.number(0)
        // Counted from the reply's arrival: Redis's clock is not needed for it.
        let first = reply.now + max(0, reply.number(1)) &* 1000
        guard count > 0 else {
            // The others wait for the same slot.
            let until = min(first, reply.now + Self.longestPause) + Int64.random(in: 1_000_000...Self.pause)
            return gate.queue.deny(id, until: until, bucket: bucket, share: share, now: reply.now)
        }
        let span = max(0, reply.number(4)) &* 1000
        let slots = (0..<min(count, 1000)).map { first + $0 &* span }
        gate.queue.grant(slots, to: id, bucket: bucket ?? .empty(quota, now: reply.now), share: share, now: reply.now)
    }

    public func slowDown(_ id: QuotaGroupID, _ quota: Quota, sentAt: MonotonicInstant, now: MonotonicInstant) {
        guard let gate else { return }
        let name = name(of: id, gate)
        let time = state.withLock { $0.membership.time(of: sentAt) }
        let arguments = [
            bytes(time), bytes(quota.interval), bytes(quota.burst), bytes(Int64(Quota.decrease * 1e6)),
            bytes(Int64(Quota.minimumShare * 1e6)), bytes(2 * ClusterSettings.silence / 1000),
        ]
        run(cutScript, as: .cut, keys: [keys.cut(name), keys.bucket(name), keys.changes], arguments) { _, _ in }
    }

    public func hold(_ id: QuotaGroupID, until instant: MonotonicInstant, now: MonotonicInstant) {
        guard let gate, instant > now else { return }
        let milliseconds = (instant - now) / 1_000_000 + 1
        run(holdScript, as: .hold, keys: [keys.hold(name(of: id, gate))], [bytes(milliseconds)]) { _, _ in }
    }

    // MARK: Agreement

    /// Quotas that others have named stay for this time, in milliseconds.
    private static let namedFor = 60_000

    /// Tells Redis the quotas of this gateway, and the log if those of others are not the same: the joint rate then keeps to none of them.
    func compareQuotas() {
        guard settings.sharesQuotas, let gate else { return }
        let own = gate.queue.ownGroups.flatMap { id, quota in
            [name(of: id, gate), "\(quota.interval) \(quota.burst) \(settings.instances)"].map { Array($0.utf8) }
        }
        guard !own.isEmpty else { return }
        run(compareScript, as: .compare, keys: [keys.quotas], [bytes(Self.namedFor)] + own) { member, reply in
            guard let reply else { return }
            let groups = (reply.value.array ?? []).compactMap(\.text).sorted()
            let isNew = member.state.withLock { state in
                defer { state.differing = groups }
                return state.differing != groups
            }
            if isNew { member.report(.differing(groups: groups)) }
        }
    }
}

extension ClusterMember.State {
    private static let comparisonTime: Int64 = 10_000_000_000

    /// Returns true if the quotas are to be compared.
    mutating func isComparisonDue(now: MonotonicInstant) -> Bool {
        guard now - lastComparison >= Self.comparisonTime else { return false }
        lastComparison = now
        return true
    }
}
