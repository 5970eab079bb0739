import RateLimiter
import TestSupport
import Testing
import Primitives

/// A quota group in virtual time, with callers that request tokens repeatedly.
private struct Contest {
    /// A caller: its weight, and the rate of its requests.
    struct Caller {
        var weight = 1.0
        var interval: Int64
        /// The maximum number of its requests in progress.
        var most = 1
    }

    /// The number of tokens that each caller gets in `seconds`, after a tenth of the time to settle.
    static func run(_ callers: [Caller], maxWait: Int64, seconds: Int64 = 100) -> [Int] {
        let group = QuotaGroup<Int>(Quota(rate: 100, burst: 100), maxWait: maxWait, maxDepth: 256, now: 0)
        var generator = SeededGenerator(seed: 1)
        var next = callers.map { Int64.random(in: 0..<$0.interval, using: &generator) }
        var underway = callers.map { _ in 0 }
        var served = callers.map { _ in 0 }
        let start = seconds * second / 10
        var wakeUp = MonotonicInstant.distantFuture
        func serve(_ caller: Int, _ now: Int64) { if now > start { served[caller] += 1 } }
        func release(_ now: Int64) {
            var granted: [Int] = []
            var expired: [Int] = []
            wakeUp = group.release(now: .at(now), granted: &granted, expired: &expired) ?? .distantFuture
            for caller in granted { serve(caller, now) }
            for caller in granted + expired { underway[caller] -= 1 }
        }
        for step in 1...(seconds * 11 / 10 * 1000) {
            let now = step * millisecond
            if wakeUp <= .at(now) { release(now) }
            var asked = false
            for number in callers.indices where next[number] <= now {
                let claim = Claim.caller(UInt32(number), weight: callers[number].weight)
                while next[number] <= now {
                    next[number] += callers[number].interval
                    guard underway[number] < callers[number].most else { continue }
                    switch group.request(number, as: claim, deadline: .distantFuture, now: .at(now)) {
                    case .granted: serve(number, now)
                    case .queued:
                        underway[number] += 1
                        asked = true
                    case .refused: break
                    }
                }
            }
            if asked { release(now) }
        }
        return served
    }
}

@Suite("Callers who always ask")
struct FairnessTests {
    @Test("get equal parts if their weights are equal", arguments: [2, 10, 100], [10 * second, 500 * millisecond])
    func equal(count: Int, maxWait: Int64) {
        let callers = (0..<count).map { _ in Contest.Caller(interval: Int64(count) * 5 * millisecond) }
        let served = Contest.run(callers, maxWait: maxWait)
        let part = 10_000 / Double(count)
        for got in served { #expect((0.95 * part...1.05 * part).contains(Double(got))) }
        #expect(served.reduce(0, +) >= 9900)
    }

    @Test("get parts in proportion to their weights", arguments: [10 * second, 500 * millisecond])
    func weights(maxWait: Int64) {
        let served = Contest.run(
            [
                Contest.Caller(weight: 3, interval: 5 * millisecond, most: 50),
                Contest.Caller(weight: 1, interval: 5 * millisecond, most: 50),
            ], maxWait: maxWait)
        #expect((2.85...3.15).contains(Double(served[0]) / Double(served[1])))
    }

    @Test("gain nothing by asking a thousand times as often", arguments: [10 * second, 500 * millisecond])
    func greed(maxWait: Int64) {
        // Each of 19 honest callers requests 6.7 a second, which is more than its twentieth.
        let honest = (0..<19).map { _ in Contest.Caller(interval: 150 * millisecond, most: 4) }
        let greedy = Contest.Caller(interval: 150 * microsecond, most: 1000)
        let served = Contest.run(honest + [greedy], maxWait: maxWait, seconds: 40)
        for got in served { #expect((190...210).contains(got), "\(served)") }
    }

    @Test("take what others leave")
    func leftovers() {
        let modest = Contest.Caller(interval: 100 * millisecond)
        let eager = Contest.Caller(interval: millisecond, most: 100)
        let served = Contest.run([modest, eager], maxWait: second)
        #expect((950...1050).contains(served[0]))
        #expect(served[1] > 8900)
    }
}
