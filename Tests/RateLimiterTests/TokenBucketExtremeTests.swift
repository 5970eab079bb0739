import Testing

@testable import RateLimiter
import Primitives
import TestSupport

/// No clock shows these times, but no input may end the process.
@Suite("A token bucket at the ends of time")
struct TokenBucketExtremeTests {
    @Test("takes, gives back and looks ahead without trapping")
    func takes() async {
        await #expect(processExitsWith: .success) {
            for (quota, fullAt, now) in Extremes.all {
                var bucket = TokenBucket(fullAt: fullAt)
                _ = bucket.take(quota, now: now)
                bucket.giveBack(quota)
                _ = bucket.isFull(now: now)
                _ = TokenBucket.empty(quota, now: now)
                for count in [1, 2, 1 << 40, Int64.max] { _ = bucket.availability(of: count, quota, now: now) }
            }
        }
    }

    @Test("tells its tokens without trapping, from none to the burst")
    func tokens() async {
        await #expect(processExitsWith: .success) {
            for (quota, fullAt, now) in Extremes.all {
                let tokens = TokenBucket(fullAt: fullAt).tokens(quota, now: now)
                #expect((0...Double(quota.burst)).contains(tokens))
            }
        }
    }

    @Test("serves any number of threads without trapping")
    func atomic() async {
        await #expect(processExitsWith: .success) {
            for (quota, _, now) in Extremes.all {
                let bucket = AtomicBucket(quota)
                for _ in 0..<3 { _ = bucket.take(now: now) }
                bucket.giveBack()
                for other in Extremes.instants { _ = bucket.take(now: other) }
            }
        }
    }

    @Test("stands in front of a queue without trapping")
    func group() async {
        await #expect(processExitsWith: .success) {
            for (quota, start, now) in Extremes.all {
                let group = QuotaGroup<Int>(quota, maxWait: .max, maxDepth: 4, now: start)
                for (element, deadline) in Extremes.instants.enumerated() {
                    _ = group.request(
                        element, as: element % 2 == 0 ? .caller(0, weight: .nan) : .refresh(fetchedAt: deadline),
                        deadline: deadline, now: now)
                }
                var granted: [Int] = []
                var expired: [Int] = []
                _ = group.release(now: now, granted: &granted, expired: &expired)
                _ = group.turn(of: .caller(0, weight: 0), now: now)
                _ = group.throttled(sentAt: now, now: now)
                _ = group.currentQuota(now: .distantFuture)
            }
        }
    }

    @Test("admits no more than its burst at one instant", arguments: Extremes.instants)
    func burst(now: MonotonicInstant) {
        let quota = Quota(rate: 2, burst: 3)
        var bucket = TokenBucket.full
        let admitted = (0..<50).count { _ in bucket.take(quota, now: now) == .admitted }
        #expect(admitted <= 3)
    }
}

/// Quotas and times at and near the bounds, each with each.
enum Extremes {
    static let quotas = [
        Quota(rate: Quota.minimumRate, burst: 1), Quota(rate: Quota.minimumRate, burst: .infinity),
        Quota(rate: Quota.maximumRate, burst: 1), Quota(rate: Quota.maximumRate, burst: .infinity),
        Quota(rate: 2, burst: 2),
    ]
    static let instants: [MonotonicInstant] =
        ([
            .min, .min + 1, .min + 1 << 61, -1 << 62, -1, 0, 1, 1 << 62, .max - 1 << 61, .max - 1, .max,
        ] as [Int64]).map { MonotonicInstant(nanoseconds: $0) }

    static var all: [(quota: Quota, fullAt: MonotonicInstant, now: MonotonicInstant)] {
        quotas.flatMap { quota in instants.flatMap { fullAt in instants.map { (quota, fullAt, $0) } } }
    }
}
