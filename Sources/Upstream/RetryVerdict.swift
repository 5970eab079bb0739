internal import Gateway
internal import Primitives

/// An attempt that has ended without a good reply, and what is known of its call.
struct FailedAttempt {
    /// How the attempt ended, and whether a byte of it may have left.
    var kind: AttemptClass
    var mayHaveSent: Bool
    /// True if the service refused it only for what it was signed with, a time or credentials, and another would be signed with
    /// better: nothing was done then, and it is not the service that failed.
    var isOutdated = false
    var safety: Fetch.Safety
    /// Attempts that were made, this one included.
    var attempts: Int
    /// True if a retry here serves the clients, see `Gate.mayRetry`.
    var isWanted = true
    /// The rest of the call's time, in nanoseconds.
    var timeLeft: Int64
    /// True if the budget has paid for the cause already, or has nothing to pay: other attempts failed with the same connection, or
    /// the fault is here and not the service's.
    var isPaid = false
}

extension RetryPolicy {
    /// The decision after an attempt without a good reply.
    enum Verdict: Equatable {
        /// Another attempt, in so many nanoseconds.
        case again(after: Int64)
        case stop(Reason)
    }

    /// Why there is no other attempt.
    enum Reason: Equatable {
        /// It would end no better.
        case isFinal
        /// The request may have taken effect, and would again.
        case isUnsafe
        /// The clients retry by themselves.
        case isUnwanted
        case attempts
        case time
        case budget
    }

    /// - Parameters:
    ///   - pause: how long it would wait, see `delay`.
    ///   - budget: pays for the retry, if there is one.
    func verdict(after failure: FailedAttempt, pause: Int64, budget: inout RetryBudget, now: MonotonicInstant)
        -> Verdict
    {
        if !failure.isOutdated {
            guard failure.kind.isRetryable else { return .stop(.isFinal) }
            guard failure.safety != .unsafeWrite || !failure.mayHaveSent else { return .stop(.isUnsafe) }
            guard failure.isWanted else { return .stop(.isUnwanted) }
        }
        guard failure.attempts < maxAttempts else { return .stop(.attempts) }
        guard pause < failure.timeLeft else { return .stop(.time) }
        // Last, because it takes what it finds.
        guard failure.isPaid || budget.withdraw(now: now) else { return .stop(.budget) }
        return .again(after: pause)
    }
}
