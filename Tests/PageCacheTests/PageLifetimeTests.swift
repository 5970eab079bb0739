import PageCache
import Testing

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
        let bench = Bench()
        bench.load(Page(key, fresh: 10, revalidate: 30, ifError: 60))
        #expect(bench.find(key, at: now).kind == kind)
        #expect(bench.holds(key, at: now) == isUsable)
    }

    @Test("changes its state at the nanosecond")
    func edges() {
        let page = Page(key, fresh: 10, revalidate: 30, ifError: 60)
        for (instant, before, after) in [(10, Kind.fresh, Kind.staleAndRefresh), (40, .staleAndRefresh, .lead)] {
            for (offset, kind) in [(-1 as Int64, before), (0, after)] {
                let bench = Bench()
                bench.load(page)
                let now = Int64(instant) * second + offset
                #expect(bench.cache.find(key, scope: Bench.scope, waiter: Waiter(1), now: now).kind == kind)
            }
        }
        let bench = Bench()
        bench.load(page)
        #expect(bench.cache.usablePage(key, now: 70 * second - 1) === page)
        #expect(bench.cache.usablePage(key, now: 70 * second) == nil)
    }

    @Test("that may be served while it is refreshed may be served on an error as long")
    func shortIfError() {
        let bench = Bench()
        bench.load(Page(key, fresh: 10, revalidate: 30, ifError: 5))
        #expect(bench.find(key, at: 39).kind == .staleAndRefresh)
        #expect(bench.holds(key, at: 39))
        #expect(!bench.holds(key, at: 40))
    }

    @Test("without stale windows is gone when it is no longer fresh")
    func negativeEntry() {
        let bench = Bench()
        bench.load(Page(key, fresh: 5))
        #expect(bench.find(key, at: 4).kind == .fresh)
        #expect(bench.find(key, at: 5).kind == .lead)
        #expect(!bench.holds(key, at: 5))
    }

    @Test("is never served if its spans are nothing or less", arguments: [0, -1, -100] as [Int64])
    func noTime(span: Int64) {
        let bench = Bench()
        bench.load(Page(key, fresh: span, revalidate: span, ifError: span))
        #expect(bench.find(key).kind == .lead)
        #expect(!bench.holds(key))
    }

    @Test("is replaced by a newer one, whatever its weight")
    func replaced() {
        let bench = Bench()
        bench.load(Page(key, body: [1], fresh: 10))
        bench.load(Page(key, body: [UInt8](repeating: 2, count: 5000), at: 10 * second, fresh: 10), at: 10)
        #expect(bench.find(key, at: 11).page?.body.count == 5000)
        #expect(bench.cache.figures.pages == 1)
        bench.load(Page(key, body: [3], at: 20 * second, fresh: 10), at: 20)
        #expect(bench.find(key, at: 21).page?.body == [3])
        #expect(bench.cache.figures.pages == 1)
        #expect(bench.cache.figures.bytes < 1000)
    }

    @Test("that nobody asks for any more is freed while others come")
    func reclaimed() {
        let bench = Bench()
        for number in 0..<500 { bench.load(Page(PageKey(number: number), fresh: 10)) }
        for number in 500..<1500 { bench.load(Page(PageKey(number: number), at: 100 * second, fresh: 10), at: 100) }
        #expect(bench.cache.figures.pages == 1000)
    }
}
