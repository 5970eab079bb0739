public import Locking
public import Primitives

/// The bucket of a quota group and its queue, under one lock, so that a new request cannot pass those that wait.
///
/// An element is what continues once it has its token. A group starts without tokens: a restart must not double the burst
/// that the upstream sees.
public final class QuotaGroup<Element: Sendable>: Sendable {
    /// The outcome of a request for a token.
    public enum Admission: Sendable, Equatable {
        /// The token is taken.
        case granted
        /// The element waits; `release` returns it when its token is there. `until` is an estimate: a caller that was served
        /// less may overtake, and `release` may then return the element as expired.
        case queued(until: MonotonicInstant)
        /// The element cannot be served in time, or the queue is full. A new request cannot get a token before `until`.
        case refused(until: MonotonicInstant)
    }

    @usableFromInline struct State {
        @usableFromInline var line: TokenLine
        var maxWait: Int64
        var maxDepth: Int
        /// The waiting elements by their id in the queue.
        var elements: [UInt64: Element] = [:]
        var lastID: UInt64 = 0
        /// The elements that lost their place to another request; the next `release` returns them as expired.
        var displaced: [Element] = []

        mutating func take(_ entry: FairQueue.Entry?) -> Element? {
            entry.flatMap { elements.removeValue(forKey: $0.id) }
        }
    }

    @usableFromInline let state: Locked<State>

    /// - Parameters:
    ///   - maxWait: the longest wait for a token, in nanoseconds; 0 refuses at once.
    ///   - maxDepth: the maximum number of waiting callers' requests, and of waiting refreshes.
    ///   - now: the instant of the start.
    public init(_ quota: Quota, maxWait: Int64, maxDepth: Int, now: MonotonicInstant) {
        state = Locked(
            State(
                line: TokenLine(bucket: .empty(quota, now: now), rate: AdaptiveRate(quota)), maxWait: max(0, maxWait),
                maxDepth: max(0, maxDepth)))
    }

    /// Another quota is configured. The tokens in the bucket stay, as far as the new burst has room for them, and a rate that was cut stays
    /// as it is in requests a second. What waits keeps its place and its deadline. The queue is to be released next.
    ///
    /// - Parameters: see `init`.
    /// - Returns: false if the quota is the same as before.
    @discardableResult
    public func change(to quota: Quota, maxWait: Int64, maxDepth: Int, now: MonotonicInstant) -> Bool {
        state.withLock { state in
            (state.maxWait, state.maxDepth) = (max(0, maxWait), max(0, maxDepth))
            guard state.line.rate.full != quota else { return false }
            state.line.change(to: quota, now: now)
            displaceLate(&state, now: now)
            return true
        }
    }

    // MARK: Requesting

    /// Requests a token.
    ///
    /// - Parameters:
    ///   - claim: the kind of the request, which decides its place in the queue.
    ///   - deadline: the last instant at which the token is of use. A caller also waits no longer than `maxWait`; a refresh
    ///     may, because no client waits for it.
    @inlinable
    public func request(_ element: Element, as claim: Claim, deadline: MonotonicInstant, now: MonotonicInstant)
        -> Admission
    {
        // Only this much is specialised in other modules: an attempt seldom waits.
        state.withLock { state in
            state.line.takeAtOnce(claim, deadline: deadline, now: now)
                ? .granted : enqueue(element, as: claim, deadline: deadline, now: now, &state)
        }
    }

    @usableFromInline
    func enqueue(
        _ element: Element, as claim: Claim, deadline: MonotonicInstant, now: MonotonicInstant, _ state: inout State
    ) -> Admission {
        let ahead = state.line.queue.turnsAhead(of: claim)
        let turn = state.line.turn(behind: ahead, now: now)
        let last = latest(claim, deadline, maxWait: state.maxWait, now: now)
        guard turn <= last, makeRoom(for: claim, behind: ahead, &state) else { return .refused(until: turn) }
        state.lastID &+= 1
        state.elements[state.lastID] = element
        state.line.queue.insert(FairQueue.Entry(id: state.lastID, deadline: last), claim)
        displaceLate(&state, now: now)
        return .queued(until: turn)
    }

