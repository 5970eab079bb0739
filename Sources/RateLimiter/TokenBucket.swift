/// A token bucket with continuous refill, as one instant: when it will be full again.
///
/// This is the generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A), which is a token bucket
/// without a counter to refill: nothing drifts, nothing overflows, and the state fits one atomic word. Over any span t no
/// more than burst + rate · t takes succeed. Time that goes backwards counts as no time.
public struct TokenBucket: Sendable, Equatable {
    /// The instant at which the bucket is full if nothing more is taken.
    public var fullAt: Int64

    /// What became of a take.
    public enum Decision: Sendable, Equatable {
        case admitted
        /// Not before `until` can a token be there.
        case denied(until: Int64)
    }

    /// A bucket in a known state.
    public init(fullAt: Int64) { self.fullAt = fullAt }

    /// A full bucket.
    public static let full = TokenBucket(fullAt: .min)

    /// A bucket without a token; the first one comes when one would after the last of a burst, and the jitter later.
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

    /// Puts a token back that was taken and not used.
    public mutating func giveBack(_ quota: Quota) {
        let (sum, overflow) = fullAt.subtractingReportingOverflow(quota.interval)
        fullAt = overflow ? .min : sum
    }

    /// When the `count`-th token from now on can be taken, if nobody else takes one.
    public func availability(of count: Int64, _ quota: Quota, now: Int64) -> Int64 {
        let (span, overflow) = quota.interval.multipliedReportingOverflow(by: count - quota.burst)
        if overflow { return .max }
        let (instant, beyond) = max(fullAt, now).addingReportingOverflow(span)
        let (later, tooLate) = instant.addingReportingOverflow(quota.jitter)
        return beyond || tooLate ? .max : max(later, now)
    }

    /// The tokens in the bucket, a fraction of the next one included.
    public func tokens(_ quota: Quota, now: Int64) -> Double {
        guard fullAt > now else { return Double(quota.burst) }
        // In floating point, because the difference of two instants may not fit 64 bits.
        return max(0, Double(quota.burst) - (Double(fullAt) - Double(now)) / Double(quota.interval))
    }

    /// Whether it is full, so that forgetting it changes nothing.
    public func isFull(now: Int64) -> Bool { fullAt <= now }
}
