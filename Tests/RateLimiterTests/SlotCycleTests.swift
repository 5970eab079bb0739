import Primitives
import TestSupport
import Testing

@testable import RateLimiter

/// A taker with a seat: a class, because expectations do not change values.
private final class Seat {
    private var cycle: SlotCycle

    init(interval: Int64, seat: Int = 0, of seats: Int, origin: MonotonicInstant = .at(0)) {
        cycle = SlotCycle(interval: interval, seat: seat, of: seats, origin: origin)
    }

    func take(at now: MonotonicInstant) -> Bool { cycle.take(now: now) }
    func giveBack() { cycle.giveBack() }
    func availability(behind count: Int, now: MonotonicInstant) -> MonotonicInstant {
        cycle.availability(behind: count, now: now)
    }
}

@Suite("Time slots of a fixed share")
struct SlotCycleTests {
    @Test("of all seats together are the whole rate, evenly spread", arguments: [1, 2, 3, 7, 10, 50])
    func together(seats: Int) {
        let cycles = (0..<seats).map { Seat(interval: 500 * millisecond, seat: $0, of: seats) }
        var taken: [Int64] = []
        for tick in 0..<(40 * 100) {
            let now = Int64(tick) * 10 * millisecond
            for seat in cycles.indices where cycles[seat].take(at: .at(now)) { taken.append(now) }
        }
        #expect(taken.count == 80)
        #expect(zip(taken, taken.dropFirst()).allSatisfy { $1 - $0 == 500 * millisecond })
    }

    @Test("are lost when they are not used, so that seats which were idle do not burst together")
    func idle() {
        let cycles = (0..<50).map { Seat(interval: 500 * millisecond, seat: $0, of: 50) }
        let now = MonotonicInstant.at(3_600_000 * millisecond)
        var count = 0
        for seat in cycles.indices where cycles[seat].take(at: now) { count += 1 }
        #expect(count == 1)
    }

    @Test("are open for a quarter of a second at the most")
    func window() {
        let cycle = Seat(interval: 1000 * millisecond, of: 2)
        #expect(!cycle.take(at: .at(250 * millisecond)))
        #expect(cycle.take(at: .at(2249 * millisecond)))
        #expect(!cycle.take(at: .at(2249 * millisecond)))
    }

    @Test("of neighbours in number lie apart")
    func spread() {
        let cycles = (0..<50).map { Seat(interval: 500 * millisecond, seat: $0, of: 50) }
        let starts = cycles.map { $0.availability(behind: 0, now: .at(1)).nanoseconds }
        #expect(Set(starts).count == 50)
        for (one, next) in zip(starts, starts.dropFirst()) {
            let apart = abs(one - next)
            #expect(min(apart, 25_000 * millisecond - apart) >= 5000 * millisecond)
        }
    }

    @Test("of fast rates are put together, and their number is right")
    func fast() {
        let cycle = Seat(interval: millisecond, seat: 1, of: 4)
        var count = 0
        for tick in 0..<10_000 {
            let now = MonotonicInstant.at(Int64(tick) * millisecond)
            while cycle.take(at: now) { count += 1 }
        }
        #expect((2480...2520).contains(count))
    }

    @Test("say when one can be taken, and it can be then", arguments: [0, 1, 5, 40])
    func availability(behind: Int) {
        let cycle = Seat(interval: 300 * millisecond, seat: 2, of: 5, origin: .at(77 * millisecond))
        var now = MonotonicInstant.at(10_000 * millisecond)
        let turn = cycle.availability(behind: behind, now: now)
        for _ in 0...behind {
            now = cycle.availability(behind: 0, now: now)
            #expect(cycle.take(at: now))
        }
        #expect(now == turn)
    }

    @Test("given back can be taken again, in the same slot")
    func giveBack() {
        let cycle = Seat(interval: 100 * millisecond, of: 3)
        #expect(cycle.take(at: .at(0)))
        cycle.giveBack()
        #expect(cycle.take(at: .at(0)))
        #expect(!cycle.take(at: .at(0)))
    }

    @Test("trap at no number", arguments: [1, Int64.max, Int64.max / 3], [0, -1, 999, Int.max])
    func extremes(interval: Int64, seat: Int) {
        for seats in [1, 0, 1000, Int.max] {
            for origin in [MonotonicInstant.distantPast, .at(0), .at(1), .distantFuture] {
                let cycle = Seat(interval: interval, seat: seat, of: seats, origin: origin)
                _ = cycle.availability(behind: 3, now: .at(0))
                _ = cycle.take(at: .at(5))
                _ = cycle.take(at: .distantFuture)
                _ = cycle.availability(behind: .max, now: .distantFuture)
                _ = cycle.availability(behind: .max, now: .distantPast)
            }
        }
    }
}
