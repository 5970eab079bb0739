import PageCache
import Primitives
import Testing
import Primitives
import TestSupport

@Suite("A page in the cache")
struct PageLifetimeTests {
    private let key = PageKey(number: 1)

    @Test(
        "is fresh, then stale while it is refreshed, then only for want of a newer one, then gone (RFC 5861)",
        arguments: [
            (0, .fresh, true), (9, .fresh, true), (10, .staleAndRefresh, true), (39, .staleAndRefresh, true),
            (40, .lead, true), (69, .lead, true), (70, .lead, false), (10_000, .lead, false),
        ] as [(Int64, Kind, Bool)])
    func spans(now: Int64, kind: Kind, isUsable: Bool) {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30, ifError: 60))
        #expect(fixture.find(key, at: now).kind == kind)
        #expect(fixture.holds(key, at: now) == isUsable)
    }

    @Test("changes its state at the nanosecond")
    func edges() {
        let page = Page(key, fresh: 10, revalidate: 30, ifError: 60)
        for (instant, before, after) in [(10, Kind.fresh, Kind.staleAndRefresh), (40, .staleAndRefresh, .lead)] {
            for (offset, kind) in [(-1 as Int64, before), (0, after)] {
                let fixture = CacheFixture()
                fixture.load(page)
                let now = Int64(instant) * second + offset
                #expect(
                    fixture.cache.find(key, scope: CacheFixture.scope, waiter: Waiter(1), now: .at(now)).kind == kind)
            }
        }
        let fixture = CacheFixture()
        fixture.load(page)
        #expect(fixture.cache.usablePage(key, now: .at(70 * second - 1)) === page)
        #expect(fixture.cache.usablePage(key, now: .at(70 * second)) == nil)
    }

    @Test("that may be served while it is refreshed may be served on an error as long")
    func shortIfError() {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30, ifError: 5))
        #expect(fixture.find(key, at: 39).kind == .staleAndRefresh)
        #expect(fixture.holds(key, at: 39))
        #expect(!fixture.holds(key, at: 40))
    }

    @Test("without stale windows is gone when it is no longer fresh")
    func negativeEntry() {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 5))
        #expect(fixture.find(key, at: 4).kind == .fresh)
        #expect(fixture.find(key, at: 5).kind == .lead)
        #expect(!fixture.holds(key, at: 5))
    }

    @Test("is never served if its spans are nothing or less", arguments: [0, -1, -100] as [Int64])
    func noTime(span: Int64) {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: span, revalidate: span, ifError: span))
        #expect(fixture.find(key).kind == .lead)
        #expect(!fixture.holds(key))
    }

    @Test("is replaced by a newer one, whatever its weight")
    func replaced() {
        let fixture = CacheFixture()
        fixture.load(Page(key, body: [1], fresh: 10))
        fixture.load(Page(key, body: [UInt8](repeating: 2, count: 5000), at: 10 * second, fresh: 10), at: 10)
        #expect(fixture.find(key, at: 11).page?.body.count == 5000)
        #expect(fixture.cache.figures.pages == 1)
        fixture.load(Page(key, body: [3], at: 20 * second, fresh: 10), at: 20)
        #expect(fixture.find(key, at: 21).page?.body == [3])
        #expect(fixture.cache.figures.pages == 1)
        #expect(fixture.cache.figures.bytes < 1000)
    }

    @Test("that nobody asks for any more is freed while others come")
    func reclaimed() {
        let fixture = CacheFixture()
        for number in 0..<500 { fixture.load(Page(PageKey(number: number), fresh: 10)) }
        for number in 500..<1500 { fixture.load(Page(PageKey(number: number), at: 100 * second, fresh: 10), at: 100) }
        #expect(fixture.cache.figures.pages == 1000)
    }
}
