import Testing

@testable import PageCache
import Primitives
import TestSupport

@Suite("A purge")
struct PurgeTests {
    private func cache(_ fixture: CacheFixture, _ numbers: Range<Int>) {
        for number in numbers { fixture.load(Page(PageKey(number: number))) }
    }

    @Test("removes the chosen pages, however many there are, and counts them", arguments: [1, 16])
    func removes(shards: Int) {
        let fixture = CacheFixture(maxBytes: 64 << 20, shards: shards)
        cache(fixture, 0..<5000)
        let chosen = Set((0..<5000).filter { $0 % 3 == 0 }.map { PageKey(number: $0) })
        #expect(fixture.cache.purge(.remove, now: 0) { chosen.contains($0) } == chosen.count)
        #expect(fixture.cache.figures.pages == 5000 - chosen.count)
        for number in 0..<5000 { #expect(fixture.holds(PageKey(number: number)) == (number % 3 != 0)) }
        #expect(fixture.cache.purge(.remove, now: 0) { chosen.contains($0) } == 0)
    }

    @Test("keeps out what was being fetched for them, and newcomers off its flight")
    func flights() {
        let fixture = CacheFixture()
        let key = PageKey(number: 1)
        let old = fixture.find(key, 1).flight
        #expect(fixture.cache.purge(.remove, now: 0) { $0 == key } == 0)
        let new = fixture.find(key, 2).flight
        #expect(new != nil && new != old)
        #expect(old.map { fixture.complete($0, Page(key)) } == [1])
        #expect(fixture.cache.figures.pages == 0)
        #expect(new.map { fixture.complete($0, Page(key)) } == [2])
        #expect(fixture.holds(key))
    }

    @Test("can make pages stale, which are then served while they are fetched anew")
    func soft() {
        let fixture = CacheFixture()
        let key = PageKey(number: 1)
        fixture.load(Page(key, revalidate: 30))
        #expect(fixture.find(key, at: 1).kind == .fresh)
        #expect(fixture.cache.purge(.makeStale, now: .at(2 * second)) { $0 == key } == 1)
        #expect(fixture.find(key, at: 2).kind == .staleAndRefresh)
    }

    @Test("that makes stale applies to what is on its way, and takes negative entries away")
    func staleFlights() {
        let fixture = CacheFixture()
        let (early, late, negative) = (PageKey(number: 1), PageKey(number: 2), PageKey(number: 3))
        let flights = [early, late].compactMap { fixture.find($0).flight }
        fixture.load(
            Page(
                key: negative, status: 404, errorCode: "X", body: [], fetchedAt: 0,
                lifetime: Page.Lifetime(fresh: second)))
        #expect(fixture.cache.purge(.makeStale, now: 0) { _ in true } == 1)
        #expect(!fixture.holds(negative))
        // The second flight is sent again after the purge, like a retry.
        fixture.cache.markSent(flights[1])
        for flight in flights { _ = fixture.complete(flight, Page(flight.key, revalidate: 10)) }
        #expect(fixture.find(early).kind == .staleAndRefresh)
        #expect(fixture.find(late).kind == .fresh)
    }
}
