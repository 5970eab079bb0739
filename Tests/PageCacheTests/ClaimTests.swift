import PageCache
import Primitives
import TestSupport
import Testing

@Suite("A page that is refreshed before it is stale")
struct ClaimTests {
    private let fixture = CacheFixture()
    private let key = PageKey(number: 1)

    /// Stores a page and returns its place.
    private func keep(at now: Int64 = 0) -> Int? {
        let flight = fixture.cache.lead(key, scope: CacheFixture.scope, waiter: Waiter(0))
        return fixture.cache.keep(Page(key, at: now, fresh: 30), of: flight, now: .at(now * second)).place
    }

    private func claim(_ place: Int?, fetchedAt: Int64 = 0, at now: Int64) -> PageCache.Claim {
        fixture.cache.claim(place ?? -1, fetchedAt: .at(fetchedAt * second), now: .at(now * second))
    }

    @Test("has been asked for since it was stored, and its refresh has no waiters")
    func asked() throws {
        let place = keep()
        guard case .unasked = claim(place, at: 1) else { return #expect(Bool(false), "it was not asked for") }
        for waiter in 1...3 { _ = fixture.find(key, waiter, at: 2) }
        guard case .begun(let flight, let page, let requests) = claim(place, at: 3) else {
            return #expect(Bool(false), "it was asked for")
        }
        #expect(requests == 3)
        #expect(page.key == key)
        #expect(!fixture.cache.hasWaiters(flight))
        guard case .inFlight = claim(place, at: 3) else { return #expect(Bool(false), "it is being refreshed") }
        #expect(fixture.find(key, 4, at: 3).kind == .fresh)
        let kept = fixture.cache.keep(Page(key, at: 3, fresh: 30), of: flight, now: .at(4 * second))
        #expect(kept.waiters.isEmpty)
        #expect(kept.requests == 1)
        #expect(kept.place == place)
    }

    @Test("is refreshed once more at the most when nobody asks for it any more")
    func unasked() {
        let place = keep()
        _ = fixture.find(key, at: 1)
        guard case .begun(let flight, _, _) = claim(place, at: 2) else {
            return #expect(Bool(false), "it was asked for")
        }
        _ = fixture.cache.keep(Page(key, at: 2 * second, fresh: 30), of: flight, now: .at(2 * second))
        for now in 3..<30 {
            guard case .unasked = claim(place, fetchedAt: 2, at: Int64(now)) else {
                return #expect(Bool(false), "it was not asked for")
            }
        }
    }

    @Test("is gone once it is void, dead, purged or replaced by another")
    func gone() {
        func isGone(_ change: (Int?) -> Void, fetchedAt: Int64 = 0, at now: Int64 = 2) -> Bool {
            let place = keep()
            _ = fixture.find(key, at: 1)
            change(place)
            if case .gone = claim(place, fetchedAt: fetchedAt, at: now) { return true }
            return false
        }
        #expect(isGone { _ in fixture.cache.invalidate(CacheFixture.scope) })
        #expect(isGone { _ in _ = fixture.cache.purge(.remove, now: .at(second)) { _ in true } })
        #expect(isGone({ _ in }, at: 31))
        #expect(isGone({ _ in }, fetchedAt: 1))
        #expect(isGone { _ in _ = keep(at: 1) })
        guard case .gone = claim(1 << 40, at: 0), case .gone = claim(-1, at: 0) else {
            return #expect(Bool(false), "there is no such place")
        }
    }

    @Test("keeps its bytes if the same came again, in any number of shards")
    func renewed() {
        let page = Page(key, body: [1, 2, 3], at: 0, fresh: 10)
        let renewed = page.renewed(fetchedAt: .at(5 * second), lifetime: Page.Lifetime(fresh: 10 * second))
        #expect(renewed.body == [1, 2, 3])
        #expect(renewed.bodyFetchedAt == .at(0))
        #expect(renewed.fetchedAt == .at(5 * second))
        #expect(renewed.freshUntil == .at(15 * second))
        let cache = PageCache(maxBytes: 1 << 20, maxWaiters: 1, shards: 7)
        var places: Set<Int> = []
        for number in 0..<100 {
            let flight = cache.lead(PageKey(number: number), scope: CacheFixture.scope, waiter: Waiter(0))
            let place = cache.keep(Page(PageKey(number: number)), of: flight, now: 0).place
            places.insert(place ?? -1)
            #expect(cache.stored(PageKey(number: number), now: 0)?.place == place)
        }
        #expect(places.count == 100 && !places.contains(-1))
    }
}
