public import Primitives

/// The source of the tokens of a quota group.
public enum TokenSource: Sendable, Equatable {
    /// The group's own bucket.
    case bucket
    /// Slots that are granted from outside one by one; see `QuotaGroup.slotsToAskFor`.
    case granted
    /// The slots of a fixed share of the rate.
    case cycle(SlotCycle)
    /// None: nothing is sent.
    case none
}

/// The slots that a quota group asks for.
public struct SlotRequest: Sendable, Equatable {
    /// At least 1; more only for groups above 50 a second.
    public let count: Int64
    /// The configured quota, without cuts.
    public let quota: Quota
}

/// The bucket and the queue of a group. It is not generic: generic code is not specialised across modules, and is many times
/// slower then.
@usableFromInline struct TokenLine {
    /// The group's own bucket. Where slots are granted from outside, what is known of the bucket that they come from.
    var bucket: TokenBucket
    var rate: AdaptiveRate
    var queue = FairQueue()
    private(set) var source = TokenSource.bucket
    /// Slots that were granted and not used yet, in order.
    private var slots: [MonotonicInstant] = []
    /// True while slots are asked for.
    private var isAsking = false
    /// No slot is asked for before this instant.
    private var askAt: MonotonicInstant = .distantPast

    init(bucket: TokenBucket, rate: AdaptiveRate) {
        self.bucket = bucket
        self.rate = rate
    }

    /// No token is taken before this instant.
    var heldUntil: MonotonicInstant = .distantPast
    /// What was spent ahead.
    var ahead = AheadShare()

    /// Brings rate and bucket up to date.
    mutating func rise(now: MonotonicInstant) {
        let old = rate.quota
        rate.rise(now: now)
        bucket.convert(from: old, to: rate.quota, now: now)
    }

    /// Another quota is configured. The tokens that there are stay, as far as the new burst has room for them.
    mutating func change(to quota: Quota, now: MonotonicInstant) {
        rise(now: now)
        let old = rate.quota
        rate.change(to: quota)
        bucket.keepTokens(from: old, to: rate.quota, now: now)
    }

    /// Takes a token if there is one and the group is not held.
    mutating func takeToken(now: MonotonicInstant) -> Bool {
        guard now >= heldUntil else { return false }
        guard source == .bucket else { return takeSlot(now: now) }
        // What was taken ahead has waited for the lateness of the next one, which need not be late again.
        if ahead.madeUp(bucket, rate.quota, now: now) { return bucket.take(rate.quota.prompt, now: now) == .admitted }
        return bucket.take(rate.quota, now: now) == .admitted
    }

    /// Takes a token for a new request, unless others wait.
    @usableFromInline
    mutating func takeAtOnce(_ claim: Claim, deadline: MonotonicInstant, now: MonotonicInstant) -> Bool {
        rise(now: now)
        guard queue.isEmpty, deadline >= now, takeToken(now: now) else { return false }
        queue.serve(claim)
        return true
    }

    /// The instant of the token behind `count` others.
    func turn(behind count: Int, now: MonotonicInstant) -> MonotonicInstant {
        switch source {
        case .bucket:
            let turn = bucket.availability(of: Int64(count) + 1, rate.quota, now: now)
            return max(heldUntil, count == 0 ? max(now, turn - ahead.lead(bucket)) : turn)
        case .granted:
            if count < slots.count { return max(heldUntil, slots[count]) }
            return max(heldUntil, askAt, bucket.availability(of: Int64(count - slots.count) + 1, rate.quota, now: now))
        case .cycle(let cycle): return max(heldUntil, cycle.availability(behind: count, now: now))
        case .none: return .distantFuture
        }
    }

    /// Removes the waiting entries whose turn would come too late.
    mutating func removeLate(now: MonotonicInstant) -> [FairQueue.Entry] {
        let line = self
        return queue.removeLate { line.turn(behind: $0, now: now) }
    }

    mutating func giveBackToken(now: MonotonicInstant) {
        switch source {
        case .bucket: bucket.giveBack(rate.quota)
        case .granted: slots.insert(now, at: 0)
        case .cycle(var cycle):
            cycle.giveBack()
            source = .cycle(cycle)
        case .none: break
        }
    }

    /// When there is something to release, or slots are to be asked for.
    func nextLook(now: MonotonicInstant) -> MonotonicInstant {
        guard source == .granted, slots.isEmpty else { return turn(behind: 0, now: now) }
        // The answer to a question that is under way calls for a look of its own.
        return isAsking ? .distantFuture : max(askAt, now)
    }
}

// MARK: Slots

extension TokenLine {
    /// A slot that is this much older is not used any more, in nanoseconds: who gave it may have forgotten it.
    static let slotLife: Int64 = 1_000_000_000

    private mutating func takeSlot(now: MonotonicInstant) -> Bool {
        switch source {
        case .bucket, .none: return false
        case .granted:
            dropOldSlots(now: now)
            guard let first = slots.first, first <= now else { return false }
            slots.removeFirst()
            return true
        case .cycle(var cycle):
            let isTaken = cycle.take(now: now)
            source = .cycle(cycle)
            return isTaken
        }
    }

    private mutating func dropOldSlots(now: MonotonicInstant) {
        slots.removeAll { now - $0 > Self.slotLife }
    }

    mutating func use(_ new: TokenSource, now: MonotonicInstant) {
        guard new != source else { return }
        source = new
        slots = []
        askAt = now
    }

    /// Another source takes the place of one that tokens were taken from. The next token comes an interval later, because what was taken
    /// from the old source is not known to the new one.
    mutating func replace(with new: TokenSource, now: MonotonicInstant) {
        use(new, now: now)
        heldUntil = max(heldUntil, now + rate.quota.interval)
        if new == .bucket { bucket = .empty(rate.quota, now: now) }
    }

    mutating func slotsToAskFor(now: MonotonicInstant) -> SlotRequest? {
        guard source == .granted, !isAsking, now >= max(askAt, heldUntil), !queue.isEmpty else { return nil }
        dropOldSlots(now: now)
        guard slots.isEmpty else { return nil }
        isAsking = true
        let batch = max(1, SlotCycle.batchTime / rate.full.interval)
        let waiting = Int64(queue.callerCount + queue.refreshCount)
        return SlotRequest(count: min(batch, max(1, waiting)), quota: rate.full)
    }

    mutating func grant(_ new: [MonotonicInstant], bucket: TokenBucket, share: Double, now: MonotonicInstant) {
        isAsking = false
        guard source == .granted else { return }
        slots = new
        self.bucket = bucket
        rate.follow(share, now: now)
    }

    mutating func deny(until instant: MonotonicInstant, bucket: TokenBucket?, share: Double?, now: MonotonicInstant) {
        isAsking = false
        guard source == .granted else { return }
        askAt = instant
        if let bucket { self.bucket = bucket }
        if let share { rate.follow(share, now: now) }
    }
}
