internal import Locking
public import Gateway
internal import NIOCore
internal import PageCache
internal import Primitives
internal import RateLimiter
internal import Redis

// Signs of life, the log, and the mode that follows from them. All of it runs on the event loop.

extension ClusterMember {
    /// How often the mode is looked at, in nanoseconds; signs of life are at most a second apart.
    private static let tickTime: Int64 = 50_000_000
    private static let beatTime: Int64 = 1_000_000_000
    /// The entries that one read brings at the most: a tenth of those that the log keeps.
    private static let mostEntries = 1000
    /// Before the log is joined anew when Redis has refused to let it be read.
    private static let refusedReadTime: Int64 = 1_000_000_000
    /// How long a read of the log waits for an entry.
    private static let readTime: Int64 = 500_000_000

    func clientChanged(_ client: StateRelay.Client, _ change: RedisState) {
        switch change {
        case .down(_, let reason):
            let followers = state.withLock { state in
                state.lastFault = "\(reason)"
                // An entry that cannot be read is passed over.
                if case .protocolFault = reason, client == .log { state.log.giveUp() } else { state.log.lose() }
                defer { state.followers = [:] }
                return state.followers.values.flatMap { $0 }
            }
            // Those who wait for others' flights go on by themselves.
            for follower in followers { gate?.proceed(follower.fetch, now: .now) }
        case .up, .connecting: break
        }
        eventLoop.execute { [weak self] in self?.updateMode() }
    }

    /// The regular work: joins if need be, beats if that is due, and takes the consequences of silence.
    func tick() {
        updateMode()
        let now = MonotonicInstant.now
        if commands.state.isUp, state.withLock({ now - $0.lastBeat >= Self.beatTime }) { beat(hasRead: false) }
        if commands.state.isUp, state.withLock({ $0.isCensusDue(now: now) }) { askForMembers() }
        if commands.state.isUp, state.withLock({ $0.isComparisonDue(now: now) }) { compareQuotas() }
        endOverdueWrites(now: now)
        sendPendingEnds(now: now)
        pollFlights(now: now)
        later(Self.tickTime) { $0.tick() }
    }

    /// Brings the mode up to date, and joins if both connections are there.
    private func updateMode() {
        applyMode(now: .now)
        let now = MonotonicInstant.now
        guard commands.state.isUp, reader.state.isUp,
            let round = state.withLock({ now < $0.nextJoin ? nil : $0.log.join() })
        else { return }
        join(round)
    }

    // MARK: Joining

    private func join(_ round: UInt64) {
        let last = state.withLock { $0.log.last }
        // A sign of life first, because it makes the generation.
        beat(hasRead: false) { member, isHeard in
            guard isHeard else { return member.state.withLock { $0.log.lose() } }
            let keys = [member.keys.generation, member.keys.epochs, member.keys.writes, member.keys.log]
            member.run(joinScript, as: .join, keys: keys, [Array(last.utf8)]) { $0.joined(round, $1) }
        }
    }

    private func joined(_ round: UInt64, _ reply: Reply?) {
        guard let reply, !reply.text(0).isEmpty else { return state.withLock { $0.log.lose() } }
        let generation = reply.text(0)
        let epochs = reply.pairs(3).compactMap { pair in
            Int(pair.0).flatMap { index in UInt64(pair.1).map { (index: index, value: $0) } }
        }
        let writes = reply.pairs(4).compactMap { pair in
            pair.1.split(separator: " ").first.flatMap { Int64($0) }.map { (pair.0, $0) }
        }
        let (isJoined, missesEntries) = state.withLock { state in
            let misses = reply.number(1) != 1 || state.mirror.generation != generation
            guard state.log.joined(round, at: misses ? reply.text(2) : state.log.last) else { return (false, false) }
            if misses {
                let latest = UInt64(clamping: reply.number(5)) &+ Self.clockTolerance
                state.mirror.join(generation: generation, epochs, latest: latest)
                state.writesElsewhere = Dictionary(writes) { $1 }
            }
            return (true, misses)
        }
        guard isJoined else { return }
        // It has missed what was made void meanwhile.
        if missesEntries { gate?.invalidate(EpochScope.all, now: reply.now) }
        // At once, because the lease begins when it is known that the log can be read.
        read(round, waits: false)
    }

    // MARK: The log

