public import Primitives

/// A token bucket with continuous refill. Its state is one instant: when it will be full again.
///
/// This is the generic cell rate algorithm in its virtual scheduling form (ITU-T I.371, annex A). It has no counter to
/// refill, so it does not drift or overflow, and its state fits one atomic word. Over any span t at most burst + rate · t
/// takes succeed. A `now` earlier than the last one counts as the same instant.
public struct TokenBucket: Sendable, Equatable {
    /// The instant at which the bucket is full if no more tokens are taken.
    public var fullAt: MonotonicInstant

    /// The outcome of a take.
    public enum Decision: Sendable, Equatable {
        case admitted
        /// There is no token before `until`.
        case denied(until: MonotonicInstant)
    }

    /// A bucket that is full at an instant.
    public init(fullAt: MonotonicInstant) { self.fullAt = fullAt }

    /// A full bucket.
    public static let full = TokenBucket(fullAt: .distantPast)

    /// A bucket without tokens. The first one comes after the quota's interval and jitter.
    public static func empty(_ quota: Quota, now: MonotonicInstant) -> TokenBucket {
        TokenBucket(fullAt: now + quota.capacity)
    }

    /// Takes a token if there is one.
    public mutating func take(_ quota: Quota, now: MonotonicInstant) -> Decision {
        let available = availability(of: 1, quota, now: now)
        guard available <= now else { return .denied(until: available) }
        let later = max(fullAt, now) + quota.interval
        guard later < .distantFuture else { return .denied(until: later) }
        fullAt = later
        return .admitted
    }

    /// Puts an unused token back.
    public mutating func giveBack(_ quota: Quota) {
        fullAt = fullAt - quota.interval
    }

    /// The instant at which the `count`-th token from now on can be taken, if no other take comes first; `distantFuture` if never.
    public func availability(of count: Int64, _ quota: Quota, now: MonotonicInstant) -> MonotonicInstant {
        let (span, overflow) = quota.interval.multipliedReportingOverflow(by: count - quota.burst)
        return overflow ? .distantFuture : max(max(fullAt, now) + span + quota.jitter, now)
    }

    /// The number of tokens at `now`, with the fraction of the next one.
    public func tokens(_ quota: Quota, now: MonotonicInstant) -> Double {
        guard fullAt > now else { return Double(quota.burst) }
        return max(0, Double(quota.burst) - Double(fullAt - now) / Double(quota.interval))
    }

    /// Returns true if the bucket is full; a new one is equal to it then.
    public func isFull(now: MonotonicInstant) -> Bool { fullAt <= now }
}
