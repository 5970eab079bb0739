import PageCache
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("A cache under eight threads")
struct PageCacheThreadTests {
    @Test("hands back each who waited once, serves no other key's page, and counts right", arguments: [1, 4])
    func hammer(shards: Int) {
        let cache = PageCache(maxBytes: 200_000, maxWaiters: 4, shards: shards)
        let tally = Tally()
        let scopes = (0..<5).map { EpochScope(service: "s", domain: [UInt8($0)]) }
        let keys = (0..<400).map { PageKey(number: $0) }
        onThreads(8) { thread in
            var generator = SeededGenerator(seed: UInt64(thread))
            var mine: [Flight] = []
            for round in 0..<8000 {
                let number = Int.random(in: 0..<400, using: &generator)
                let waiter = Waiter(thread * 100_000 + round)
                // Steps of 20 ms, so that pages pass through all their states.
                let now = Int64(round) * second / 50
                let lookup = cache.find(keys[number], scope: scopes[number % 5], waiter: waiter, now: now)
                if let page = lookup.page, page.key != keys[number] || now >= page.revalidateUntil { tally.addWrong() }
                if lookup.kind == .lead || lookup.kind == .joined { tally.addWaiting(1) }
                if let flight = lookup.flight { mine.append(flight) }
                // Flights stay in progress for a while, so that other threads can join them.
                while mine.count > (round == 7999 ? 0 : 6) {
                    let flight = mine.removeFirst()
                    let page = Page(
                        flight.key, body: [UInt8](repeating: 1, count: 500), at: now, fresh: 1, revalidate: 2)
                    tally.addReturned(cache.land(flight, round % 7 == 0 ? .nothing : .keep(page), now: now))
                }
                if round % 500 == 0 { cache.invalidate(scopes[round / 500 % 5]) }
            }
        }
        #expect(tally.wrong == 0)
        #expect(tally.returned.count == tally.waiting)
        #expect(Set(tally.returned).count == tally.waiting)
        let figures = cache.figures
        #expect(figures.flights == 0)
        #expect(figures.invalidations == 8 * 16)
        #expect(figures.pages > 50)
        #expect(figures.bytes > figures.pages * 500)
        #expect(figures.evictions > 0)
    }

    @Test(
        "loses and keeps no waiter while clients come and go, pages are purged, saved and restored", arguments: [1, 4])
    func churn(shards: Int) {
        let cache = PageCache(maxBytes: 200_000, maxWaiters: 8, shards: shards)
        let keys = (0..<40).map { PageKey(number: $0) }
        let waited = SharedList<Waiter>()
        let gone = SharedList<Waiter>()
        let returned = SharedList<Waiter>()
        onThreads(8) { thread in
            var generator = SeededGenerator(seed: UInt64(thread))
            var mine: [Flight] = []
            for round in 0..<3000 {
                let key = keys[Int.random(in: 0..<40, using: &generator)]
                let waiter = Waiter(thread * 100_000 + round)
                let now = Int64(round) * second / 50
                let lookup =
                    round % 5 == 0
                    ? .lead(cache.lead(key, scope: CacheFixture.scope, waiter: waiter))
                    : cache.find(key, scope: CacheFixture.scope, waiter: waiter, now: now)
                if lookup.kind == .lead || lookup.kind == .joined { waited.add([waiter]) }
                if let flight = lookup.flight { mine.append(flight) }
                if round % 3 == 0 {
                    cache.removeWaiter(waiter, of: key)
                    gone.add([waiter])
                }
                while mine.count > (round == 2999 ? 0 : 4) {
                    let flight = mine.removeFirst()
                    returned.add(cache.land(flight, .keep(Page(flight.key, at: now, fresh: 1)), now: now))
                }
                guard round % 300 == thread else { continue }
                _ = cache.purge(round % 2 == 0 ? .remove : .makeStale, now: now) { $0.hash % 3 == 0 }
                var saved: [SavedPage] = []
                cache.save(now: now, wallClock: WallInstant(nanoseconds: now)) { saved.append($0) }
                let longest = Page.Lifetime(fresh: 0, staleWhileRevalidate: second, staleIfError: second)
                for page in saved {
                    _ = cache.restore(
                        page, scope: CacheFixture.scope, longest: longest, now: now,
                        wallClock: WallInstant(nanoseconds: now))
                }
            }
        }
        let all = Set(waited.all)
        let back = returned.all
        #expect(Set(back).count == back.count, "no waiter is returned twice")
        #expect(Set(back).isSubset(of: all))
        #expect(all.subtracting(back).isSubset(of: gone.all), "who did not go is handed back")
        #expect(cache.figures.flights == 0)
    }
}

/// Counts from many threads.
private final class Tally: Sendable {
    private let wrongs = Atomic<Int>(0)
    private let waits = Atomic<Int>(0)
    private let returns = SharedList<Waiter>()

    var wrong: Int { wrongs.load(ordering: .relaxed) }
    var waiting: Int { waits.load(ordering: .relaxed) }
    var returned: [Waiter] { returns.all }

    func addWrong() { wrongs.wrappingAdd(1, ordering: .relaxed) }
    func addWaiting(_ count: Int) { waits.wrappingAdd(count, ordering: .relaxed) }
    func addReturned(_ waiters: [Waiter]) { returns.add(waiters) }
}
