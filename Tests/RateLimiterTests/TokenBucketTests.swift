import TestSupport
import Testing

@testable import RateLimiter
import Primitives

/// A bucket in a known state, and the results of takes at known times.
struct Trace: Sendable, CustomTestStringConvertible {
    enum Start: Sendable {
        case full
        case empty(Int64)
    }

    typealias Step = (now: Int64, outcome: TokenBucket.Decision)

    var testDescription: String
    var quota: Quota
    var start: Start
    var steps: [Step]

    init(_ name: String, rate: Double, burst: Double, _ start: Start, unit: Int64 = millisecond, _ steps: [Step]) {
        testDescription = name
        quota = Quota(rate: rate, burst: burst)
        self.start =
            switch start {
            case .full: .full
            case .empty(let now): .empty(now * unit)
            }
        self.steps = steps.map { step in
            switch step.outcome {
            case .admitted: (step.now * unit, .admitted)
            case .denied(let until): (step.now * unit, .denied(until: .at(until.nanoseconds * unit)))
            }
        }
    }

    var bucket: TokenBucket {
        switch start {
        case .full: .full
        case .empty(let now): .empty(quota, now: .at(now))
        }
    }

    /// The default quota is two a second, two at once. Times are in milliseconds.
    static let all = [
        Trace(
            "full, then one each half second", rate: 2, burst: 2, .full,
            [
                (0, .admitted), (0, .admitted), (0, .denied(until: 500)), (499, .denied(until: 500)), (500, .admitted),
                (500, .denied(until: 1000)), (750, .denied(until: 1000)), (1000, .admitted),
            ]),
        Trace(
            "empty at first", rate: 2, burst: 2, .empty(0),
            [(0, .denied(until: 500)), (500, .admitted), (500, .denied(until: 1000)), (1250, .admitted)]),
        Trace(
            "rest does not add up to more than the burst", rate: 2, burst: 2, .empty(0),
            [(60_000, .admitted), (60_000, .admitted), (60_000, .denied(until: 60_500))]),
        Trace(
            "part of a token is kept", rate: 2, burst: 2, .full,
            [
                (0, .admitted), (0, .admitted), (700, .admitted), (999, .denied(until: 1000)), (1000, .admitted),
                (1499, .denied(until: 1500)), (1500, .admitted),
            ]),
        Trace(
            "a denial costs nothing", rate: 2, burst: 1, .full,
            [(0, .admitted)] + (1..<500).map { ($0, .denied(until: 500)) } + [(500, .admitted)]),
        Trace(
            "time that goes backwards is no time", rate: 2, burst: 2, .full,
            [
                (1000, .admitted), (1000, .admitted), (500, .denied(until: 1500)), (-9000, .denied(until: 1500)),
                (1499, .denied(until: 1500)), (1500, .admitted), (1400, .denied(until: 2000)),
            ]),
        Trace(
            "time before zero", rate: 2, burst: 1, .full,
            [(-5000, .admitted), (-5000, .denied(until: -4500)), (-4500, .admitted), (-4001, .denied(until: -4000))]),
        Trace(
            "one a day", rate: 1.0 / 86_400, burst: 1, .full, unit: Quota(rate: 1.0 / 86_400, burst: 1).interval,
            [(0, .admitted), (0, .denied(until: 1)), (1, .admitted), (9, .admitted), (9, .denied(until: 10))]),
        Trace(
            "ten million a second, in nanoseconds", rate: 1e7, burst: 3, .full, unit: 1,
            [
                (0, .admitted), (0, .admitted), (0, .admitted), (0, .denied(until: 100)), (99, .denied(until: 100)),
                (100, .admitted), (250, .admitted), (250, .denied(until: 300)),
            ]),
    ]
}

@Suite("A token bucket")
struct TokenBucketTests {
    @Test("admits and denies at known times", arguments: Trace.all)
    func steps(trace: Trace) {
        var bucket = trace.bucket
        for (number, step) in trace.steps.enumerated() {
            #expect(bucket.take(trace.quota, now: .at(step.now)) == step.outcome, "step \(number)")
        }
    }

