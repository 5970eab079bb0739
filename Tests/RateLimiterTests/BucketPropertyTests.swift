import TestSupport
import Testing

@testable import RateLimiter
import Primitives

/// Long random traces, checked against the definition of the bucket.
@Suite("Over a random trace, a bucket")
struct BucketPropertyTests {
    /// A rate in tokens a second, and a burst.
    static let quotas: [(Double, Double)] = [
        (0.001, 1), (2, 2), (1.96, 2), (5, 1), (60, 60), (9_900_001, 7), (1e7, 200),
    ]

    @Test("admits no more than burst + rate · t in any window", arguments: quotas, [1, 2, 3] as [UInt64])
    func neverAbove(quota: (rate: Double, burst: Double), seed: UInt64) {
        let bucketQuota = Quota(rate: quota.rate, burst: quota.burst)
        var bucket = TokenBucket.full
        var windows = WindowCheck(rate: quota.rate)
        var generator = SeededGenerator(seed: seed)
        var now: Int64 = 0
        for _ in 0..<8000 {
            now += Self.advance(bucketQuota, &generator)
            if bucket.take(bucketQuota, now: .at(now)) == .admitted { windows.admit(at: now) }
        }
        #expect(windows.worst <= quota.burst + 1e-6)
        #expect(windows.count > 100)
    }

    @Test("admits at least 99 % of burst + rate · t while there is demand", arguments: quotas, [4, 5] as [UInt64])
    func hardlyBelow(quota: (rate: Double, burst: Double), seed: UInt64) {
        let bucketQuota = Quota(rate: quota.rate, burst: quota.burst)
        var bucket = TokenBucket.full
        var generator = SeededGenerator(seed: seed)
        var now: Int64 = 0
        var admitted = 0
        for _ in 0..<8000 {
            while bucket.take(bucketQuota, now: .at(now)) == .admitted { admitted += 1 }
            // The next take comes no later than the bucket is full, so that no token is lost.
            now += Int64.random(in: 0...bucket.fullAt.nanoseconds - now, using: &generator)
        }
        while bucket.take(bucketQuota, now: .at(now)) == .admitted { admitted += 1 }
        let due = quota.burst + quota.rate * Double(now) / 1e9
        #expect(Double(admitted) >= 0.99 * due - 1)
        #expect(Double(admitted) <= due + 1e-6)
    }

    @Test(
        "keeps to burst + rate · t of the latest time when the clock jumps back and forth",
        arguments: 6...9 as ClosedRange<UInt64>)
    func jumps(seed: UInt64) {
        let quota = Quota(rate: 50, burst: 5)
        var bucket = TokenBucket.full
        var generator = SeededGenerator(seed: seed)
        var now: Int64 = 0
        var latest: Int64 = 0
        var admitted = 0
        for _ in 0..<10_000 {
            now += Self.advance(quota, &generator) * (Int.random(in: 0..<3, using: &generator) == 0 ? -1 : 1)
            now = max(0, now)
            latest = max(latest, now)
            if bucket.take(quota, now: .at(now)) == .admitted { admitted += 1 }
            #expect(Double(admitted) <= 5 + 50 * Double(latest) / 1e9 + 1e-6)
        }
        #expect(admitted > 1000)
    }

    /// Bursts of takes at one instant, steps of about an interval, and sometimes a pause.
    private static func advance(_ quota: Quota, _ generator: inout SeededGenerator) -> Int64 {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<8: 0
        case 8..<14: Int64.random(in: 0...quota.interval, using: &generator)
        case 14..<19: Int64.random(in: 0...3 * quota.interval, using: &generator)
        default: Int64.random(in: 0...2 * quota.interval * quota.burst, using: &generator)
        }
    }
}

/// The maximum, over all windows that begin and end with an admission, of their number less rate · t.
private struct WindowCheck {
    let rate: Double
    private(set) var count = 0
    private(set) var worst = 0.0
    private var lowest = Double.infinity

    init(rate: Double) { self.rate = rate }

    mutating func admit(at now: Int64) {
        let excess = Double(count) - rate * Double(now) / 1e9
        lowest = min(lowest, excess)
        count += 1
        worst = max(worst, excess - lowest + 1)
    }
}
