import Gateway
import TestSupport
import Testing

@testable import Upstream
import Primitives

/// "Only if the catalog says it is safe … full jitter … at most maxAttempts; a retry budget …; none when
/// amz-sdk-request says that every waiting client is already retrying; all inside one deadline".
@Suite("A retry")
struct RetryPolicyTests {
    private static let second: Int64 = 1_000_000_000

    private static func failure(
        _ kind: AttemptClass = .serverError, mayHaveSent: Bool = true, safety: Fetch.Safety = .read
    ) -> FailedAttempt {
        FailedAttempt(kind: kind, mayHaveSent: mayHaveSent, safety: safety, attempts: 1, timeLeft: second)
    }

    private func verdict(
        _ failure: FailedAttempt, pause: Int64 = 1, policy: RetryPolicy = RetryPolicy()
    ) -> RetryPolicy.Verdict {
        var budget = RetryBudget(policy, now: 0)
        return policy.verdict(after: failure, pause: pause, budget: &budget, now: 0)
    }

    @Test(
        "follows failures of the service, its time and the way to it, and nothing else",
        arguments: AttemptClass.allCases)
    func kinds(_ kind: AttemptClass) {
        let isRetried = [.serverError, .timeout, .connectError].contains(kind)
        #expect(verdict(Self.failure(kind)) == (isRetried ? .again(after: 1) : .stop(.isFinal)))
    }

    @Test(
        "of a write without a token is made only if nothing can have left",
        arguments: [(Fetch.Safety.read, true), (.idempotentWrite, true), (.unsafeWrite, false)])
    func safety(_ safety: Fetch.Safety, _ isRetried: Bool) {
        for kind in [AttemptClass.serverError, .timeout, .connectError] {
            let sent = verdict(Self.failure(kind, safety: safety))
            #expect(sent == (isRetried ? .again(after: 1) : .stop(.isUnsafe)))
            #expect(verdict(Self.failure(kind, mayHaveSent: false, safety: safety)) == .again(after: 1))
        }
    }

    @Test("needs an attempt, time and somebody who wants it, in this order")
    func limits() {
        var failure = Self.failure()
        failure.timeLeft = 5
        #expect(verdict(failure, pause: 4) == .again(after: 4))
        #expect(verdict(failure, pause: 5) == .stop(.time))
        failure.attempts = 2
        #expect(verdict(failure, pause: 4) == .again(after: 4))
        failure.attempts = 3
        #expect(verdict(failure, pause: 4) == .stop(.attempts))
        failure.isWanted = false
        #expect(verdict(failure, pause: 4) == .stop(.isUnwanted))
    }

    @Test("of a request that was refused for what it was signed with alone is made for everybody, a write too")
    func outdated() {
        var failure = Self.failure(.clientError, safety: .unsafeWrite)
        failure.isOutdated = true
        failure.isWanted = false
        #expect(verdict(failure) == .again(after: 1))
        failure.attempts = 3
        #expect(verdict(failure) == .stop(.attempts))
    }

    @Test("is paid for only if it is made")
    func budget() {
        var policy = RetryPolicy()
        policy.budget.reserve = 1
        policy.budget.ratio = 0
        var budget = RetryBudget(policy, now: 0)
        var late = Self.failure()
        late.timeLeft = 0
        #expect(policy.verdict(after: late, pause: 1, budget: &budget, now: 0) == .stop(.time))
        #expect(policy.verdict(after: Self.failure(), pause: 1, budget: &budget, now: 0) == .again(after: 1))
        #expect(policy.verdict(after: Self.failure(), pause: 1, budget: &budget, now: 0) == .stop(.budget))
        var paid = Self.failure()
        paid.isPaid = true
        #expect(policy.verdict(after: paid, pause: 1, budget: &budget, now: 0) == .again(after: 1))
    }

    @Test("waits anything up to a bound that doubles up to the longest")
    func jitter() {
        var policy = RetryPolicy()
        policy.baseDelay = 100
        policy.maxDelay = 350
        var generator = SeededGenerator(seed: 7)
        for (attempt, bound) in [(1, Int64(100)), (2, 200), (3, 350), (4, 350), (1000, 350)] {
            let delays = (0..<2000).map { _ in policy.delay(after: attempt, using: &generator) }
            #expect(delays.allSatisfy { (0...bound).contains($0) })
            #expect(delays.contains { $0 < bound / 10 } && delays.contains { $0 > bound - bound / 10 })
        }
        #expect(policy.delay(after: 1, isAtOnce: true, using: &generator) == 0)
        let second = (0..<2000).map { _ in policy.delay(after: 2, isAtOnce: true, using: &generator) }
        #expect(second.contains { $0 > 150 }, "only the first repetition is made at once")
        policy.baseDelay = 0
        #expect(policy.delay(after: 3, using: &generator) == 0)
    }
}

@Suite("The budget of retries")
struct RetryBudgetTests {
    private static let second: Int64 = 1_000_000_000

    @Test("lets a tenth of the calls be repeated, and the reserve beside")
    func ratio() {
        var budget = RetryBudget(RetryPolicy(), now: 0)
        var retries = 0
        // All at one moment, so that no reserve comes back.
        for _ in 0..<10_000 {
            budget.deposit(now: 0)
            if budget.withdraw(now: 0) { retries += 1 }
        }
        #expect((1005...1010).contains(retries))
    }

    @Test("keeps no more than a hundred calls have brought")
    func ceiling() {
        var budget = RetryBudget(RetryPolicy(), now: 0)
        for _ in 0..<100_000 { budget.deposit(now: 0) }
        var retries = 0
        while budget.withdraw(now: 0) { retries += 1 }
        #expect(retries == 20)
    }

    @Test("gets its reserve back in ten seconds, and no more")
    func reserve() {
        var budget = RetryBudget(RetryPolicy(), now: 0)
        for (time, count) in [(Int64(0), 10), (Self.second, 1), (11 * Self.second, 10), (100 * Self.second, 10)] {
            var retries = 0
            while budget.withdraw(now: .at(time)) { retries += 1 }
            #expect(retries == count)
        }
        // Time that goes back is no time.
        let isPaid = budget.withdraw(now: 0)
        #expect(!isPaid)
    }
}
