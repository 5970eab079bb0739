import TestSupport
import Testing

@testable import RateLimiter

@Suite("A quota")
struct QuotaTests {
    @Test(
        "rounds the interval between tokens up to whole nanoseconds",
        arguments: [
            (0.1, 10_000_000_000), (0.5, 2_000_000_000), (1, 1_000_000_000), (1.96, 510_204_082), (2, 500_000_000),
            (3, 333_333_334), (7, 142_857_143), (60, 16_666_667), (1_000_000, 1000), (6_000_000, 167),
            (9_999_999, 101), (10_000_000, 100),
        ] as [(Double, Int64)])
    func interval(rate: Double, nanoseconds: Int64) {
        #expect(Quota(rate: rate, burst: 1).interval == nanoseconds)
    }

    @Test("of one token a day has an interval of a day")
    func day() {
        let interval = Quota(rate: 1.0 / 86_400, burst: 1).interval
        // The rate itself is rounded, so the last digits may differ.
        #expect((86_400 * second...86_400 * second + 1).contains(interval))
    }

    @Test(
        "takes a rate outside its range for the nearest bound, and what is no number for the lower one",
        arguments: [
            (0, Quota.minimumRate), (-0.0, Quota.minimumRate), (-1, Quota.minimumRate),
            (-.infinity, Quota.minimumRate), (.nan, Quota.minimumRate), (.signalingNaN, Quota.minimumRate),
            (.leastNonzeroMagnitude, Quota.minimumRate), (1e-6, Quota.minimumRate),
            (10_000_001, Quota.maximumRate), (1e300, Quota.maximumRate),
            (.greatestFiniteMagnitude, Quota.maximumRate), (.infinity, Quota.maximumRate),
        ] as [(Double, Double)])
    func outside(rate: Double, taken: Double) {
        #expect(Quota(rate: rate, burst: 3) == Quota(rate: taken, burst: 3))
    }

    @Test("is never above its rate and at most 1 % below, whatever the rate")
    func accuracy() {
        var generator = SeededGenerator(seed: 1)
        let range = log2(Quota.minimumRate)...log2(Quota.maximumRate)
        for _ in 0..<20_000 {
            let rate = exp2(Double.random(in: range, using: &generator))
            let ratio = 1e9 / Double(Quota(rate: rate, burst: 1).interval) / rate
            // One unit in the last place for the division above.
            #expect(ratio <= 1 + Double.ulpOfOne, "\(rate) a second")
            #expect(ratio >= 0.99, "\(rate) a second")
        }
    }

    @Test(
        "holds at least one token and never part of one",
        arguments: [
            (1, 1), (2, 2), (200, 200), (1e6, 1_000_000), (0, 1), (0.98, 1), (1.96, 1), (-3, 1), (-.infinity, 1),
            (.nan, 1),
        ] as [(Double, Int64)])
    func burst(asked: Double, held: Int64) {
        #expect(Quota(rate: 2, burst: asked).burst == held)
    }

    @Test(
        "holds no more than decades would refill",
        arguments: [1.0 / 86_400, 0.5, 2, 1e7], [1e18, 1e300, .infinity] as [Double])
    func endless(rate: Double, burst: Double) {
        let quota = Quota(rate: rate, burst: burst)
        let years = Double(quota.capacity) / 1e9 / 86_400 / 365.25
        #expect((60...80).contains(years))
    }

    private func log2(_ value: Double) -> Double { Double(value.exponent) + (value.significand - 1) }

    private func exp2(_ value: Double) -> Double {
        // An approximation of 2^x, the inverse of `log2` above, good enough to spread rates over all magnitudes.
        let exponent = value.rounded(.down)
        return Double(sign: .plus, exponent: Int(exponent), significand: 1 + value - exponent)
    }
}
