import PageCache
import Testing

/// `Benchmarks` prints the results of other policies for the same traces.
@Suite("The hit ratio")
struct HitRatioTests {
    @Test(
        "of a cache with room for 1,000 equal pages",
        arguments: [(Trace.zipf(0.8), 0.44), (Trace.zipf(1), 0.68), (Trace.scan, 0.62), (Trace.loop, 0.69)])
    func ratios(trace: Trace, least: Double) {
        var simulation = CacheSimulation(pages: 1000)
        let hits = trace.pages.count { simulation.ask($0) }
        #expect(Double(hits) / Double(trace.pages.count) >= least)
        #expect(simulation.cache.figures.pages <= 1000)
    }
}