    private func latest(
        _ claim: Claim, _ deadline: MonotonicInstant, maxWait: Int64, now: MonotonicInstant
    ) -> MonotonicInstant {
        if case .refresh = claim { maxWait > 0 ? deadline : now } else { min(deadline, now + maxWait) }
    }

    /// Displaces the last entry of a full queue if the new request would come before it; false if there is no room.
    private func makeRoom(for claim: Claim, behind ahead: Int, _ state: inout State) -> Bool {
        guard state.maxDepth > 0 else { return false }
        let count = if case .caller = claim { state.line.queue.callerCount } else { state.line.queue.refreshCount }
        guard count >= state.maxDepth else { return true }
        guard ahead < state.line.queue.turnsBehindAll(claim), let last = state.take(state.line.queue.removeLast(claim))
        else {
            return false
        }
        state.displaced.append(last)
        return true
    }

    private func displaceLate(_ state: inout State, now: MonotonicInstant) {
        let late = state.line.removeLate(now: now)
        state.displaced += late.compactMap { state.take($0) }
    }

    /// Moves a waiting element to the place of another claim on it, if that is sooner.
    ///
    /// - Parameter isMeant: chooses the element.
    /// - Returns: true if the element was moved; other elements may have been displaced then.
    public func join(as claim: Claim, now: MonotonicInstant, where isMeant: @Sendable (Element) -> Bool) -> Bool {
        state.withLock { state in
            guard let id = state.elements.first(where: { isMeant($0.value) })?.key,
                state.line.queue.improve(id: id, claim, latest: now + state.maxWait)
            else { return false }
            displaceLate(&state, now: now)
            return true
        }
    }

    /// Removes the chosen element from the queue; `nil` if it does not wait.
    public func remove(where isMeant: @Sendable (Element) -> Bool) -> Element? {
        state.withLock { state in
            guard let id = state.elements.first(where: { isMeant($0.value) })?.key else { return nil }
            return state.take(state.line.queue.remove(id: id))
        }
    }

    /// Puts an unused token back.
    public func giveBack(now: MonotonicInstant) {
        state.withLock { state in
            state.line.rise(now: now)
            state.line.giveBackToken(now: now)
        }
    }

    // MARK: Spare tokens

    /// Takes a token that is spare, or says when there may be one.
    ///
    /// A token is spare while nothing waits and the bucket is full, so that it would be lost otherwise, if the group allows several at
    /// once: what is left then is there for a new request. It is so too where the next one comes within `AheadShare.unnoticed`.
    ///
    /// - Parameter share: what may be spent of the rate.
    /// - Returns: `nil` if the token is taken; else it is not before the instant. It does not come before the queue is released if others
    ///   wait: `distantFuture`.
    public func takeSpare(_ share: Double, now: MonotonicInstant) -> MonotonicInstant? {
        state.withLock { $0.line.takeSpare(share, now: now, isTaken: true) }
    }

    /// As `takeSpare`, but takes none: `nil` if one could be taken.
    public func nextSpare(_ share: Double, now: MonotonicInstant) -> MonotonicInstant? {
        state.withLock { $0.line.takeSpare(share, now: now, isTaken: false) }
    }

    // MARK: Releasing

    /// Grants the available tokens in the order of the queue.
    ///
    /// - Parameters:
    ///   - granted: the elements that have their token now are appended.
    ///   - expired: the elements whose turn would come after their deadline are appended.
    /// - Returns: the instant of the next call, `nil` if no element waits.
    public func release(now: MonotonicInstant, granted: inout [Element], expired: inout [Element]) -> MonotonicInstant?
    {
        let (ready, late, next) = state.withLock { state in
            state.line.rise(now: now)
            var late = state.displaced
            state.displaced = []
            guard !state.line.queue.isEmpty else { return ([Element](), late, MonotonicInstant?.none) }
            late += state.line.queue.removeExpired(now: now).compactMap { state.take($0) }
            var ready: [Element] = []
            while !state.line.queue.isEmpty, state.line.takeToken(now: now) {
                if let element = state.take(state.line.queue.popFirst()) { ready.append(element) }
            }
            let next = state.line.queue.earliestDeadline.map { min(state.line.nextLook(now: now), $0 + 1) }
            return (ready, late, next)
        }
        granted += ready
        expired += late
        return next
    }

