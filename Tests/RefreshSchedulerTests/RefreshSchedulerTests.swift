import Primitives
import TestSupport
import Testing

@testable import RefreshScheduler

private let second: Int64 = 1_000_000_000

/// A scheduler with one group, times in seconds.
private struct SchedulerFixture {
    var scheduler = RefreshScheduler(groups: 2, minInterval: second)

    mutating func store(
        _ page: Int, at now: Int64, before: Int64? = nil, changes: Double = 0.01, requests: Int = 0, group: Int = 0,
        lastChance: Int64 = 600
    ) {
        scheduler.stored(
            page, group: group, fetchedAt: .at(now * second), estimate: ChangeEstimate(rate: changes, deviation: 0.1),
            observation: before.map {
                RefreshScheduler.Observation(before: .at($0 * second), hasChanged: false, requests: requests)
            }, lastChance: .at((now + lastChance) * second))
    }

    mutating func next(in group: Int = 0, at now: Int64 = 10) -> RefreshScheduler.Candidate? {
        scheduler.next(in: group, now: .at(now * second))
    }

    /// Stores a page twice, so that its requests are known.
    mutating func know(_ page: Int, requests: Int, changes: Double = 0.01) {
        store(page, at: 0, changes: changes)
        store(page, at: 10, before: 0, changes: changes, requests: requests)
    }
}

@Suite("The scheduler of refreshes")
struct RefreshSchedulerTests {
    @Test("has the page first that is asked for most")
    func requests() {
        var fixture = SchedulerFixture()
        fixture.know(1, requests: 10)
        fixture.know(2, requests: 1000)
        fixture.know(3, requests: 100)
        let turns = (1...3).map { fixture.scheduler.turn(of: $0, fetchedAt: .at(10 * second)) ?? .distantPast }
        #expect(turns[1] < turns[2] && turns[2] < turns[0])
    }

    @Test("refreshes no page sooner than the interval, and each at its last chance")
    func limits() {
        var fixture = SchedulerFixture()
        fixture.store(1, at: 5)
        let first = fixture.next()
        #expect(first?.from == .at(6 * second))
        fixture.know(2, requests: 1000)
        fixture.store(3, at: 10, changes: 100, lastChance: 50)
        #expect(fixture.scheduler.count(in: 0) == 3)
    }

    @Test("puts a page off that nobody asks for, four times as long each time, and forgets one that is gone")
    func unasked() throws {
        var fixture = SchedulerFixture()
        fixture.store(1, at: 0)
        fixture.store(2, at: 1)
        let candidate = fixture.next(at: 2)
        let first = try #require(candidate)
        #expect(first.page == 1)
        fixture.scheduler.isUnasked(first, now: .at(2 * second))
        let next = fixture.next(at: 2)
        let other = try #require(next)
        #expect(other.page == 2)
        fixture.scheduler.forget(other)
        let (early, late) = (fixture.next(at: 7), fixture.next(at: 8))
        #expect(early == nil)
        #expect(late?.page == 1)
        #expect(fixture.scheduler.count(in: 0) == 1)
        #expect(fixture.scheduler.estimate(of: 2, fetchedAt: other.fetchedAt) == nil)
    }

    @Test("knows nothing of a page whose number was given to another")
    func reuse() {
        var fixture = SchedulerFixture()
        fixture.know(1, requests: 1000)
        fixture.store(1, at: 20, changes: 0.5)
        #expect(fixture.scheduler.estimate(of: 1, fetchedAt: .at(10 * second)) == nil)
        #expect(fixture.scheduler.turn(of: 1, fetchedAt: .at(10 * second)) == nil)
        #expect(fixture.scheduler.estimate(of: 1, fetchedAt: .at(20 * second)) != nil)
    }

    @Test("keeps the groups apart, and does without one that there is not")
    func groups() {
        var fixture = SchedulerFixture()
        fixture.store(1, at: 0, group: 1)
        fixture.store(2, at: 0, group: 2)
        fixture.store(-1, at: 0)
        let pages = (0..<3).map { fixture.next(in: $0)?.page }
        #expect(pages == [nil, 1, nil])
        #expect(fixture.scheduler.price(of: 7) == 0)
    }

    @Test("takes no more memory than it says")
    func memory() {
        #expect(MemoryLayout<RefreshSlot>.stride + MemoryLayout<Int32>.size <= RefreshScheduler.bytesPerPage)
    }

    @Test("does not trap on any sequence of steps")
    func random() {
        var generator = SeededGenerator(seed: 9)
        var scheduler = RefreshScheduler(groups: 3, minInterval: second)
        var fetched = [MonotonicInstant](repeating: .distantPast, count: 50)
        var now: MonotonicInstant = .at(0)
        for _ in 0..<30_000 {
            now = now + Int64.random(in: 0..<second, using: &generator)
            let page = Int.random(in: 0..<50, using: &generator)
            let group = Int.random(in: 0..<3, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0, 1:
                var estimate =
                    scheduler.estimate(of: page, fetchedAt: fetched[page]) ?? ChangeEstimate(rate: 0.02, deviation: 2)
                estimate.observe(hasChanged: Bool.random(using: &generator), over: Double(now - fetched[page]) / 1e9)
                scheduler.stored(
                    page, group: group, fetchedAt: now, estimate: estimate,
                    observation: fetched[page] == .distantPast
                        ? nil
                        : RefreshScheduler.Observation(
                            before: fetched[page], hasChanged: true,
                            requests: Int.random(in: 0...70_000, using: &generator)),
                    lastChance: now + Int64.random(in: 0..<600 * second, using: &generator))
                fetched[page] = now
            case 2: if let next = scheduler.next(in: group, now: now) { scheduler.begun(next, requests: 3) }
            case 3: if let next = scheduler.next(in: group, now: now) { scheduler.isUnasked(next, now: now) }
            default: if let next = scheduler.next(in: group, now: now) { scheduler.forget(next) }
            }
            #expect((0..<3).reduce(0) { $0 + scheduler.count(in: $1) } <= 50)
        }
    }
}
