internal import AWSProtocol
internal import Locking
public import Gateway
internal import PageCache
internal import Primitives
internal import Redis

// Writes and purges, which make pages of all members void before their callers hear of them.

/// The end of a write that Redis has not got yet.
struct PendingEnd: Sendable {
    let id: String
    var scopes: String
    /// The answer, until it has been delivered.
    var delivery: Delivery?
    /// When the service has replied.
    let repliedAt: MonotonicInstant

    /// When it is delivered though not all members may have heard of it: their leases are over by then.
    var deliverAt: MonotonicInstant { repliedAt + ClusterSettings.longestAcknowledgement }
}

extension [PendingEnd] {
    mutating func add(_ end: PendingEnd) {
        append(end)
        mergeDelivered()
    }

    /// Puts those whose answers were delivered together, so that a long outage takes no more memory than there are scopes. Announcements of the
    /// others' ids expire by themselves.
    mutating func mergeDelivered() {
        let delivered = filter { $0.delivery == nil }
        guard delivered.count > 1, var first = delivered.first else { return }
        first.scopes = Set(delivered.flatMap { $0.scopes.split(separator: ",") }).sorted().joined(separator: ",")
        removeAll { $0.delivery == nil }
        append(first)
    }
}

extension ClusterMember {
    /// The first pause between two questions for acknowledgements, and the longest one, in nanoseconds.
    private static let firstPause: Int64 = 500_000
    private static let longestPause: Int64 = 10_000_000
    /// An epoch is the time of a write by Redis's clock, which is known here to less than this, in microseconds.
    static let clockTolerance: UInt64 = 1_000_000
    /// For a write's end to be heard of, beyond its deadline.
    private static let grace: Int64 = 1_000_000_000

    private static func text(_ scopes: [EpochScope]) -> String {
        Set(scopes.map(\.index)).sorted().map { "\($0)" }.joined(separator: ",")
    }

    public var longestAcknowledgement: Int64 {
        settings.sharesPages ? ClusterSettings.longestAcknowledgement : 0
    }

    // MARK: Own writes

    /// Announces a write: if this process ends in the midst of it, others make its pages void when the time is over.
    func announce(_ fetch: Fetch, now: MonotonicInstant) {
        let id = state.withLock { state in
            state.lastWrite += 1
            let id = "\(name)-\(state.lastWrite)"
            state.announced[fetch.id] = id
            return id
        }
        let span = max(0, fetch.deadline - now) / 1000 + Self.grace / 1000
        let arguments = [Array(id.utf8), Array(Self.text(fetch.invalidates).utf8), bytes(span)]
        run(beginScript, as: .begin, keys: [keys.writes, keys.log], arguments) {
            $0.gate?.proceed(fetch, now: $1?.now ?? .now)
        }
    }

    public func writeEnded(_ fetch: Fetch, wasSent: Bool, _ delivery: Delivery) {
        guard settings.sharesPages else { return gate?.deliver([delivery]) ?? () }
        let id = state.withLock { $0.announced.removeValue(forKey: fetch.id) }
        guard wasSent else {
            if let id { run(dropScript, as: .end, keys: [keys.writes, keys.log], [Array(id.utf8)]) { _, _ in } }
            gate?.deliver([delivery])
            return
        }
        // Ids of writes that were not announced are not those of others that were.
        send(
            PendingEnd(
                id: id ?? "\(name)-f\(fetch.id)", scopes: Self.text(fetch.invalidates), delivery: delivery,
                repliedAt: .now))
    }

    /// Tells Redis that a write has ended, now or as soon as it can be reached.
    private func send(_ end: PendingEnd) {
        let arguments = [Array(end.id.utf8), Array(end.scopes.utf8)]
        let names = [keys.writes, keys.epochs, keys.log, keys.generation]
        run(endScript, as: .end, keys: names, arguments) { member, reply in
            guard let reply, LogPosition.isID(reply.text(0)) else {
                // A gateway without Redis is not connected, so its writes wait for no other gateway; in strict ones they do, because others may
                // have found Redis again before this one.
                let isAlone =
                    !member.settings.isStrict && !member.isJoined && member.state.withLock { $0.mode != .shared }
                var end = end
                if isAlone, let delivery = end.delivery.take() { member.gate?.deliver([delivery]) }
                return member.state.withLock { $0.pendingEnds.add(end) }
            }
            // Also of an own write: since its end a void page may have come from Redis, where it was not void yet.
            member.takeOver(raised: reply.text(1), now: reply.now)
            guard let delivery = end.delivery else { return }
            member.pollAcknowledgement(reply.text(0), pause: Self.firstPause, until: end.deliverAt) { member, _, _ in
                member.metrics.countAcknowledged(MonotonicInstant.now - end.repliedAt)
                member.gate?.deliver([delivery])
            }
        }
    }

