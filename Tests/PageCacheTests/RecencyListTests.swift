import TestSupport
import Testing

@testable import PageCache

@Suite("A list by recency")
struct RecencyListTests {
    @Test("keeps order, links and weight over any changes", arguments: 1...3 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var table = PageTable()
        let places = (0..<40).map { number in
            table.insert(
                Page(PageKey(number: number), body: [UInt8](repeating: 0, count: number)),
                epoch: Epoch(scope: CacheFixture.scope, value: 0))
        }
        var list = RecencyList(.probation)
        // From the least to the most recently used.
        var model: [Int32] = []
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            let place = places[Int.random(in: 0..<places.count, using: &generator)]
            if let index = model.firstIndex(of: place) {
                list.remove(place, &table)
                model.remove(at: index)
                #expect(table.links[Int(place)].list == .none)
            }
            if Bool.random(using: &generator) {
                list.append(place, &table)
                model.append(place)
                #expect(table.links[Int(place)].list == .probation)
            }
            Self.compare(list, model, table)
        }
        for place in model { list.remove(place, &table) }
        Self.compare(list, [], table)
        #expect(list.bytes == 0)
    }

    private static func compare(_ list: RecencyList, _ model: [Int32], _ table: PageTable) {
        var forwards: [Int32] = []
        var older = PageTable.nowhere
        var place = list.oldest
        while place != PageTable.nowhere, forwards.count <= model.count {
            forwards.append(place)
            #expect(table.links[Int(place)].older == older)
            older = place
            place = table.links[Int(place)].newer
        }
        #expect(forwards == model)
        #expect(list.bytes == model.reduce(0) { $0 + Int(table.links[Int($1)].weight) })
    }
}
