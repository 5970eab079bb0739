internal import Locking

/// The bucket of a quota group and the queue in front of it, under one lock, so that a newcomer cannot pass those who wait.
///
/// Elements are whatever is to go on once it has its token. A group starts empty: a restart must not double the burst that
/// the upstream sees.
public final class QuotaGroup<Element: Sendable>: Sendable {
    /// What became of a request for a token.
    public enum Admission: Sendable, Equatable {
        /// The token is taken; go on now.
        case granted
        /// The element waits; `release` hands it back when its token is there. As things are that is at `until`; callers
        /// who were served less may come first, and then it may be handed back as one that is too late.
        case queued(until: Int64)
        /// It cannot be served in time, or the queue is full. Not before `until` can a newcomer have a token.
        case refused(until: Int64)
    }

    private struct State {
        var bucket: TokenBucket
        var pace: Pace
        var queue = FairQueue()
        /// What waits, by its number in the queue. (The queue is not generic: generic code is many times slower where the
        /// compiler cannot see what it is for, and it cannot across modules.)
        var elements: [UInt64: Element] = [:]
        var lastID: UInt64 = 0
        /// Those who lost their place to somebody who was served less, until the next release.
        var displaced: [Element] = []
        /// Before this instant no token is handed out.
        var heldUntil: Int64 = .min

        mutating func take(_ entry: FairQueue.Entry?) -> Element? {
            entry.flatMap { elements.removeValue(forKey: $0.id) }
        }

        /// Brings rate and bucket up to date.
        mutating func rise(now: Int64) {
            let old = pace.quota
            pace.rise(now: now)
            bucket.convert(from: old, to: pace.quota, now: now)
        }

        /// Takes a token if there is one, and it may be handed out.
        mutating func takeToken(now: Int64) -> Bool {
            now >= heldUntil && bucket.take(pace.quota, now: now) == .admitted
        }

        func turn(behind count: Int, now: Int64) -> Int64 {
            max(heldUntil, bucket.availability(of: Int64(count) + 1, pace.quota, now: now))
        }
    }

    /// What is configured; it may be that less is used, see `currentQuota`.
    public let quota: Quota
    private let maxWait: Int64
    private let maxDepth: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - maxWait: the longest wait for a token, in nanoseconds; 0 refuses at once.
    ///   - maxDepth: the most callers that may wait, and the most refreshes.
    ///   - now: the time of the start.
    public init(_ quota: Quota, maxWait: Int64, maxDepth: Int, now: Int64) {
        self.quota = quota
        self.maxWait = max(0, maxWait)
        self.maxDepth = max(0, maxDepth)
        state = Locked(State(bucket: .empty(quota, now: now), pace: Pace(quota)))
    }

    // MARK: Asking

    /// Asks for a token.
    ///
    /// - Parameters:
    ///   - claim: for whom, and with it the place in the queue.
    ///   - deadline: when the token would be of no more use. A caller waits no longer than `maxWait`; a refresh, for which
    ///     nobody waits, does.
    public func request(_ element: Element, as claim: Claim, deadline: Int64, now: Int64) -> Admission {
        state.withLock { state in
            state.rise(now: now)
            if state.queue.isEmpty, deadline >= now, state.takeToken(now: now) {
                state.queue.serve(claim)
                return .granted
            }
            let ahead = state.queue.turnsAhead(of: claim)
            let turn = state.turn(behind: ahead, now: now)
            let last = latest(claim, deadline, now: now)
            guard turn <= last, makeRoom(for: claim, behind: ahead, &state) else { return .refused(until: turn) }
            state.lastID &+= 1
            state.elements[state.lastID] = element
            state.queue.insert(FairQueue.Entry(id: state.lastID, deadline: last), claim)
            displaceLate(&state, now: now)
            return .queued(until: turn)
        }
    }

    private func latest(_ claim: Claim, _ deadline: Int64, now: Int64) -> Int64 {
        if case .refresh = claim { maxWait > 0 ? deadline : now } else { min(deadline, now &+ maxWait) }
    }

    /// In a full queue, whoever would be last gives way to a newcomer who would not.
    private func makeRoom(for claim: Claim, behind ahead: Int, _ state: inout State) -> Bool {
        guard maxDepth > 0 else { return false }
        let count = if case .caller = claim { state.queue.callerCount } else { state.queue.refreshCount }
        guard count >= maxDepth else { return true }
        guard ahead < state.queue.turnsBehindAll(claim), let last = state.take(state.queue.removeLast(claim)) else {
            return false
        }
        state.displaced.append(last)
        return true
    }

