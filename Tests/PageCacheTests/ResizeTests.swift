import PageCache
import Testing

@Suite("A cache that is resized")
struct ResizeTests {
    @Test("evicts what finds no room, keeps the rest, and takes more in when it is larger again")
    func resize() {
        var simulation = CacheSimulation(pages: 200)
        for number in 0..<100 { _ = simulation.ask(number) }
        let before = simulation.cache.figures
        #expect(before.pages == 100)
        let one = before.bytes / before.pages
        simulation.cache.resize(maxBytes: 30 * one, maxWaiters: 1)
        let small = simulation.cache.figures
        #expect(small.bytes <= 30 * one)
        #expect(small.pages >= 28)
        #expect(small.evictions == before.evictions + UInt64(100 - small.pages))
        simulation.cache.resize(maxBytes: 200 * one, maxWaiters: 1)
        for number in 200..<300 { _ = simulation.ask(number) }
        #expect(simulation.cache.figures.pages == small.pages + 100)
        #expect((60..<100).count { simulation.ask($0) } == small.pages)
    }
}
