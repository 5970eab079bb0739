import PageCache
import Testing

@Suite("The figures of the cache")
struct FiguresTests {
    @Test("begin at nothing", arguments: [1, 16])
    func none(shards: Int) {
        #expect(Bench(shards: shards).cache.figures == PageCache.Figures())
    }

    @Test("are the sum over all shards", arguments: [1, 3, 16])
    func sum(shards: Int) {
        let bench = Bench(maxBytes: 16 << 20, shards: shards)
        for number in 0..<1000 { bench.load(Page(PageKey(number: number))) }
        for number in 1000..<1010 { _ = bench.find(PageKey(number: number)) }
        bench.cache.invalidate(EpochScope(service: "none", domain: []))
        let figures = bench.cache.figures
        #expect(figures.pages == 1000)
        #expect(figures.flights == 10)
        #expect(figures.evictions == 0)
        #expect(figures.invalidations == 1)
        // Each has a key of 8 bytes and no body; the overhead is counted, and bounded: at most 300 bytes a page.
        #expect((8001...308_000).contains(figures.bytes))
    }

    @Test("count each page that had to go")
    func evictions() {
        let bench = Bench(maxBytes: 100_000)
        for number in 0..<2000 { bench.load(Page(PageKey(number: number))) }
        let figures = bench.cache.figures
        #expect(figures.pages < 2000)
        #expect(figures.evictions == 2000 - UInt64(figures.pages))
        #expect(figures.bytes <= 100_000)
        #expect(figures.bytes > 90_000)
    }

    @Test("fill the bytes that there are, over how many shards they are spread", arguments: [2, 3, 16])
    func spread(shards: Int) {
        let bench = Bench(maxBytes: 1_600_000, shards: shards)
        for number in 0..<10_000 { bench.load(Page(PageKey(number: number))) }
        #expect(bench.cache.figures.bytes > 1_400_000)
        #expect(bench.cache.figures.bytes <= 1_600_000)
    }

    @Test("do not count pages that were found dead as evicted")
    func dead() {
        let bench = Bench()
        for number in 0..<100 { bench.load(Page(PageKey(number: number))) }
        bench.cache.invalidate(Bench.scope)
        for number in 0..<100 { #expect(!bench.holds(PageKey(number: number))) }
        #expect(bench.cache.figures.pages == 0)
        #expect(bench.cache.figures.bytes == 0)
        #expect(bench.cache.figures.evictions == 0)
    }
}
