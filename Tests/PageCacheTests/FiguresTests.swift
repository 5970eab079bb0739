import PageCache
import Testing

@Suite("The figures of the cache")
struct FiguresTests {
    @Test("begin at nothing", arguments: [1, 16])
    func none(shards: Int) {
        #expect(CacheFixture(shards: shards).cache.figures == PageCache.Figures())
    }

    @Test("are the sum over all shards", arguments: [1, 3, 16])
    func sum(shards: Int) {
        let fixture = CacheFixture(maxBytes: 16 << 20, shards: shards)
        for number in 0..<1000 { fixture.load(Page(PageKey(number: number))) }
        for number in 1000..<1010 { _ = fixture.find(PageKey(number: number)) }
        fixture.cache.invalidate(EpochScope(service: "none", domain: []))
        let figures = fixture.cache.figures
        #expect(figures.pages == 1000)
        #expect(figures.flights == 10)
        #expect(figures.evictions == 0)
        #expect(figures.invalidations == 1)
        // Each page has a key of 8 bytes and no body. The overhead is counted, at most 300 bytes a page.
        #expect((8001...308_000).contains(figures.bytes))
    }

    @Test("count each page that had to go")
    func evictions() {
        let fixture = CacheFixture(maxBytes: 100_000)
        for number in 0..<2000 { fixture.load(Page(PageKey(number: number))) }
        let figures = fixture.cache.figures
        #expect(figures.pages < 2000)
        #expect(figures.evictions == 2000 - UInt64(figures.pages))
        #expect(figures.bytes <= 100_000)
        #expect(figures.bytes > 90_000)
    }

    @Test("fill the bytes that there are, over how many shards they are spread", arguments: [2, 3, 16])
    func spread(shards: Int) {
        let fixture = CacheFixture(maxBytes: 1_600_000, shards: shards)
        for number in 0..<10_000 { fixture.load(Page(PageKey(number: number))) }
        #expect(fixture.cache.figures.bytes > 1_400_000)
        #expect(fixture.cache.figures.bytes <= 1_600_000)
    }

    @Test("do not count pages that were found dead as evicted")
    func dead() {
        let fixture = CacheFixture()
        for number in 0..<100 { fixture.load(Page(PageKey(number: number))) }
        fixture.cache.invalidate(CacheFixture.scope)
        for number in 0..<100 { #expect(!fixture.holds(PageKey(number: number))) }
        #expect(fixture.cache.figures.pages == 0)
        #expect(fixture.cache.figures.bytes == 0)
        #expect(fixture.cache.figures.evictions == 0)
    }
}
