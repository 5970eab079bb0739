import Testing

@testable import PageCache

@Suite("A purge")
struct PurgeTests {
    private func cache(_ bench: Bench, _ numbers: Range<Int>) {
        for number in numbers { bench.load(Page(PageKey(number: number))) }
    }

    @Test("removes the chosen pages, however many there are, and counts them", arguments: [1, 16])
    func removes(shards: Int) {
        let bench = Bench(maxBytes: 64 << 20, shards: shards)
        cache(bench, 0..<5000)
        let chosen = Set((0..<5000).filter { $0 % 3 == 0 }.map { PageKey(number: $0) })
        #expect(bench.cache.purge(.remove, now: 0) { chosen.contains($0) } == chosen.count)
        #expect(bench.cache.figures.pages == 5000 - chosen.count)
        for number in 0..<5000 { #expect(bench.holds(PageKey(number: number)) == (number % 3 != 0)) }
        #expect(bench.cache.purge(.remove, now: 0) { chosen.contains($0) } == 0)
    }

    @Test("keeps out what was being fetched for them, and newcomers off its flight")
    func flights() {
        let bench = Bench()
        let key = PageKey(number: 1)
        let old = bench.find(key, 1).flight
        #expect(bench.cache.purge(.remove, now: 0) { $0 == key } == 0)
        let new = bench.find(key, 2).flight
        #expect(new != nil && new != old)
        #expect(old.map { bench.land($0, Page(key)) } == [1])
        #expect(bench.cache.figures.pages == 0)
        #expect(new.map { bench.land($0, Page(key)) } == [2])
        #expect(bench.holds(key))
    }

    @Test("can make pages stale, which are then served while they are fetched anew")
    func soft() {
        let bench = Bench()
        let key = PageKey(number: 1)
        bench.load(Page(key, revalidate: 30))
        #expect(bench.find(key, at: 1).kind == .fresh)
        #expect(bench.cache.purge(.makeStale, now: 2 * second) { $0 == key } == 1)
        #expect(bench.find(key, at: 2).kind == .staleAndRefresh)
    }

    @Test("that makes stale applies to what is on its way, and takes negative entries away")
    func staleFlights() {
        let bench = Bench()
        let (early, late, negative) = (PageKey(number: 1), PageKey(number: 2), PageKey(number: 3))
        let flights = [early, late].compactMap { bench.find($0).flight }
        bench.load(
            Page(
                key: negative, status: 404, errorCode: "X", body: [], fetchedAt: 0,
                lifetime: Page.Lifetime(fresh: second)))
        #expect(bench.cache.purge(.makeStale, now: 0) { _ in true } == 1)
        #expect(!bench.holds(negative))
        // The second one is sent again after the purge, as a retry is.
        bench.cache.depart(flights[1])
        for flight in flights { _ = bench.land(flight, Page(flight.key, revalidate: 10)) }
        #expect(bench.find(early).kind == .staleAndRefresh)
        #expect(bench.find(late).kind == .fresh)
    }
}
