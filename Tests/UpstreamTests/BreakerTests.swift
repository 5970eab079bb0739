import TestSupport
import Testing

@testable import Upstream
import Primitives

@Suite("A breaker")
struct BreakerTests {
    private static let second: Int64 = 1_000_000_000
    private static let policy = Breaker.Policy(failures: 5, openFor: second)

    /// A breaker with a clock that is moved by hand.
    private struct Bench {
        var breaker: Breaker
        var now: MonotonicInstant = 0
        var generator = SeededGenerator(seed: 1)

        init(_ policy: Breaker.Policy = BreakerTests.policy) { breaker = Breaker(policy) }

        @discardableResult
        mutating func record(_ isFailure: Bool, isRepeat: Bool = false, isProbe: Bool = false) -> Breaker.Change? {
            breaker.record(
                isFailure ? .failed : .good, of: Self.input, isRepeat: isRepeat, isProbe: isProbe, now: now,
                using: &generator)
        }

        /// All attempts ask the same.
        static let input = AttemptInput(key: 1, domain: 1, operation: 1)

        mutating func fail(_ count: Int) { for _ in 0..<count { record(true) } }

        /// Moves to where it lets a probe through.
        mutating func probe() -> Breaker.Admission {
            if case .open(let until) = breaker.state { now = until }
            return breaker.admit(Self.input, now: now)
        }
    }

    @Test("opens at so many failures in a row, and not before")
    func inARow() {
        var bench = Bench()
        bench.fail(4)
        bench.record(false)
        bench.fail(4)
        #expect(bench.breaker.figure == 0)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .passes)
        guard case .opened(.failuresInARow(5), let span) = bench.record(true) else {
            Issue.record("it did not open")
            return
        }
        #expect(bench.breaker.figure == 2)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .refused)
        #expect(bench.breaker.admit(Bench.input, now: .at(bench.now + span - 1)) == .refused)
        #expect(bench.breaker.admit(Bench.input, now: bench.now + span) == .probe)
    }

    @Test("counts a call that is tried again and again once, and a repetition as the probe that it is")
    func repeats() {
        var bench = Bench()
        for _ in 0..<4 {
            bench.record(true)
            for _ in 0..<10 { bench.record(true, isRepeat: true) }
        }
        #expect(bench.breaker.figure == 0)
        #expect(bench.record(true) != nil)
        #expect(bench.probe() == .probe)
        #expect(bench.record(true, isRepeat: true, isProbe: true) != nil)
        #expect(bench.probe() == .probe)
        #expect(bench.record(false, isRepeat: true, isProbe: true) == .closed)
    }

    @Test("opens when half of at least twenty attempts within ten seconds have failed")
    func rate() {
        var bench = Bench()
        for index in 0..<19 { bench.record(index % 2 == 0) }
        #expect(bench.breaker.figure == 0)
        bench.record(false)
        #expect(bench.breaker.figure == 0, "only a failure opens it")
        #expect(bench.record(true) != nil)
        #expect(bench.breaker.figure == 2)
    }

    @Test("stays closed when less than half fail, however many")
    func brownout() {
        var bench = Bench()
        for index in 0..<10_000 {
            bench.now += Self.second / 100
            #expect(bench.record(index % 5 < 2) == nil)
        }
        #expect(bench.breaker.figure == 0)
    }

    @Test("forgets what was ten seconds ago")
    func window() {
        var bench = Bench()
        for index in 0..<18 { bench.record(index % 2 == 0) }
        bench.now += 10 * Self.second
        for index in 0..<18 { bench.record(index % 2 == 0) }
        #expect(bench.breaker.figure == 0)
    }

    @Test("lets one probe through, whose result decides, and no other's")
    func probe() {
        var bench = Bench()
        bench.fail(5)
        #expect(bench.probe() == .probe)
        #expect(bench.breaker.figure == 1)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .refused)
        // Attempts that were on their way when it opened.
        #expect(bench.record(false) == nil)
        #expect(bench.record(true) == nil)
        #expect(bench.breaker.figure == 1)
        guard case .opened(.probe, _) = bench.record(true, isProbe: true) else {
            Issue.record("it did not open again")
            return
        }
        #expect(bench.record(false) == nil)
        #expect(bench.breaker.figure == 2)
        #expect(bench.probe() == .probe)
        #expect(bench.record(false, isProbe: true) == .closed)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .passes)
    }

    @Test("begins anew when it has closed: the failures before count no more")
    func closed() {
        var bench = Bench()
        for index in 0..<21 { bench.record(index % 2 == 0) }
        #expect(bench.probe() == .probe)
        bench.record(false, isProbe: true)
        bench.fail(4)
        #expect(bench.breaker.figure == 0)
    }

    @Test("lets another probe through at once if the first was not sent")
    func unsentProbe() {
        var bench = Bench()
        bench.fail(5)
        #expect(bench.probe() == .probe)
        bench.breaker.recordNothing(isProbe: false, wasSent: false, now: bench.now)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .refused)
        bench.breaker.recordNothing(isProbe: true, wasSent: false, now: bench.now)
        #expect(bench.breaker.admit(Bench.input, now: bench.now) == .probe)
    }

    @Test("sends no more probes than one in its time, though none of them tells anything")
    func lostProbes() {
        var bench = Bench()
        bench.fail(5)
        #expect(bench.probe() == .probe)
        var probes = 0
        // Callers who wait a tenth of a second each.
        for _ in 0..<100 {
            bench.now += Self.second / 10
            bench.breaker.recordNothing(isProbe: true, wasSent: true, now: bench.now)
            if bench.breaker.admit(Bench.input, now: bench.now) == .probe { probes += 1 }
        }
        #expect(probes == 10)
    }

    @Test("stays open at least as long as it is told, at most a quarter longer, and never just so")
    func jitter() {
        var bench = Bench()
        var spans: Set<Int64> = []
        bench.fail(5)
        for _ in 0..<200 {
            _ = bench.probe()
            guard case .opened(_, let span) = bench.record(true, isProbe: true) else { continue }
            spans.insert(span)
        }
        #expect(spans.count > 150)
        #expect(spans.allSatisfy { (Self.second...Self.second * 5 / 4).contains($0) })
        #expect((spans.max() ?? 0) - (spans.min() ?? 0) > Self.second / 5)
    }

    @Test("takes any policy and any time", arguments: [1, 1000, Int.max], [0, 1, Int64.max])
    func extremes(_ failures: Int, _ openFor: Int64) {
        var bench = Bench(Breaker.Policy(failures: failures, openFor: openFor))
        for now in [Int64.min, -1, 0, 1, .max] {
            bench.now = .at(now)
            bench.fail(3)
            _ = bench.breaker.admit(Bench.input, now: .at(now))
            bench.record(true, isProbe: true)
        }
        #expect((0...2).contains(bench.breaker.figure))
    }
}
