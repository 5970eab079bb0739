/// A token bucket with continuous refill. Its state is one instant: when it will be full again.
///
/// This is the generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A). It has no counter to
/// refill, so it does not drift or overflow, and its state fits one atomic word. Over any span t at most burst + rate · t
/// takes succeed. A `now` earlier than the last one counts as the same instant.
public struct TokenBucket: Sendable, Equatable {
    /// The instant at which the bucket is full if no more tokens are taken, in monotonic nanoseconds.
    public var fullAt: Int64

    /// The outcome of a take.
    public enum Decision: Sendable, Equatable {
        case admitted
        /// There is no token before `until`.
        case denied(until: Int64)
    }

    /// A bucket that is full at an instant.
    public init(fullAt: Int64) { self.fullAt = fullAt }

    /// A full bucket.
    public static let full = TokenBucket(fullAt: .min)

    /// A bucket without tokens. The first one comes after the quota's interval and jitter.
    public static func empty(_ quota: Quota, now: Int64) -> TokenBucket {
        TokenBucket(fullAt: now &+ quota.capacity)
    }

    /// Takes a token if there is one.
    public mutating func take(_ quota: Quota, now: Int64) -> Decision {
        let available = availability(of: 1, quota, now: now)
        guard available <= now else { return .denied(until: available) }
        let (later, overflow) = max(fullAt, now).addingReportingOverflow(quota.interval)
        guard !overflow else { return .denied(until: .max) }
        fullAt = later
        return .admitted
    }

    /// Puts an unused token back.
    public mutating func giveBack(_ quota: Quota) {
        let (sum, overflow) = fullAt.subtractingReportingOverflow(quota.interval)
        fullAt = overflow ? .min : sum
    }

    /// The instant at which the `count`-th token from now on can be taken, if no other take comes first; `.max` if never.
    public func availability(of count: Int64, _ quota: Quota, now: Int64) -> Int64 {
        let (span, overflow) = quota.interval.multipliedReportingOverflow(by: count - quota.burst)
        if overflow { return .max }
        let (instant, beyond) = max(fullAt, now).addingReportingOverflow(span)
        let (later, tooLate) = instant.addingReportingOverflow(quota.jitter)
        return beyond || tooLate ? .max : max(later, now)
    }

    /// The number of tokens at `now`, with the fraction of the next one.
    public func tokens(_ quota: Quota, now: Int64) -> Double {
        guard fullAt > now else { return Double(quota.burst) }
        // In floating point, because the difference of two instants may not fit 64 bits.
        return max(0, Double(quota.burst) - (Double(fullAt) - Double(now)) / Double(quota.interval))
    }

    /// Returns true if the bucket is full; a new one is equal to it then.
    public func isFull(now: Int64) -> Bool { fullAt <= now }
}