    /// Removes and returns all waiting elements.
    public func removeAll() -> [Element] {
        state.withLock { state in
            let waiting = state.elements.sorted { $0.key < $1.key }.map(\.value)
            let elements = state.displaced + waiting
            state.displaced = []
            state.elements = [:]
            state.line.queue = FairQueue()
            return elements
        }
    }

    // MARK: Feedback

    /// Empties the bucket and cuts the rate, because the upstream has throttled: others use the account too.
    ///
    /// - Parameter sentAt: the instant at which the throttled attempt was sent.
    /// - Returns: true if the rate was cut, false if the attempt was sent before the last cut.
    public func throttled(sentAt: MonotonicInstant, now: MonotonicInstant) -> Bool {
        state.withLock { state in
            guard state.line.rate.cut(sentAt: sentAt, now: now) else { return false }
            if state.line.source == .bucket { state.line.bucket = .empty(state.line.rate.quota, now: now) }
            displaceLate(&state, now: now)
            return true
        }
    }

    /// Takes no token before an instant, because the upstream has sent `Retry-After`. Elements that cannot wait that long are
    /// displaced, and the next `release` returns them as expired.
    public func hold(until instant: MonotonicInstant, now: MonotonicInstant) {
        state.withLock { state in
            guard instant > max(now, state.line.heldUntil) else { return }
            state.line.heldUntil = instant
            displaceLate(&state, now: now)
        }
    }

    // MARK: Tokens from outside

    /// Takes tokens from another source from now on.
    public func use(_ source: TokenSource, now: MonotonicInstant) {
        state.withLock { $0.line.use(source, now: now) }
    }

    /// As `use`, while tokens are being taken from the source before it: the next one comes an interval later.
    public func replaceSource(with source: TokenSource, now: MonotonicInstant) {
        state.withLock { $0.line.replace(with: source, now: now) }
    }

    /// Returns how many slots are to be asked for, nil if none are: if elements wait, none of their slots is here, and none is asked for.
    /// `grant` or `deny` must follow.
    public func slotsToAskFor(now: MonotonicInstant) -> SlotRequest? {
        state.withLock { $0.line.slotsToAskFor(now: now) }
    }

    /// Slots were granted.
    ///
    /// - Parameters:
    ///   - slots: when each may be used, in order; one is of no use a second after that.
    ///   - bucket: the shared bucket, as it is then.
    ///   - share: the share of the full rate in use.
    public func grant(_ slots: [MonotonicInstant], bucket: TokenBucket, share: Double, now: MonotonicInstant) {
        state.withLock { $0.line.grant(slots, bucket: bucket, share: share, now: now) }
    }

    /// No slot was granted. None is asked for before an instant.
    ///
    /// - Parameter bucket: the shared bucket; nil if it is not known.
    public func deny(until instant: MonotonicInstant, bucket: TokenBucket?, share: Double?, now: MonotonicInstant) {
        state.withLock { $0.line.deny(until: instant, bucket: bucket, share: share, now: now) }
    }

    // MARK: Figures

    /// The configured quota. `currentQuota` returns the one in use, whose rate may be lower.
    public var quota: Quota { state.withLock { $0.line.rate.full } }

    /// The quota in use.
    public func currentQuota(now: MonotonicInstant) -> Quota {
        state.withLock { state in
            state.line.rise(now: now)
            return state.line.rate.quota
        }
    }

    /// The number of waiting elements, of callers and refreshes.
    public var depth: Int {
        state.withLock { $0.line.queue.callerCount + $0.line.queue.refreshCount + $0.displaced.count }
    }

    /// The number of waiting refreshes.
    public var refreshes: Int { state.withLock { $0.line.queue.refreshCount } }

    /// The number of tokens in the bucket at `now`, with the fraction of the next one.
    public func tokens(now: MonotonicInstant) -> Double {
        state.withLock { $0.line.bucket.tokens($0.line.rate.quota, now: now) }
    }

    /// The instant at which a new request could get a token.
    public func turn(of claim: Claim, now: MonotonicInstant) -> MonotonicInstant {
        state.withLock { $0.line.turn(behind: $0.line.queue.turnsAhead(of: claim), now: now) }
    }
}
