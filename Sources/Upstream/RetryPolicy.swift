/// When a failed attempt is followed by another. All spans are nanoseconds.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts of a call in all, 1 or more.
    public var maxAttempts = 3
    /// The longest pause before the first retry; it doubles with each further one.
    public var baseDelay: Int64 = 50_000_000
    /// No pause is longer.
    public var maxDelay: Int64 = 1_000_000_000
    public var budget = Budget()

    /// How many retries there may be in all.
    public struct Budget: Sendable, Equatable {
        /// Retries for each call of late.
        public var ratio = 0.1
        /// Retries beside those, in ten seconds.
        public var reserve = 10
    }

    public init() {}

    /// The pause before the attempt after number `attempt`: anything up to the bound, so that calls that failed together do
    /// not come back together.
    ///
    /// "Full jitter" (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    ///
    /// - Parameter isAtOnce: true if the first repetition need not wait: a connection was lost or refused the request, and the next
    ///   attempt goes over another one.
    func delay(after attempt: Int, isAtOnce: Bool = false, using generator: inout some RandomNumberGenerator) -> Int64 {
        if isAtOnce, attempt <= 1 { return 0 }
        var bound = max(0, baseDelay)
        for _ in 1..<max(2, min(attempt, 62)) where attempt > 1 {
            bound = bound > maxDelay / 2 ? maxDelay : bound * 2
        }
        return Int64.random(in: 0...max(0, min(bound, maxDelay)), using: &generator)
    }
}
