import TestSupport
import Testing

@testable import PageCache

@Suite("Eviction")
struct EvictionPolicyTests {
    /// The bodies of the pages.
    enum Sizes: String, Sendable, CaseIterable {
        case equal
        case mixed
        case oftenTiny
        case oneInTenHuge

        func next(_ generator: inout SeededGenerator) -> Int {
            switch self {
            case .equal: 744
            case .mixed: Int.random(in: 0...4000, using: &generator)
            case .oftenTiny: Int.random(in: 0...99, using: &generator) == 0 ? 9000 : 0
            case .oneInTenHuge: Int.random(in: 0...9, using: &generator) == 0 ? 40_000 : 744
            }
        }
    }

    @Test(
        "keeps all pages together within the bytes that are allowed", arguments: Sizes.allCases,
        [100_000, 1_000_000])
    func bound(sizes: Sizes, maxBytes: Int) {
        var table = PageTable()
        var policy = EvictionPolicy(maxBytes: maxBytes)
        var generator = SeededGenerator(seed: 1)
        var worst = 0
        for _ in 0..<10_000 {
            let number = Int.random(in: 0..<5000, using: &generator) & Int.random(in: 0..<8192, using: &generator)
            let key = PageKey(number: number)
            policy.recordRequest(key.hash)
            if let place = table.find(key) {
                policy.touch(place, &table)
                continue
            }
            let page = Page(key, body: [UInt8](repeating: 0, count: sizes.next(&generator)))
            let evicted = policy.admit(table.insert(page, epoch: Epoch(scope: CacheFixture.scope, value: 0)), &table)
            for place in evicted {
                #expect(table.links[Int(place)].list == .none)
                table.remove(place)
            }
            worst = max(worst, policy.bytes)
        }
        #expect(worst <= maxBytes)
        #expect(worst > maxBytes / 2)
        #expect(policy.bytes == table.records.reduce(0) { $0 + ($1.page?.weight ?? 0) })
    }

    @Test("counts key, body and overhead")
    func weight() {
        let page = Page(PageKey([UInt8](repeating: 1, count: 100)), body: [UInt8](repeating: 0, count: 2300))
        #expect(page.weight > 2400)
        // The memory of a page is at most body + key + 300 bytes.
        #expect(page.weight <= 2400 + 300)
    }

    @Test("does not keep a page that is larger than the cache, and drops nothing for it")
    func tooLarge() {
        let fixture = CacheFixture(maxBytes: 20_000)
        for number in 0..<20 { fixture.load(Page(PageKey(number: number))) }
        let before = fixture.cache.figures
        let huge = Page(PageKey(number: 99), body: [UInt8](repeating: 0, count: 20_000))
        let flight = fixture.find(huge.key, 7).flight
        #expect(flight.map { fixture.complete($0, huge) } == [7])
        #expect(fixture.find(huge.key).kind == .lead)
        #expect(fixture.cache.figures.pages == before.pages)
        #expect(fixture.cache.figures.bytes == before.bytes)
        for number in 0..<20 { #expect(fixture.holds(PageKey(number: number))) }
    }

    @Test("of a cache without any room keeps nothing and still serves those who wait", arguments: [0, -1, 100])
    func noRoom(maxBytes: Int) {
        let fixture = CacheFixture(maxBytes: maxBytes)
        for waiter in 0..<10 {
            let flight = fixture.find(PageKey(number: 1), waiter).flight
            #expect(flight.map { fixture.complete($0, Page(PageKey(number: 1))) } == [waiter])
        }
        #expect(fixture.cache.figures.pages == 0)
        #expect(fixture.cache.figures.bytes == 0)
    }

    /// The content of the cache before the hot pages.
    enum Before: String, Sendable, CaseIterable {
        case nothing
        case otherPages
    }

    @Test(
        "does not flush 18 hot pages for a caller that walks 10,000 cold ones", arguments: Before.allCases,
        [300, 1000, 5000])
    func scan(before: Before, room: Int) {
        let weight = Page(PageKey(number: 0), body: [UInt8](repeating: 0, count: 2300)).weight
        let fixture = CacheFixture(maxBytes: room * weight)
        func ask(_ number: Int) {
            fixture.load(Page(PageKey(number: number), body: [UInt8](repeating: 0, count: 2300)))
        }
        if before == .otherPages { (100_000..<100_000 + 2 * room).forEach(ask) }
        for _ in 0..<10 { (0..<18).forEach(ask) }
        (1000..<11_000).forEach(ask)
        #expect((0..<18).filter { fixture.holds(PageKey(number: $0)) } == Array(0..<18))
    }
}
