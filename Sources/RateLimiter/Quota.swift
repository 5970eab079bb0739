/// The rate and the burst of a token bucket.
///
/// All instants and spans in this module are nanoseconds of a monotonic clock, passed in as arguments.
public struct Quota: Sendable, Equatable {
    /// One token a day.
    public static let minimumRate = 1.0 / 86_400
    /// Ten million tokens a second.
    public static let maximumRate = 1e7

    /// Nanoseconds from one token to the next, rounded up: the rate is never exceeded, and is at most 1 % below.
    public let interval: Int64
    /// The tokens of a full bucket, at least 1.
    public let burst: Int64
    /// The delay of each token of a burst but the first, in nanoseconds.
    ///
    /// Requests do not arrive as evenly as they are sent. If the first two of a burst are delayed on their way and the third
    /// is not, the upstream's own bucket sees them closer together than they were sent. Arrivals up to `jitter` too early
    /// are absorbed here, at the cost of one delay a burst. The rate does not change.
    public let jitter: Int64

    /// - Parameters:
    ///   - rate: tokens a second, clamped to `minimumRate...maximumRate`. NaN counts as the lower bound.
    ///   - burst: tokens at once, clamped to 1 and to the number that takes 73 years to refill. NaN counts as 1.
    ///   - jitter: the variation of arrivals in nanoseconds, clamped to 0 and to the burst without its first token.
    public init(rate: Double, burst: Double, jitter: Int64 = 0) {
        let rate = rate.isNaN ? Self.minimumRate : min(max(rate, Self.minimumRate), Self.maximumRate)
        interval = Int64((1e9 / rate).rounded(.up))
        let most = Double(Self.longest / interval)
        self.burst = Int64(burst.isNaN ? 1 : min(max(burst, 1), most))
        self.jitter = min(max(0, jitter), interval * (self.burst - 1))
    }

    init(interval: Int64, burst: Int64) {
        self.interval = interval
        self.burst = burst
        jitter = 0
    }

    /// The time in which an empty bucket becomes full.
    var capacity: Int64 { interval * burst }

    /// About 73 years: the sum of two such spans and an instant fits 64 bits.
    private static let longest: Int64 = 1 << 61
}