    /// Reads the log for as long as the round lasts.
    ///
    /// - Parameter waits: true if it waits for an entry where there is none.
    private func read(_ round: UInt64, waits: Bool = true) {
        let last = state.withLock { $0.log.last }
        let since = MonotonicInstant.now
        let wait = waits ? ["BLOCK", "\(Self.readTime / 1_000_000)"] : []
        let words = ["XREAD", "COUNT", "\(Self.mostEntries)"] + wait + ["STREAMS"]
        let command = RedisCommand(words: words.map { Array($0.utf8) } + [keys.log, Array(last.utf8)])
        // A read of the round before may have to end first.
        reader.send(command, timeout: 2 * Self.readTime + max(settings.timeout, Self.readTime)) { [weak self] result in
            self?.metrics.count(.read, result, elapsed: MonotonicInstant.now - since)
            self?.hasRead(round, since: since, result)
        }
    }

    /// - Parameter since: when the read was sent.
    private func hasRead(_ round: UInt64, since: MonotonicInstant, _ result: Result<RESPValue, RedisError>) {
        guard state.withLock({ $0.log.isJoined && $0.log.round == round }) else { return }
        switch result {
        case .failure(let error):
            note("\(error)")
            let isNews = state.withLock { state in
                state.log.lose()
                guard case .server = error else { return false }
                state.nextJoin = .now + Self.refusedReadTime
                defer { state.isLogUnread = true }
                return !state.isLogUnread
            }
            if isNews { report(.unread(reason: "\(error)")) }
        case .success(let value):
            // One stream, whose entries are an id and a list of fields.
            let entries = value.array?.first?.array?.last?.array ?? []
            // Entries that were trimmed before they were read leave no visible gap. A late reader joins anew, and the join detects the gap. A
            // reader that is far behind continues from the end of the log.
            guard entries.count < Self.mostEntries else { return state.withLock { $0.log.giveUp() } }
            guard MonotonicInstant.now - since < 4 * Self.readTime else { return state.withLock { $0.log.lose() } }
            for entry in entries { act(on: entry) }
            state.withLock { $0.isLogUnread = false }
            read(round)
            beat(hasRead: true)
        }
    }

    /// Acts on an entry; only then it counts as read.
    private func act(on entry: RESPValue) {
        guard let parts = entry.array, parts.count == 2, let id = parts[0].text else { return }
        let fields = Dictionary((parts[1].array ?? [])[...].pairs) { $1 }
        switch fields["t"] {
        case "b": writeBegins(fields["i"] ?? "", until: Int64(fields["d"] ?? "") ?? 0)
        case "r": writeHasEnded(fields["i"] ?? "", raised: fields["s"] ?? "")
        case "x": writeHasEnded(fields["i"] ?? "", raised: "")
        case "p": flightHasEnded(fields["k"] ?? "")
        case "u": applyPurge(fields["q"] ?? "", raised: fields["s"] ?? "", isOwn: fields["n"] == name)
        default: break
        }
        state.withLock { $0.log.advance(to: id) }
    }

    // MARK: Signs of life

    /// - Parameter hasRead: true if all entries that have come from the log were acted on. Its pages are known to be good from the sending of
    ///   this sign for as long as it lasts.
    private func beat(
        hasRead: Bool, _ completion: @escaping @Sendable (ClusterMember, _ isHeard: Bool) -> Void = { _, _ in }
    ) {
        let now = MonotonicInstant.now
        let (seat, last, isAcknowledged, isLeaving) = state.withLock { state in
            state.lastBeat = now
            return (
                state.membership.seat ?? -1, state.log.last.isEmpty ? "0-0" : state.log.last,
                state.membership.isAcknowledged(now: now), state.isLeaving
            )
        }
        guard !isLeaving else { return }
        let arguments = [
            nameBytes, bytes(seat), bytes(settings.instances), bytes(ClusterSettings.silence / 1000),
            bytes(settings.forget / 1000), Array(last.utf8), bytes(hasRead ? 1 : 0),
            bytes(ClusterSettings.lease / 1000), placeBytes, bytes(isAcknowledged ? 1 : 0),
        ]
        let keys = [keys.members, keys.generation, keys.log, keys.changes, keys.epochs, keys.writes]
        run(beatScript, as: .beat, keys: keys, arguments) { member, reply in
            member.heard(reply, hasRead: hasRead)
            completion(member, reply != nil)
        }
    }

