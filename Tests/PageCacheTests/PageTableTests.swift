import TestSupport
import Testing

@testable import PageCache

@Suite("The table of pages")
struct PageTableTests {
    /// The distribution of the keys' hashes.
    enum Hashing: String, Sendable, CaseIterable {
        case spread
        /// All hashes are equal.
        case one
        /// A few slots at the end of the index and at its beginning.
        case aroundTheEnd
        /// Equal in the bits that choose the slot, different in others.
        case samePlace

        func hash(_ number: Int) -> UInt64 {
            var mixer = SeededGenerator(seed: UInt64(number))
            let mixed = mixer.next()
            return switch self {
            case .spread: mixed
            case .one: 0xabcd
            case .aroundTheEnd: mixed % 6 &- 3
            case .samePlace: mixed << 32
            }
        }
    }

    @Test(
        "holds what a dictionary holds after any insertions and removals", arguments: Hashing.allCases,
        [1, 2] as [UInt64])
    func random(hashing: Hashing, seed: UInt64) {
        let numbers = hashing == .spread ? 700 : 60
        let keys = (0..<numbers).map { PageKey(PageKey.bytes(of: $0), hash: hashing.hash($0)) }
        var table = PageTable()
        var model: [Int: (place: Int32, page: Page)] = [:]
        var generator = SeededGenerator(seed: seed)
        let epoch = Epoch(scope: CacheFixture.scope, value: 9)
        for step in 0..<25_000 {
            let number = Int.random(in: 0..<numbers, using: &generator)
            let place = table.find(keys[number])
            #expect(place == model[number]?.place)
            guard let place else {
                let page = Page(keys[number])
                model[number] = (table.insert(page, epoch: epoch), page)
                continue
            }
            #expect(table.records[Int(place)].page === model[number]?.page)
            if Int.random(in: 0..<4, using: &generator) == 0 {
                let page = Page(keys[number])
                table.replace(place, with: page, epoch: epoch)
                model[number]?.page = page
            } else {
                table.remove(place)
                model[number] = nil
            }
            if step % 1000 == 0 { Self.compare(table, model, keys) }
        }
        Self.compare(table, model, keys)
        for held in model.values { table.remove(held.place) }
        Self.compare(table, [:], keys)
    }

    private static func compare(
        _ table: PageTable, _ model: [Int: (place: Int32, page: Page)], _ keys: [PageKey]
    ) {
        #expect(table.count == model.count)
        for (number, key) in keys.enumerated() { #expect(table.find(key) == model[number]?.place) }
        #expect(Set(model.values.map(\.place)).count == model.count)
    }

    @Test("grows to many pages and uses the places of removed ones again")
    func growth() {
        var table = PageTable()
        let epoch = Epoch(scope: CacheFixture.scope, value: 0)
        let places = (0..<20_000).map { table.insert(Page(PageKey(number: $0)), epoch: epoch) }
        #expect(table.count == 20_000)
        for (number, place) in places.enumerated() { #expect(table.find(PageKey(number: number)) == place) }
        for place in places.prefix(5000) { table.remove(place) }
        for number in 20_000..<25_000 { _ = table.insert(Page(PageKey(number: number)), epoch: epoch) }
        #expect(table.count == 20_000)
        #expect(table.records.count == 20_000)
        #expect(table.find(PageKey(number: 0)) == nil)
        #expect(table.find(PageKey(number: 24_999)) != nil)
    }
}
