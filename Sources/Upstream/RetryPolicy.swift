/// When a failed attempt is followed by another. All spans are nanoseconds.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts of a call in all, 1 or more.
    public var maxAttempts = 3
    /// The longest pause before the first retry; it doubles with each further one.
    public var baseDelay: Int64 = 50_000_000
    /// No pause is longer.
    public var maxDelay: Int64 = 1_000_000_000
    /// Retries for each call of late.
    public var budgetRatio = 0.1
    /// Retries beside those, in ten seconds.
    public var budgetReserve = 10

    public init() {}

    /// The pause before the attempt after number `attempt`: anything up to the bound, so that calls that failed together do
    /// not come back together.
    ///
    /// "Full jitter" (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    func delay(after attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        var bound = max(0, baseDelay)
        for _ in 1..<max(2, min(attempt, 62)) where attempt > 1 {
            bound = bound > maxDelay / 2 ? maxDelay : bound * 2
        }
        return Int64.random(in: 0...max(0, min(bound, maxDelay)), using: &generator)
    }
}

/// Keeps retries a small part of the traffic: when everything fails, repeating it all would only double the load.
struct RetryBudget {
    private let ratio: Double
    private let reserve: Double
    private var balance: Double
    private var lastRefill: Int64

    init(_ policy: RetryPolicy, now: Int64) {
        ratio = policy.budgetRatio
        reserve = Double(policy.budgetReserve)
        balance = reserve
        lastRefill = now
    }

    /// A call has begun.
    mutating func deposit(now: Int64) {
        refill(now: now)
        balance = min(balance + ratio, ceiling)
    }

    /// Whether a retry may be made; it is paid for then.
    mutating func withdraw(now: Int64) -> Bool {
        refill(now: now)
        guard balance >= 1 else { return false }
        balance -= 1
        return true
    }

    /// The reserve comes back in ten seconds, so that a quiet gateway may retry too.
    private mutating func refill(now: Int64) {
        let elapsed = max(0, now - lastRefill)
        lastRefill = now
        if balance < reserve { balance = min(reserve, balance + reserve * Double(elapsed) / 1e10) }
    }

    /// What a hundred calls have brought, on top of the reserve.
    private var ceiling: Double { reserve + 100 * ratio }
}
