import Primitives
import TestSupport
import Testing

@testable import Redis

@Suite("When a client connects")
struct ReconnectMachineTests {
    private typealias Action = ReconnectMachine.Action
    private static let pauses: ClosedRange<Int64> = 50_000_000...2_000_000_000

    private static func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    private static func machine(seed: UInt64 = 1) -> ReconnectMachine {
        ReconnectMachine(pauses: pauses, generator: SplitMix64(seed: seed))
    }

    /// The time that a machine wakes at; `nil` unless it waits.
    private static func end(_ action: Action) -> MonotonicInstant? {
        if case .wake(let time) = action { time } else { nil }
    }

    @Test("a life: start, failure, pause, connection, loss, close")
    func life() throws {
        var machine = Self.machine()
        #expect(machine.handle(.woke, now: Self.at(0)) == .none)
        #expect(machine.handle(.start, now: Self.at(0)) == .connect(attempt: 1))
        #expect(machine.handle(.start, now: Self.at(0)) == .none)
        let first = try #require(Self.end(machine.handle(.failed(attempt: 1), now: Self.at(10))))
        #expect(Self.at(10)...Self.at(60) ~= first)
        #expect(machine.handle(.woke, now: first - 1) == .wake(at: first))
        #expect(machine.handle(.woke, now: first) == .connect(attempt: 2))
        #expect(machine.handle(.connected(attempt: 2), now: first) == .use(attempt: 2))
        #expect(machine.state == .up(attempt: 2, since: first))
        let second = try #require(Self.end(machine.handle(.lost(attempt: 2), now: first)))
        #expect(machine.state == .waiting(until: second))
        #expect(machine.handle(.close, now: second) == .end)
        #expect(machine.handle(.close, now: second) == .none)
        #expect(machine.handle(.woke, now: second) == .none)
        #expect(machine.handle(.start, now: second) == .none)
    }

    @Test("what comes of an attempt that is over is discarded or ignored")
    func stale() {
        var machine = Self.machine()
        _ = machine.handle(.start, now: Self.at(0))
        #expect(machine.handle(.connected(attempt: 7), now: Self.at(0)) == .discard(attempt: 7))
        #expect(machine.handle(.failed(attempt: 7), now: Self.at(0)) == .none)
        #expect(machine.handle(.lost(attempt: 1), now: Self.at(0)) == .none)
        #expect(machine.handle(.close, now: Self.at(0)) == .end)
        #expect(machine.handle(.connected(attempt: 1), now: Self.at(0)) == .discard(attempt: 1))
        #expect(machine.handle(.failed(attempt: 1), now: Self.at(0)) == .none)
    }

    @Test("pauses double up to their bound, and begin anew after a connection that lasted")
    func bounds() throws {
        var greatest: [Int64] = []
        for seed in 0..<200 as Range<UInt64> {
            var machine = Self.machine(seed: seed)
            _ = machine.handle(.start, now: Self.at(0))
            var attempt: UInt64 = 1
            var now = Self.at(0)
            for step in 0..<10 {
                let until = try #require(Self.end(machine.handle(.failed(attempt: attempt), now: now)))
                if greatest.count <= step { greatest.append(0) }
                greatest[step] = max(greatest[step], until - now)
                now = until
                _ = machine.handle(.woke, now: now)
                attempt += 1
            }
            // A short connection keeps the bound, a long one resets it.
            _ = machine.handle(.connected(attempt: attempt), now: now)
            now = now + 2_000_000_001
            let until = try #require(Self.end(machine.handle(.lost(attempt: attempt), now: now)))
            #expect(until - now <= 50_000_000)
        }
        for (step, pause) in greatest.enumerated() {
            let bound = min(2_000_000_000, 50_000_000 << Int64(step))
            #expect(pause <= bound && pause > bound / 10 * 9, "pause \(step): \(pause)")
        }
    }

    @Test("a server that accepts and closes at once is not asked faster than one that refuses")
    func flapping() throws {
        var machine = Self.machine()
        var now = Self.at(0)
        var attempts = 0
        var action = machine.handle(.start, now: now)
        while now < Self.at(60_000) {
            guard case .connect(let attempt) = action else {
                Issue.record("\(action)")
                return
            }
            attempts += 1
            _ = machine.handle(.connected(attempt: attempt), now: now)
            now = try #require(Self.end(machine.handle(.lost(attempt: attempt), now: now)))
            action = machine.handle(.woke, now: now)
        }
        #expect(attempts < 100, "one a second on average")
    }

    @Test("in random sequences there is one attempt or connection or pause at a time, and none after the close")
    func sequences() {
        var generator = SeededGenerator(seed: 4)
        for seed in 0..<2_000 as Range<UInt64> {
            var machine = Self.machine(seed: seed)
            var now = Self.at(0)
            var attempts: UInt64 = 0
            var isClosed = false
            for _ in 0..<60 {
                now = now + Int64.random(in: 0...3_000_000_000, using: &generator)
                let attempt = UInt64.random(in: 0...attempts + 1, using: &generator)
                let before = machine.state
                let events: [ReconnectMachine.Event] = [
                    .start, .connected(attempt: attempt), .failed(attempt: attempt), .lost(attempt: attempt), .woke,
                    .woke, Int.random(in: 0..<40, using: &generator) == 0 ? .close : .woke,
                ]
                let event = events.randomElement(using: &generator) ?? .woke
                switch machine.handle(event, now: now) {
                case .none: #expect(machine.state == before)
                case .connect(let new):
                    #expect(new == attempts + 1 && machine.state == .connecting(attempt: new))
                    attempts = new
                case .use(let used):
                    #expect(before == .connecting(attempt: used) && used == attempts)
                case .discard(let other):
                    #expect(other == attempt && before != .connecting(attempt: other))
                case .wake(let time):
                    #expect(machine.state == .waiting(until: time))
                    #expect(time - now <= Self.pauses.upperBound)
                case .end:
                    #expect(!isClosed && event == .close)
                    isClosed = true
                }
                #expect((machine.state == .closed) == isClosed)
            }
        }
    }
}
