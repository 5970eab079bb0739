import TestSupport
import Testing

@testable import Upstream
import Primitives

/// Failures that only some inputs have.
@Suite("A breaker tells a sick input from an outage")
struct BreakerInputTests {
    private static let second: Int64 = 1_000_000_000

    private struct Bench {
        var breaker = Breaker(Breaker.Policy(failures: 5, openFor: second))
        var now: Int64 = 0
        var generator = SeededGenerator(seed: 3)

        @discardableResult
        mutating func record(_ sign: Breaker.Sign, _ input: AttemptInput) -> Breaker.Change? {
            breaker.record(sign, of: input, isRepeat: false, isProbe: false, now: .at(now), using: &generator)
        }
    }

    private static func input(_ key: Int, domain: Int = 0, operation: Int = 0) -> AttemptInput {
        AttemptInput(key: key, domain: domain, operation: operation)
    }

    /// The part of an input that is sick.
    enum Part: CaseIterable {
        case key
        case domain
        case operation
    }

    @Test("a quarter of the inputs always fails, three times each: it never opens", arguments: Part.allCases)
    func quarter(part: Part) {
        var bench = Bench()
        var generator = SeededGenerator(seed: 11)
        var changes = 0
        for call in 0..<20_000 {
            bench.now += Self.second / 50
            let sick = Int.random(in: 0..<4, using: &generator) == 0
            let number = sick ? 0 : Int.random(in: 1..<4, using: &generator)
            let input =
                switch part {
                case .key: Self.input(number)
                // Pages without end of one domain, and of one operation.
                case .domain: Self.input(call, domain: number, operation: call % 7)
                case .operation: Self.input(call, domain: call % 7, operation: number)
                }
            for _ in 0..<(sick ? 3 : 1) where bench.record(sick ? .failed : .good, input) != nil { changes += 1 }
        }
        #expect(changes == 0)
        #expect(bench.breaker.figure == 0)
    }

    @Test("nor when the sick input alone is asked for a while")
    func alone() {
        var bench = Bench()
        bench.record(.good, Self.input(1, domain: 1))
        for _ in 0..<1000 {
            bench.now += Self.second / 20
            bench.record(.failed, Self.input(2, domain: 2))
        }
        #expect(bench.breaker.figure == 0)
        // After a minute nothing is known of the other.
        bench.now += 20 * Self.second
        bench.record(.failed, Self.input(2, domain: 2))
        #expect(bench.breaker.figure == 2)
    }

    @Test("as many inputs as the failures that open it are an outage", arguments: Part.allCases)
    func outage(part: Part) {
        var bench = Bench()
        for number in 0..<50 { bench.record(.good, Self.input(number, domain: number % 10, operation: number % 2)) }
        var failures = 0
        for number in 0..<50 where bench.breaker.figure == 0 {
            bench.record(.failed, Self.input(number, domain: number % 10, operation: number % 2))
            failures += 1
        }
        #expect(bench.breaker.figure == 2)
        #expect(failures == 5)
    }

    @Test("where no connection can be had, the input plays no part")
    func unreachable() {
        var bench = Bench()
        for number in 0..<50 { bench.record(.good, Self.input(number, domain: number)) }
        for _ in 0..<4 { #expect(bench.record(.unreachable, Self.input(0)) == nil) }
        #expect(bench.record(.unreachable, Self.input(0)) != nil)
    }

    @Test("what was answered well the last time passes, until as many of those fail as open it")
    func exceptions() {
        var bench = Bench()
        for number in 0..<20 { bench.record(.good, Self.input(number)) }
        for number in 20..<25 { bench.record(.failed, Self.input(number)) }
        #expect(bench.breaker.figure == 2)
        #expect(bench.breaker.admit(Self.input(22), now: 0) == .refused, "it failed")
        #expect(bench.breaker.admit(Self.input(99), now: 0) == .refused, "nothing is known of it")
        for number in 0..<20 {
            #expect(bench.breaker.admit(Self.input(number), now: 0) == .passes)
            bench.record(.good, Self.input(number))
        }
        for number in 0..<5 {
            #expect(bench.breaker.admit(Self.input(number), now: 0) == .passes)
            bench.record(.failed, Self.input(number))
        }
        #expect(bench.breaker.admit(Self.input(6), now: 0) == .refused)
        #expect(bench.breaker.figure == 2)
    }

    @Test("half of all attempts fail, whatever they ask: it opens")
    func rate() {
        var bench = Bench()
        for number in 0..<40 where bench.breaker.figure == 0 {
            bench.record(number % 2 == 0 ? .good : .failed, Self.input(number))
        }
        #expect(bench.breaker.figure == 2)
    }

    @Test("it remembers a bounded number of inputs, failures before others")
    func bounded() {
        var inputs = RecentInputs()
        for number in 0..<5000 { inputs.add(Self.input(number), isWell: true, now: 0) }
        #expect(inputs.isWell(Self.input(4999), now: 0), "the last is remembered")
        #expect(!inputs.isWell(Self.input(0), now: 0), "the first has made room")
        for number in 10_000..<15_000 { inputs.add(Self.input(number), isWell: false, now: 0) }
        #expect(inputs.mostFail(now: 0))
        inputs.add(Self.input(16_000), isWell: true, now: 0)
        #expect(!inputs.isWell(Self.input(16_000), now: 0), "no failure makes room for a good answer")
        inputs.add(Self.input(20_000), isWell: true, now: .at(61 * Self.second))
        #expect(inputs.isWell(Self.input(20_000), now: .at(61 * Self.second)), "what is old makes room")
        #expect(!inputs.isWell(Self.input(20_000), now: .at(122 * Self.second)))
    }
}