    private func displaceLate(_ state: inout State, now: Int64) {
        let (bucket, quota, heldUntil) = (state.bucket, state.pace.quota, state.heldUntil)
        let late = state.queue.removeLate { max(heldUntil, bucket.availability(of: Int64($0) + 1, quota, now: now)) }
        state.displaced += late.compactMap { state.take($0) }
    }

    /// Somebody else wants what may be waiting here: it goes on as theirs if that is sooner.
    ///
    /// - Returns: whether it is; then others may have lost their place.
    public func join(as claim: Claim, now: Int64, where isMeant: @Sendable (Element) -> Bool) -> Bool {
        state.withLock { state in
            guard let id = state.elements.first(where: { isMeant($0.value) })?.key,
                state.queue.improve(id: id, claim, latest: now &+ maxWait)
            else { return false }
            displaceLate(&state, now: now)
            return true
        }
    }

    /// Takes out the element that is meant, because nobody wants it any more.
    public func remove(where isMeant: @Sendable (Element) -> Bool) -> Element? {
        state.withLock { state in
            guard let id = state.elements.first(where: { isMeant($0.value) })?.key else { return nil }
            return state.take(state.queue.remove(id: id))
        }
    }

    /// Takes back a token that was granted and not used.
    public func giveBack(now: Int64) {
        state.withLock { state in
            state.rise(now: now)
            state.bucket.giveBack(state.pace.quota)
        }
    }

    // MARK: Releasing

    /// Hands out the tokens that have come since, in the order of the queue.
    ///
    /// - Parameters:
    ///   - granted: gets the elements that have their token now.
    ///   - expired: gets those whose deadline passed before their turn, or would have.
    /// - Returns: when to call again, nothing if nobody waits.
    public func release(now: Int64, granted: inout [Element], expired: inout [Element]) -> Int64? {
        let (ready, late, next) = state.withLock { state in
            state.rise(now: now)
            var late = state.displaced
            state.displaced = []
            guard !state.queue.isEmpty else { return ([Element](), late, Int64?.none) }
            late += state.queue.removeExpired(now: now).compactMap { state.take($0) }
            var ready: [Element] = []
            while !state.queue.isEmpty, state.takeToken(now: now) {
                if let element = state.take(state.queue.popFirst()) { ready.append(element) }
            }
            let next = state.queue.earliestDeadline.map { min(state.turn(behind: 0, now: now), $0 &+ 1) }
            return (ready, late, next)
        }
        granted += ready
        expired += late
        return next
    }

    /// Takes out all that wait.
    public func removeAll() -> [Element] {
        state.withLock { state in
            let waiting = state.elements.sorted { $0.key < $1.key }.map(\.value)
            let elements = state.displaced + waiting
            state.displaced = []
            state.elements = [:]
            state.queue = FairQueue()
            return elements
        }
    }

    // MARK: Feedback

    /// The upstream has throttled, because others use the account too: what the bucket holds is not there, and the rate is
    /// too high.
    ///
    /// - Parameter sentAt: when the attempt was sent.
    /// - Returns: whether the rate was cut; not if the attempt left before the last cut.
    public func throttled(sentAt: Int64, now: Int64) -> Bool {
        state.withLock { state in
            guard state.pace.cut(sentAt: sentAt, now: now) else { return false }
            state.bucket = .empty(state.pace.quota, now: now)
            displaceLate(&state, now: now)
            return true
        }
    }

    /// The upstream has said when it wants to be asked again: no token is handed out before. What cannot wait that long loses its
    /// place, and is handed back by the next `release`.
    public func hold(until instant: Int64, now: Int64) {
        state.withLock { state in
            guard instant > max(now, state.heldUntil) else { return }
            state.heldUntil = instant
            displaceLate(&state, now: now)
        }
    }

    // MARK: Figures

    /// What is used of the quota now.
    public func currentQuota(now: Int64) -> Quota {
        state.withLock { state in
            state.rise(now: now)
            return state.pace.quota
        }
    }

    /// How many wait, callers and refreshes.
    public var depth: Int { state.withLock { $0.queue.callerCount + $0.queue.refreshCount + $0.displaced.count } }

    /// The tokens in the bucket, a fraction of the next one included.
    public func tokens(now: Int64) -> Double { state.withLock { $0.bucket.tokens($0.pace.quota, now: now) } }

    /// When a newcomer could have a token.
    public func turn(of claim: Claim, now: Int64) -> Int64 {
        state.withLock { $0.turn(behind: $0.queue.turnsAhead(of: claim), now: now) }
    }
}
