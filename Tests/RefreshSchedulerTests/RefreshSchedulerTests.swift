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
        timeToLive: Int64 = 0, lastChance: Int64 = 600
    ) {
        scheduler.stored(
            page, group: group, fetchedAt: .at(now * second), estimate: ChangeEstimate(rate: changes, deviation: 0.1),
            observation: before.map {
                RefreshScheduler.Observation(before: .at($0 * second), hasChanged: false, requests: requests)
            }, timeToLive: timeToLive * second, lastChance: .at((now + lastChance) * second))
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
        for page in 1...3 {
            fixture.scheduler.reconsider(page, fetchedAt: .at(10 * second), requests: 0, now: .at(10 * second))
        }
        let turns = (1...3).map { fixture.scheduler.dueAt($0, fetchedAt: .at(10 * second)) ?? .distantPast }
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
        #expect(fixture.scheduler.dueAt(1, fetchedAt: .at(10 * second)) == nil)
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

    @Test("gives a token that pages have a claim to to one that is wanted, and a spare one to any")
    func wanted() {
        var fixture = SchedulerFixture()
        for page in 1...3 { fixture.store(page, at: Int64(page)) }
        #expect(!fixture.scheduler.hasWanted(in: 0))
        let nothing = fixture.scheduler.next(in: 0, for: .claimed, now: .at(9 * second))
        #expect(nothing == nil)
        let (isKnown, isOther) = (
            fixture.scheduler.want(3, fetchedAt: .at(3 * second), now: .at(9 * second)),
            fixture.scheduler.want(2, fetchedAt: .at(9 * second), now: .at(9 * second))
        )
        #expect(isKnown && !isOther)
        #expect(fixture.scheduler.hasWanted(in: 0))
        let (claimed, spare) = (
            fixture.scheduler.next(in: 0, for: .claimed, now: .at(9 * second)),
            fixture.scheduler.next(in: 0, for: .spare, now: .at(9 * second))
        )
        #expect(claimed?.page == 3 && claimed?.isWanted == true)
        #expect(spare?.page == 1 && spare?.isWanted == false)
        if let claimed { fixture.scheduler.begun(claimed, requests: 1) }
        #expect(!fixture.scheduler.hasWanted(in: 0))
        #expect(fixture.scheduler.count(in: 0) == 2)
    }

    @Test("has a page due before its time to live ends if it is sure to be asked for then, until it is wanted")
    func expiring() {
        var fixture = SchedulerFixture()
        // Page 1 sets the price, at which the others, which hardly change, are due after minutes.
        fixture.know(1, requests: 1000)
        for (page, requests) in [(2, 10), (3, 1)] {
            fixture.store(page, at: 0, changes: 0.0001, timeToLive: 16)
            fixture.store(page, at: 10, before: 0, changes: 0.0001, requests: requests, timeToLive: 16)
        }
        fixture.store(4, at: 0, changes: 0.0001)
        fixture.store(4, at: 10, before: 0, changes: 0.0001, requests: 10)
        let due = (2...4).map { fixture.scheduler.dueAt($0, fetchedAt: .at(10 * second)) ?? .distantPast }
        #expect(due[0] == .at(24 * second))
        #expect(due[1] > .at(60 * second) && due[2] > .at(60 * second))
        let price = fixture.scheduler.price(of: 0)
        _ = fixture.scheduler.want(2, fetchedAt: .at(10 * second), now: .at(26 * second))
        #expect((fixture.scheduler.dueAt(2, fetchedAt: .at(10 * second)) ?? .distantPast) > .at(60 * second))
        fixture.store(5, at: 0, changes: 0.0001, timeToLive: 16)
        fixture.store(5, at: 10, before: 0, changes: 0.0001, requests: 10, timeToLive: 16)
        let before = fixture.scheduler.price(of: 0)
        fixture.store(5, at: 24, before: 10, changes: 0.0001, requests: 14, timeToLive: 16)
        #expect(fixture.scheduler.price(of: 0) == before && before <= price)
    }

    @Test("gives a token that pages have a claim to to a page whose time to live is an estimate, if it is due sooner")
    func adaptive() {
        var fixture = SchedulerFixture()
        fixture.scheduler.stored(
            1, group: 0, isAdaptive: true, fetchedAt: .at(0), estimate: ChangeEstimate(rate: 0.01, deviation: 1),
            observation: nil, lastChance: .at(600 * second))
        fixture.store(2, at: 1)
        #expect(!fixture.scheduler.hasWanted(in: 0))
        _ = fixture.scheduler.want(2, fetchedAt: .at(second), now: .at(5 * second))
        let next = fixture.scheduler.next(in: 0, for: .claimed, now: .at(5 * second))
        #expect(next?.page == 1)
        #expect(fixture.scheduler.hasWanted(in: 0))
    }

    @Test("looks at a page again that nobody had asked for, as soon as it is wanted; one that failed, not sooner")
    func rests() {
        var fixture = SchedulerFixture()
        fixture.store(1, at: 0)
        fixture.store(2, at: 0)
        for _ in 0..<2 {
            guard let next = fixture.next(at: 2) else { return #expect(Bool(false), "a page waits") }
            if next.page == 1 {
                fixture.scheduler.isUnasked(next, now: .at(2 * second))
            } else {
                fixture.scheduler.putOff(2, fetchedAt: .at(0), until: .at(20 * second))
            }
        }
        for page in 1...2 { _ = fixture.scheduler.want(page, fetchedAt: .at(0), now: .at(3 * second)) }
        let next = fixture.scheduler.next(in: 0, for: .claimed, now: .at(3 * second))
        #expect(next?.page == 1)
        if let next { fixture.scheduler.begun(next, requests: 1) }
        #expect(!fixture.scheduler.hasWanted(in: 0))
        let later = fixture.scheduler.next(in: 0, for: .claimed, now: .at(20 * second))
        #expect(later?.page == 2)
        #expect(fixture.scheduler.hasWanted(in: 0))
    }

    @Test("works out anew when a page is due, with the requests that have come since its fetch")
    func reconsider() {
        var fixture = SchedulerFixture()
        fixture.know(1, requests: 100)
        fixture.know(2, requests: 100)
        let swept = fixture.scheduler.sweep(2)
        #expect(Set(swept.map(\.page)) == [1, 2] || swept.count == 1)
        let before = fixture.scheduler.dueAt(2, fetchedAt: .at(10 * second))
        fixture.scheduler.reconsider(2, fetchedAt: .at(10 * second), requests: 5000, now: .at(15 * second))
        let after = fixture.scheduler.dueAt(2, fetchedAt: .at(10 * second))
        #expect((after ?? .distantFuture) < (before ?? .distantPast))
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
            switch Int.random(in: 0..<9, using: &generator) {
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
            case 4: _ = scheduler.want(page, fetchedAt: fetched[page], now: now)
            case 5: scheduler.putOff(page, fetchedAt: fetched[page], until: now + second)
            case 6:
                for other in scheduler.sweep(3) {
                    scheduler.reconsider(other.page, fetchedAt: other.fetchedAt, requests: 9, now: now)
                }
            case 7:
                if let next = scheduler.next(in: group, for: .claimed, now: now) { scheduler.begun(next, requests: 3) }
            default: if let next = scheduler.next(in: group, now: now) { scheduler.forget(next) }
            }
            #expect((0..<3).reduce(0) { $0 + scheduler.count(in: $1) } <= 50)
            for group in 0..<3 where scheduler.hasWanted(in: group) {
                let next = scheduler.next(in: group, for: .claimed, now: now)
                #expect(next != nil)
            }
        }
    }
}