    /// Sends what Redis has not got, and delivers what has waited long enough.
    func sendPendingEnds(now: MonotonicInstant) {
        let isJoined = isJoined
        let (again, due) = state.withLock { state in
            var due: [Delivery] = []
            for place in state.pendingEnds.indices where state.pendingEnds[place].deliverAt <= now {
                if let delivery = state.pendingEnds[place].delivery.take() { due.append(delivery) }
            }
            guard isJoined else {
                state.pendingEnds.mergeDelivered()
                return ([PendingEnd](), due)
            }
            defer { state.pendingEnds = [] }
            return (state.pendingEnds, due)
        }
        if !due.isEmpty { gate?.deliver(due) }
        for end in again { send(end) }
    }

    /// Asks until all members have acted on an entry, or it is late enough: then the leases of those that have not are over.
    private func pollAcknowledgement(
        _ id: String, pause: Int64, until giveUp: MonotonicInstant,
        _ completion: @escaping @Sendable (ClusterMember, _ pending: Int, _ all: Int) -> Void
    ) {
        let arguments = [nameBytes, Array(id.utf8), bytes(ClusterSettings.lease / 1000)]
        run(acknowledgedScript, as: .acknowledged, keys: [keys.members, keys.generation, keys.log], arguments) {
            member, reply in
            let (pending, all) = (reply?.number(0) ?? 1, reply?.number(1) ?? 1)
            guard pending > 0, MonotonicInstant.now < giveUp else {
                return completion(member, Int(clamping: pending), Int(clamping: all))
            }
            member.later(pause) {
                $0.pollAcknowledgement(id, pause: min(Self.longestPause, pause * 2), until: giveUp, completion)
            }
        }
    }

    // MARK: Others' writes

    func writeBegins(_ id: String, until time: Int64) {
        state.withLock { $0.writesElsewhere[id] = time }
    }

    func writeHasEnded(_ id: String, raised: String) {
        state.withLock { _ = $0.writesElsewhere.removeValue(forKey: id) }
        takeOver(raised: raised, now: .now)
    }

    /// Takes raised epochs in, and makes their pages void.
    ///
    /// - Parameters:
    ///   - raised: `scope:epoch` pairs between commas.
    ///   - voids: false if pages of Redis are void, and those of this gateway are chosen by a purge.
    private func takeOver(raised: String, voids: Bool = true, now: MonotonicInstant) {
        var risen: [EpochScope] = []
        state.withLock { state in
            let latest = UInt64(clamping: state.membership.time(of: now)) &+ Self.clockTolerance
            for pair in raised.split(separator: ",") {
                let parts = pair.split(separator: ":")
                guard parts.count == 2, let index = Int(parts[0]), let value = UInt64(parts[1]),
                    EpochScope.all.indices.contains(index), state.mirror.raise(index, to: value, latest: latest)
                else { continue }
                risen.append(EpochScope.all[index])
            }
        }
        if !risen.isEmpty, voids { gate?.invalidate(risen, now: now) }
    }

    /// Microseconds.
    private static let retryTime: Int64 = 1_000_000

    /// Ends writes whose gateways have not said in time what became of them.
    func endOverdueWrites(now: MonotonicInstant) {
        let overdue = state.withLock { state -> [String] in
            guard state.log.isJoined, !state.writesElsewhere.isEmpty else { return [] }
            let time = state.membership.time(of: now)
            let overdue = state.writesElsewhere.filter { $0.value < time }.map(\.key)
            // Until Redis has replied it is tried again.
            for id in overdue { state.writesElsewhere[id] = time + Self.retryTime }
            return overdue
        }
        let names = [keys.writes, keys.epochs, keys.log, keys.generation]
        for id in overdue {
            run(expireScript, as: .end, keys: names, [Array(id.utf8)]) { member, reply in
                if reply != nil { member.state.withLock { $0.writesElsewhere[id] = nil } }
            }
        }
    }

