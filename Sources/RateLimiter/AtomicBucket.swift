public import Primitives
internal import Synchronization

/// A token bucket that any thread may use: one atomic word, changed by compare and swap.
public struct AtomicBucket: ~Copyable, Sendable {
    /// The bucket's rate and burst.
    public let quota: Quota
    private let fullAt: Atomic<Int64>

    /// A full bucket.
    public init(_ quota: Quota) {
        self.quota = quota
        fullAt = Atomic(TokenBucket.full.fullAt.nanoseconds)
    }

    /// A bucket that takes the place of one with another quota. It has the tokens of that one, as far as its burst has room for them.
    public init(_ quota: Quota, keepingTokensOf old: borrowing AtomicBucket, now: MonotonicInstant) {
        self.quota = quota
        var bucket = old.bucket
        bucket.keepTokens(from: old.quota, to: quota, now: now)
        fullAt = Atomic(bucket.fullAt.nanoseconds)
    }

    /// Takes a token if there is one.
    public func take(now: MonotonicInstant) -> TokenBucket.Decision {
        while true {
            let old = bucket
            var new = old
            let decision = new.take(quota, now: now)
            guard decision == .admitted else { return decision }
            if replaces(old, by: new) { return decision }
        }
    }

    /// Puts an unused token back.
    public func giveBack() {
        while true {
            let old = bucket
            var new = old
            new.giveBack(quota)
            if replaces(old, by: new) { return }
        }
    }

    /// The number of tokens at `now`, with the fraction of the next one.
    public func tokens(now: MonotonicInstant) -> Double { bucket.tokens(quota, now: now) }

    private var bucket: TokenBucket {
        TokenBucket(fullAt: MonotonicInstant(nanoseconds: fullAt.load(ordering: .relaxed)))
    }

    private func replaces(_ old: TokenBucket, by new: TokenBucket) -> Bool {
        fullAt.weakCompareExchange(
            expected: old.fullAt.nanoseconds, desired: new.fullAt.nanoseconds, ordering: .relaxed
        ).exchanged
    }
}
