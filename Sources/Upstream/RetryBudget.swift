internal import Primitives

/// Keeps retries a small part of the traffic: when everything fails, repeating it all would only double the load.
struct RetryBudget {
    private var ratio: Double
    private var reserve: Double
    private var balance: Double
    private var lastRefill: MonotonicInstant

    init(_ policy: RetryPolicy, now: MonotonicInstant) {
        ratio = policy.budget.ratio
        reserve = Double(policy.budget.reserve)
        balance = reserve
        lastRefill = now
    }

    /// Another policy takes effect. What is in the budget stays, as far as the new one has room for it.
    mutating func change(_ policy: RetryPolicy) {
        (ratio, reserve) = (policy.budget.ratio, Double(policy.budget.reserve))
        balance = min(balance, ceiling)
    }

    mutating func deposit(now: MonotonicInstant) {
        refill(now: now)
        balance = min(balance + ratio, ceiling)
    }

    /// Returns true if a retry may be made; it is paid for then.
    mutating func withdraw(now: MonotonicInstant) -> Bool {
        refill(now: now)
        guard balance >= 1 else { return false }
        balance -= 1
        return true
    }

    /// The reserve comes back in ten seconds, so that a quiet gateway may retry too.
    private mutating func refill(now: MonotonicInstant) {
        let elapsed = max(0, now - lastRefill)
        lastRefill = now
        if balance < reserve { balance = min(reserve, balance + reserve * Double(elapsed) / 1e10) }
    }

    /// The deposits of a hundred calls, on top of the reserve.
    private var ceiling: Double { reserve + 100 * ratio }
}