    @Test("admits at the very instant that a denial names, not a nanosecond before")
    func promise() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<5000 {
            let quota = Quota(rate: Double.random(in: 0.01...1e6, using: &generator), burst: 3)
            var bucket = TokenBucket.empty(quota, now: .at(Int64.random(in: 0...1 << 50, using: &generator)))
            let now = bucket.fullAt - Int64.random(in: 1...3 * quota.interval, using: &generator)
            guard case .denied(let until) = bucket.take(quota, now: now) else { continue }
            #expect(until > now)
            #expect(bucket.take(quota, now: until - 1) == .denied(until: until))
            #expect(bucket.take(quota, now: until) == .admitted)
        }
    }

    @Test("takes a token back that was not used, but never holds more than its burst")
    func giveBack() {
        let quota = Quota(rate: 2, burst: 2)
        var bucket = TokenBucket.full
        #expect(bucket.take(quota, now: 0) == .admitted)
        #expect(bucket.take(quota, now: 0) == .admitted)
        bucket.giveBack(quota)
        #expect(bucket.tokens(quota, now: 0) == 1)
        #expect(bucket.take(quota, now: 0) == .admitted)
        #expect(bucket.take(quota, now: 0) == .denied(until: .at(500 * millisecond)))
        for _ in 0..<10 { bucket.giveBack(quota) }
        #expect(bucket.tokens(quota, now: 0) == 2)
        #expect(bucket.take(quota, now: 0) == .admitted)
        #expect(bucket.take(quota, now: .at(second)) == .admitted)
        #expect(bucket.take(quota, now: .at(second)) == .admitted)
        #expect(bucket.take(quota, now: .at(second)) != .admitted)
    }

    @Test(
        "tells its tokens, the fraction of the next one included",
        arguments: [(0, 0), (250, 0.5), (500, 1), (1250, 2.5), (1500, 3), (9000, 3)] as [(Int64, Double)])
    func tokens(milliseconds: Int64, held: Double) {
        let quota = Quota(rate: 2, burst: 3)
        let bucket = TokenBucket.empty(quota, now: 0)
        #expect(bucket.tokens(quota, now: .at(milliseconds * millisecond)) == held)
        #expect(bucket.isFull(now: .at(milliseconds * millisecond)) == (held == 3))
        #expect(TokenBucket.full.tokens(quota, now: .at(milliseconds * millisecond)) == 3)
    }

    @Test("says when each of the tokens to come can be had")
    func availability() {
        let quota = Quota(rate: 2, burst: 2)
        let bucket = TokenBucket.empty(quota, now: 0)
        let turns = (1...4).map { bucket.availability(of: $0, quota, now: 0).nanoseconds / millisecond }
        #expect(turns == [500, 1000, 1500, 2000])
        #expect(
            (1...3).map { bucket.availability(of: $0, quota, now: .at(second)).nanoseconds / millisecond } == [
                1000, 1000, 1500,
            ])
        #expect(bucket.availability(of: .max, quota, now: 0) == .distantFuture)
    }

    @Test("gives the later tokens of a burst as much later as arrivals may vary, and loses nothing of the rate")
    func jitter() {
        let quota = Quota(rate: 2, burst: 2, jitter: 100)
        var bucket = TokenBucket.full
        #expect(bucket.take(quota, now: 0) == .admitted)
        #expect(bucket.take(quota, now: 99) == .denied(until: 100))
        for turn in 0..<10 {
            let due = Int64(turn) * 500_000_000 + 100
            #expect(bucket.take(quota, now: .at(due - 1)) == .denied(until: .at(due)))
            #expect(bucket.take(quota, now: .at(due)) == .admitted)
        }
        #expect(Quota(rate: 2, burst: 1, jitter: 100).jitter == 0)
        #expect(Quota(rate: 2, burst: 2, jitter: .max).jitter == 500_000_000)
        #expect(Quota(rate: 2, burst: 2, jitter: .min).jitter == 0)
    }
}
