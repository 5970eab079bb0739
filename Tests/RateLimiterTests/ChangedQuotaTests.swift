import Primitives
import RateLimiter
import TestSupport
import Testing

@Suite("A quota that changes")
struct ChangedQuotaTests {
    private func group(_ rate: Double, _ burst: Double, jitter: Int64 = 0) -> QuotaGroup<String> {
        QuotaGroup(Quota(rate: rate, burst: burst, jitter: jitter), maxWait: 0, maxDepth: 0, now: 0)
    }

    private func take(_ group: QuotaGroup<String>, at now: Int64) -> Int {
        var taken = 0
        while taken < 100,
            group.request("", as: .caller(0, weight: 1), deadline: .distantFuture, now: .at(now)) == .granted
        {
            taken += 1
        }
        return taken
    }

    @Test(
        "keeps the tokens of the bucket, as far as the new burst has room",
        arguments: [(1.0, 1.0, 1), (1.0, 4.0, 3), (10.0, 20.0, 3), (0.1, 2.0, 2)])
    func level(rate: Double, burst: Double, left: Int) {
        let group = group(1, 5)
        #expect(take(group, at: 5 * second) == 5)
        // Three have come since.
        let differs = group.change(to: Quota(rate: rate, burst: burst), maxWait: 0, maxDepth: 0, now: .at(8 * second))
        #expect(differs)
        #expect(take(group, at: 8 * second) == left)
        #expect(!group.change(to: Quota(rate: rate, burst: burst), maxWait: 1, maxDepth: 1, now: .at(8 * second)))
    }

    @Test("gives a full bucket no more than it had, however large the new burst is")
    func full() {
        let group = group(1, 2)
        _ = group.change(to: Quota(rate: 1, burst: 100), maxWait: 0, maxDepth: 0, now: .at(1_000 * second))
        #expect(take(group, at: 1_000 * second) == 2)
        #expect(take(group, at: 1_003 * second) == 3)
    }

    @Test("to and fro a hundred times gives no token twice")
    func oscillation() {
        let group = group(2, 2, jitter: 250 * millisecond)
        var taken = 0
        for step in 0..<1_000 {
            let now = Int64(step) * 50 * millisecond
            if step % 10 == 0 {
                let quota = [Quota(rate: 2, burst: 2), Quota(rate: 0.5, burst: 1), Quota(rate: 1, burst: 2)][
                    step / 10 % 3]
                _ = group.change(to: quota, maxWait: 0, maxDepth: 0, now: .at(now))
            }
            taken += take(group, at: now)
        }
        // 50 seconds at the mean of the three rates, and one burst.
        #expect(taken <= 50 * 7 / 6 + 3)
        #expect(taken >= 40)
    }

    @Test("leaves a rate that was cut as it is in requests a second")
    func cut() {
        let group = group(10, 1)
        #expect(group.throttled(sentAt: .at(second), now: .at(second)))
        func rate() -> Double { 1e9 / Double(group.currentQuota(now: .at(second)).interval) }
        #expect(abs(rate() - 7) < 0.01)
        _ = group.change(to: Quota(rate: 20, burst: 1), maxWait: 0, maxDepth: 0, now: .at(second))
        #expect(abs(rate() - 7) < 0.1)
        _ = group.change(to: Quota(rate: 5, burst: 1), maxWait: 0, maxDepth: 0, now: .at(second))
        #expect(abs(rate() - 5) < 0.01)
    }

    @Test("gives nothing for an interval when slots take a bucket's place, and starts the bucket empty when they go")
    func sources() {
        let group = group(1, 1)
        let cycle = SlotCycle(interval: second, seat: 0, of: 1, origin: 0)
        #expect(take(group, at: 10 * second) == 1)
        group.replaceSource(with: .cycle(cycle), now: .at(10 * second))
        #expect(take(group, at: 10 * second + 1) == 0)
        #expect(take(group, at: 11 * second) == 1)
        group.replaceSource(with: .bucket, now: .at(11 * second))
        #expect(take(group, at: 11 * second + 1) == 0)
        #expect(take(group, at: 12 * second) == 1)
    }

    @Test("of callers and domains keeps what each has left")
    func buckets() {
        let old = AtomicBucket(Quota(rate: 1, burst: 3))
        for _ in 0..<2 { #expect(old.take(now: .at(second)) == .admitted) }
        let new = AtomicBucket(Quota(rate: 1, burst: 10), keepingTokensOf: old, now: .at(second))
        #expect(new.tokens(now: .at(second)) == 1)
        let domains = KeyedBuckets(Quota(rate: 1, burst: 3))
        for _ in 0..<2 { #expect(domains.take([1], now: .at(second)) == .admitted) }
        domains.change(to: Quota(rate: 2, burst: 10), now: .at(second))
        #expect(domains.take([1], now: .at(second)) == .admitted)
        #expect(domains.take([1], now: .at(second)) == .denied(until: .at(second + second / 2)))
    }
}
