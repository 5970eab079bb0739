import Primitives
import TestSupport
import Testing

@testable import RefreshScheduler

@Suite("The heap of pages that wait")
struct RefreshHeapTests {
    @Test("has the earliest page first, whatever is put in, moved and taken out")
    func model() {
        var generator = SeededGenerator(seed: 3)
        var heap = RefreshHeap()
        var slots = [RefreshSlot](repeating: RefreshSlot(), count: 200)
        var model: [Int32: MonotonicInstant] = [:]
        for _ in 0..<20_000 {
            let page = Int32.random(in: 0..<200, using: &generator)
            if Bool.random(using: &generator) {
                slots[Int(page)].dueAt = .at(Int64.random(in: 0..<1000, using: &generator))
                heap.place(page, &slots)
                model[page] = slots[Int(page)].dueAt
            } else {
                heap.remove(page, &slots)
                model[page] = nil
            }
            #expect(heap.pages.count == model.count)
            #expect(heap.first.map { slots[Int($0)].dueAt } == model.values.min())
        }
        for (place, page) in heap.pages.enumerated() { #expect(Int(slots[Int(page)].heapPlace) == place) }
    }
}
