import RateLimiter
import Synchronization
import TestSupport
import Testing
import Primitives

@Suite("A bucket that threads share")
struct AtomicBucketTests {
    @Test("decides like a bucket alone", arguments: Trace.all)
    func steps(trace: Trace) {
        guard case .full = trace.start else { return }
        let bucket = AtomicBucket(trace.quota)
        for (number, step) in trace.steps.enumerated() {
            #expect(bucket.take(now: .at(step.now)) == step.outcome, "step \(number)")
        }
    }

    @Test("gives sixteen threads its burst, to the token")
    func burst() {
        let bucket = AtomicBucket(Quota(rate: 1, burst: 40_000))
        let admitted = Atomic<Int>(0)
        onThreads(16) { _ in
            var mine = 0
            for _ in 0..<10_000 where bucket.take(now: 0) == .admitted { mine += 1 }
            admitted.wrappingAdd(mine, ordering: .relaxed)
        }
        #expect(admitted.load(ordering: .relaxed) == 40_000)
        #expect(bucket.tokens(now: 0) == 0)
    }

    @Test("gives sixteen threads burst + rate · t while time goes on, to the token")
    func refill() {
        let quota = Quota(rate: 1e7, burst: 1000)
        let bucket = AtomicBucket(quota)
        let clock = Atomic<Int64>(0)
        let admitted = Atomic<Int>(0)
        for _ in 0..<1000 { #expect(bucket.take(now: 0) == .admitted) }
        onThreads(16) { _ in
            var mine = 0
            for _ in 0..<20_000 {
                let now = clock.wrappingAdd(1, ordering: .relaxed).newValue
                if bucket.take(now: .at(now)) == .admitted { mine += 1 }
            }
            admitted.wrappingAdd(mine, ordering: .relaxed)
        }
        let end = clock.load(ordering: .relaxed)
        var rest = 0
        while bucket.take(now: .at(end)) == .admitted { rest += 1 }
        #expect(end == 320_000)
        #expect(admitted.load(ordering: .relaxed) + rest == 3200)
    }

    @Test("is as full as before when sixteen threads have given back all they took")
    func giveBack() {
        let bucket = AtomicBucket(Quota(rate: 1, burst: 8))
        // One of the eight tokens is never put back, so that the bucket is never full and a surplus token would be noticed.
        #expect(bucket.take(now: 0) == .admitted)
        onThreads(16) { _ in
            for _ in 0..<5000 where bucket.take(now: 0) == .admitted { bucket.giveBack() }
        }
        #expect(bucket.tokens(now: 0) == 7)
    }
}
