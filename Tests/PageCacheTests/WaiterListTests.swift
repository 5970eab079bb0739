import Primitives
import TestSupport
import Testing

@testable import PageCache

@Suite("The list of those who wait for a flight")
struct WaiterListTests {
    @Test("keeps the order of coming, whoever leaves", arguments: [3, 16, 17, 40, 400])
    func order(most: Int) {
        var generator = SeededGenerator(seed: UInt64(most))
        var list = WaiterList()
        var model: [Waiter] = []
        var retrying: Set<Waiter> = []
        for number in 0..<4000 {
            // Grows and shrinks in turn.
            if model.count < most, Bool.random(using: &generator) == (number / most % 2 == 0) || model.isEmpty {
                let waiter = Waiter(number)
                let isRetry = Int.random(in: 0..<3, using: &generator) > 0
                list.append(waiter, isRetry: isRetry)
                model.append(waiter)
                if isRetry { retrying.insert(waiter) }
            } else {
                let waiter = model.remove(at: Int.random(in: model.indices, using: &generator))
                let (first, second) = (list.remove(waiter), list.remove(waiter))
                #expect(first && !second)
                retrying.remove(waiter)
            }
            #expect(list.count == model.count)
            #expect(list.areAllRetrying == (!model.isEmpty && retrying.count == model.count))
            if number % 50 == 0 { #expect(list.all == model) }
        }
    }

    @Test("lets a hundred thousand leave in any order")
    func many() {
        var list = WaiterList()
        for number in 0..<100_000 { list.append(Waiter(number), isRetry: false) }
        let removed = stride(from: 99_999, through: 0, by: -1).count { list.remove(Waiter($0)) }
        #expect(removed == 100_000 && list.isEmpty && list.all.isEmpty)
    }
}
