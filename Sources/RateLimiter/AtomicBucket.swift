internal import Synchronization

/// A token bucket that any thread may use: one atomic word, changed by compare and swap.
public struct AtomicBucket: ~Copyable, Sendable {
    /// The bucket's rate and burst.
    public let quota: Quota
    private let fullAt: Atomic<Int64>

    /// A full bucket.
    public init(_ quota: Quota) {
        self.quota = quota
        fullAt = Atomic(TokenBucket.full.fullAt)
    }

    /// Takes a token if there is one.
    public func take(now: Int64) -> TokenBucket.Decision {
        var old = fullAt.load(ordering: .relaxed)
        while true {
            var bucket = TokenBucket(fullAt: old)
            let decision = bucket.take(quota, now: now)
            guard decision == .admitted else { return decision }
            let (exchanged, found) = fullAt.weakCompareExchange(
                expected: old, desired: bucket.fullAt, ordering: .relaxed)
            if exchanged { return decision }
            old = found
        }
    }

    /// Puts an unused token back.
    public func giveBack() {
        var old = fullAt.load(ordering: .relaxed)
        while true {
            var bucket = TokenBucket(fullAt: old)
            bucket.giveBack(quota)
            let (exchanged, found) = fullAt.weakCompareExchange(
                expected: old, desired: bucket.fullAt, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }

    /// The number of tokens at `now`, with the fraction of the next one.
    public func tokens(now: Int64) -> Double {
        TokenBucket(fullAt: fullAt.load(ordering: .relaxed)).tokens(quota, now: now)
    }
}
