internal import Primitives

/// What may be spent of a group's tokens before anything asks for them, and what was spent of it.
struct AheadShare {
    /// A wait that makes no difference to a caller, in nanoseconds.
    static let unnoticed: Int64 = 50_000_000

    /// When the share allows the next token.
    private var nextAt: MonotonicInstant = .distantPast
    /// The bucket as the last token left it, and how long it had been full before, at most its jitter.
    private var left: TokenBucket?
    private var idle: Int64 = 0

    /// How much sooner than `Quota.jitter` says the next token may be taken, in nanoseconds.
    ///
    /// The later tokens of a burst are late so that what was sent before has arrived by then. The time that a bucket has been full before
    /// the burst serves as well; it counts for the token after the one that was taken ahead, and for no later one.
    func lead(_ bucket: TokenBucket) -> Int64 { left == bucket ? idle : 0 }

    /// Returns true if the next token can be taken now because of `lead`.
    func madeUp(_ bucket: TokenBucket, _ quota: Quota, now: MonotonicInstant) -> Bool {
        let lead = lead(bucket)
        guard lead > 0 else { return false }
        return bucket.availability(of: 1, quota, now: now) - lead <= now
    }

    fileprivate mutating func spend(_ bucket: TokenBucket, full idle: Int64, interval: Int64, now: MonotonicInstant) {
        left = bucket
        self.idle = idle
        // One that came late is made up for, but not two.
        nextAt = max(nextAt, now - interval) + interval
    }

    fileprivate func allowed(now: MonotonicInstant) -> MonotonicInstant { max(nextAt, now) }
}

extension Quota {
    /// The same quota without the lateness of a burst's later tokens.
    var prompt: Quota { Quota(interval: interval, burst: burst) }
}

extension TokenLine {
    /// See `QuotaGroup.takeSpare`.
    mutating func takeSpare(_ share: Double, now: MonotonicInstant, isTaken: Bool) -> MonotonicInstant? {
        rise(now: now)
        let quota = rate.quota
        // Of tokens that others grant none is known to be spare.
        guard share > 0, source == .bucket, queue.isEmpty else { return .distantFuture }
        guard quota.burst > 1 || quota.interval <= AheadShare.unnoticed else { return .distantFuture }
        let from = max(heldUntil, max(bucket.fullAt, ahead.allowed(now: now)))
        guard from <= now else { return from }
        guard isTaken else { return nil }
        let idle = bucket.fullAt == .distantPast ? quota.jitter : min(quota.jitter, now - bucket.fullAt)
        guard bucket.take(quota, now: now) == .admitted else { return bucket.availability(of: 1, quota, now: now) }
        let interval = Double(quota.interval) / min(share, 1)
        ahead.spend(bucket, full: idle, interval: Int64(min(interval, 1e18)), now: now)
        return nil
    }
}