    // MARK: Purges

    public func purge(_ request: PurgeRequest, completion: @escaping @Sendable (_ pages: Int, Int, Int) -> Void) {
        guard let gate else { return completion(0, 0, 0) }
        guard settings.sharesPages, isJoined else {
            let all = settings.sharesPages ? state.withLock { $0.membership.live + $0.membership.silent } : 1
            return completion(gate.purgeHere(request, now: .now), 1, max(1, all))
        }
        // Redis has no index of pages: all pages of the services concerned are dropped there.
        let services = gate.services.filter { request.service == nil || request.service == $0.settings.name }
        let scopes = Self.text(services.map { $0.everything })
        let arguments = [PurgeText.sealed(request, keys), Array(scopes.utf8), nameBytes]
        run(purgeScript, as: .purge, keys: [keys.log, keys.epochs, keys.generation], arguments) { member, reply in
            guard let reply, LogPosition.isID(reply.text(0)) else {
                // Perhaps the others have heard of it, and perhaps not.
                let all = member.state.withLock { $0.membership.live + $0.membership.silent }
                return completion(gate.purgeHere(request, now: .now), 1, max(1, all))
            }
            // First in Redis, so that no purged page comes back from there.
            member.takeOver(raised: reply.text(1), voids: false, now: reply.now)
            let pages = gate.purgeHere(request, now: .now)
            let giveUp = MonotonicInstant.now + ClusterSettings.longestAcknowledgement
            member.pollAcknowledgement(reply.text(0), pause: Self.firstPause, until: giveUp) { _, pending, all in
                completion(pages, all - min(pending, all) + 1, all + 1)
            }
        }
    }

    /// Purges as a gateway was asked to.
    ///
    /// - Parameter isOwn: true for this one, which purges when Redis has replied, and counts the pages then.
    func applyPurge(_ text: String, raised: String, isOwn: Bool) {
        // Also if it is its own, whose reply may have been lost.
        takeOver(raised: raised, voids: false, now: .now)
        if !isOwn, let request = PurgeText.opened(text, keys) { _ = gate?.purgeHere(request, now: .now) }
    }
}

/// A purge's request as a text: `service`, `operation`, `domain`, `status` and `soft`, each by its length, `-` for none. In the log it is sealed, because
/// it names what callers have asked for.
enum PurgeText {
    /// In hexadecimal digits; empty if memory is short: the pages in Redis are void without it.
    static func sealed(_ request: PurgeRequest, _ keys: ClusterKeys) -> [UInt8] {
        let sealed = SealedText.seal(text(request), context: Array("purge".utf8), key: keys.purges) ?? []
        var digits: [UInt8] = []
        for byte in sealed { digits.append(hexadecimal: byte) }
        return digits
    }

    /// Nil if no gateway with this secret has sealed it.
    static func opened(_ digits: String, _ keys: ClusterKeys) -> PurgeRequest? {
        let values = digits.utf8.compactMap(\.hexDigitValue)
        guard values.count == digits.utf8.count, values.count % 2 == 0 else { return nil }
        let sealed = stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
        return SealedText.open(sealed, context: Array("purge".utf8), key: keys.purges).flatMap {
            request(String(decoding: $0, as: UTF8.self))
        }
    }

    static func text(_ request: PurgeRequest) -> [UInt8] {
        let parts = [request.service, request.operation, request.domain, request.status]
        let texts = parts.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-:" }
        return Array((texts.joined() + (request.isSoft ? "1" : "0")).utf8)
    }

    static func request(_ text: String) -> PurgeRequest? {
        var rest = Array(text.utf8)[...]
        var parts: [String?] = []
        for _ in 0..<4 {
            guard let colon = rest.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            let length = rest[..<colon]
            rest = rest[(colon + 1)...]
            guard !length.elementsEqual("-".utf8) else {
                parts.append(nil)
                continue
            }
            guard let count = Int(String(decoding: length, as: UTF8.self)), (0...rest.count).contains(count) else {
                return nil
            }
            parts.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        guard rest.elementsEqual("1".utf8) || rest.elementsEqual("0".utf8) else { return nil }
        return PurgeRequest(
            service: parts[0], operation: parts[1], domain: parts[2], status: parts[3],
            isSoft: rest.elementsEqual("1".utf8))
    }
}
