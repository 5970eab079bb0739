/// A rate and a burst: what a token bucket is filled with and how much it holds.
///
/// All instants and spans in this module are nanoseconds of a monotonic clock, handed in by the caller.
public struct Quota: Sendable, Equatable {
    /// One token a day.
    public static let minimumRate = 1.0 / 86_400
    /// Ten million tokens a second.
    public static let maximumRate = 1e7

    /// Nanoseconds from one token to the next, rounded up, so that the rate is never exceeded; it is at most 1 % below.
    public let interval: Int64
    /// The tokens of a full bucket, 1 or more.
    public let burst: Int64
    /// How much later than it could each token beyond the first of a burst is given, in nanoseconds.
    ///
    /// Requests that leave on time do not arrive so: if the first two of a burst are held up on their way and the third is
    /// not, the upstream's own bucket sees them closer together than they were sent. Whatever a request is early by the
    /// upstream's reckoning, up to this much, is absorbed here, at the cost of a delay once in a burst and none in the rate.
    public let jitter: Int64

    /// - Parameters:
    ///   - rate: tokens a second; values outside `minimumRate...maximumRate` count as the nearest bound, NaN as the lower.
    ///   - burst: tokens at once; less than 1 counts as 1, and more than would take 73 years to refill as that many.
    ///   - jitter: how much arrivals may vary, in nanoseconds. It comes out of the burst: at most all of it but one token.
    public init(rate: Double, burst: Double, jitter: Int64 = 0) {
        let rate = rate.isNaN ? Self.minimumRate : min(max(rate, Self.minimumRate), Self.maximumRate)
        interval = Int64((1e9 / rate).rounded(.up))
        let most = Double(Self.longest / interval)
        self.burst = Int64(burst.isNaN ? 1 : min(max(burst, 1), most))
        self.jitter = min(max(0, jitter), interval * (self.burst - 1))
    }

    /// The span that a full bucket stands for.
    var capacity: Int64 { interval * burst }

    /// About 73 years: sums of two such spans and an instant stay far inside 64 bits.
    private static let longest: Int64 = 1 << 61
}
