import PageCache
import Primitives
import TestSupport
import Testing

@Suite("The hottest pages")
struct HottestTests {
    private let fixture = CacheFixture()

    private func keep(_ number: Int, at now: Int64, fresh: Int64 = 30) {
        let key = PageKey(number: number)
        let flight = fixture.cache.lead(key, scope: CacheFixture.scope, waiter: Waiter(0))
        _ = fixture.cache.keep(Page(key, at: now * second, fresh: fresh), of: flight, now: .at(now * second))
    }

    private func ask(_ number: Int, times: Int, at now: Int64) {
        for waiter in 0..<times { _ = fixture.find(PageKey(number: number), waiter + 1, at: now) }
    }

    @Test("are those that are asked for most often since they were fetched, and looking does not count")
    func order() {
        for number in 1...5 { keep(number, at: 0) }
        ask(2, times: 3, at: 1)
        ask(4, times: 9, at: 1)
        ask(5, times: 1, at: 1)
        for _ in 0..<2 {
            let hottest = fixture.cache.hottest(2, now: .at(2 * second))
            #expect(hottest.map(\.page.key) == [PageKey(number: 4), PageKey(number: 2)])
            #expect(hottest.map(\.requests) == [9, 3])
        }
        #expect(fixture.cache.hottest(9, now: .at(2 * second)).count == 3)
    }

    @Test("are found among many thousands")
    func many() {
        for number in 1...5000 { keep(number, at: 0) }
        for number in [17, 2500, 4999] { ask(number, times: number, at: 1) }
        #expect(
            fixture.cache.hottest(3, now: .at(2 * second)).map(\.page.key)
                == [4999, 2500, 17].map { PageKey(number: $0) })
    }
}