    private func heard(_ reply: Reply?, hasRead: Bool) {
        guard let reply else { return }
        let isKnown = state.withLock { state in
            let seat = reply.number(1)
            state.membership.acknowledged(
                sentAt: reply.sentAt, now: reply.now, time: reply.number(4), seat: seat < 0 ? nil : Int(clamping: seat),
                live: Int(clamping: reply.number(2)), silent: Int(clamping: reply.number(3)), generation: reply.text(0))
            let isKnown = state.mirror.generation == reply.text(0)
            // The data were lost, and perhaps writes with them.
            if !isKnown, state.log.isJoined { state.log.lose() }
            return isKnown && state.log.isJoined
        }
        applyMode(now: reply.now)
        guard settings.sharesPages, hasRead, isKnown, reply.number(5) == 1 else { return }
        gate?.cache.trust(until: reply.sentAt + ClusterSettings.silence, doubt: doubt(.shared))
    }

    // MARK: The mode

    func doubt(_ mode: Membership.Mode) -> PageCache.Doubt {
        guard !settings.isStrict else { return .servesNone }
        // After `forget` no gateway on this side of a split sends, so no write can make its pages void.
        return mode == .forgotten ? .servesAll : .servesFresh
    }

    /// Another gate takes the place of the one that `start` was given, after a reload.
    ///
    /// - Parameter changed: the groups that have another quota, or left shadow mode. Granted slots are asked for with the quota each time; the
    ///   time slots of a seat follow from it.
    public func replace(_ gate: Gate, changed: [QuotaGroupID]) {
        state.withLock { $0.gate = gate }
        guard settings.sharesQuotas, !changed.isEmpty else { return }
        eventLoop.execute { [weak self] in self?.reseat(changed, now: .now) }
    }

    private func reseat(_ changed: [QuotaGroupID], now: MonotonicInstant) {
        let (mode, gate, membership) = state.withLock { ($0.mode, $0.gate, $0.membership) }
        guard let gate else { return }
        for (id, quota) in gate.queue.ownGroups where changed.contains(id) {
            let source = Self.source(mode, membership, quota, now: now)
            if mode == .seated {
                gate.queue.replaceSource(with: source, for: id, now: now)
            } else {
                gate.queue.use(source, for: id, now: now)
            }
        }
        gate.releaseQueues()
    }

    private static func source(
        _ mode: Membership.Mode, _ membership: Membership, _ quota: Quota, now: MonotonicInstant
    ) -> TokenSource {
        switch mode {
        case .shared: .granted
        case .seated: .cycle(membership.cycle(quota, now: now))
        case .unknown, .forgotten: .none
        }
    }

    private func applyMode(now: MonotonicInstant) {
        let (mode, old, gate, membership, fault) = state.withLock { state in
            let old = state.mode
            state.mode = state.membership.mode(now: now)
            return (state.mode, old, state.gate, state.membership, state.lastFault)
        }
        guard mode != old, let gate else { return tellStart(mode, now: now) }
        if settings.sharesQuotas {
            for (id, quota) in gate.queue.ownGroups {
                gate.queue.use(Self.source(mode, membership, quota, now: now), for: id, now: now)
            }
            gate.releaseQueues()
        }
        if settings.sharesPages, mode == .forgotten { gate.cache.trust(until: .distantPast, doubt: doubt(mode)) }
        switch mode {
        case .shared: report(.joined(seat: membership.seat, members: membership.live))
        case .seated: report(.seated(seat: membership.seat ?? 0, reason: fault))
        case .forgotten: report(.forgotten(reason: fault))
        case .unknown: break
        }
    }

    /// Says once that Redis was not reached since the start.
    private func tellStart(_ mode: Membership.Mode, now: MonotonicInstant) {
        let reason = state.withLock { state -> String? in
            guard mode == .unknown, state.membership.acknowledgedAt == nil, !state.hasToldStart,
                now - state.startedAt >= ClusterSettings.silence
            else { return nil }
            state.hasToldStart = true
            return state.lastFault
        }
        if let reason { report(.notReached(reason: reason)) }
    }
}

// MARK: - Leaving

extension ClusterMember {
    /// Gives the seat back, so that the others need not wait for silence.
    func leave() async {
        state.withLock { $0.isLeaving = true }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let command = RedisCommand(words: [Array("HDEL".utf8), keys.members, nameBytes])
            let sentAt = MonotonicInstant.now
            commands.send(command, timeout: settings.timeout) { [metrics] result in
                metrics.count(.leave, result, elapsed: MonotonicInstant.now - sentAt)
                done.resume()
            }
        }
    }
}
