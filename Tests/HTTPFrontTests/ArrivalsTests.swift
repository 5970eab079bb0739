import Testing

@testable import HTTPFront

@Suite("Arrivals")
struct ArrivalsTests {
    private final class Nobody: Recipient {
        func answerArrival(_ bench: inout Workbench) {}

        func sendAnswers(_ bench: borrowing Workbench) {}
    }

    /// How many are answered together after a turn in which so many arrived.
    private func limit(after count: Int) -> Int {
        var arrivals = Arrivals()
        for _ in 0..<count { _ = arrivals.add(Nobody()) }
        _ = arrivals.take()
        arrivals.endTurn()
        var limit = 0
        while !arrivals.isFull {
            _ = arrivals.add(Nobody())
            limit += 1
        }
        return limit
    }

    @Test(
        "are answered together, half as many as there were in the last turn, two at least and sixteen at most",
        arguments: [(0, 2), (1, 2), (5, 2), (6, 3), (8, 4), (31, 15), (32, 16), (1000, 16)])
    func limits(count: Int, limit: Int) {
        #expect(self.limit(after: count) == limit)
    }

    @Test("are answered each by itself once nobody ends turns any more")
    func stopped() {
        var arrivals = Arrivals()
        _ = arrivals.add(Nobody())
        arrivals.stopWaiting()
        #expect(arrivals.isFull)
        _ = arrivals.take()
        arrivals.endTurn()
        _ = arrivals.add(Nobody())
        #expect(arrivals.isFull)
    }

    @Test("say which is the first of a turn, taken out or not, and come out in order")
    func turns() {
        var arrivals = Arrivals()
        let all = [Nobody(), Nobody(), Nobody()]
        #expect(arrivals.isEmpty)
        var areFirst = [arrivals.add(all[0]), arrivals.add(all[1])]
        let taken = arrivals.take()
        #expect(taken.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[0]), ObjectIdentifier(all[1])])
        #expect(arrivals.isEmpty)
        arrivals.putBack(taken)

        areFirst.append(arrivals.add(all[2]))
        let rest = arrivals.take()
        #expect(rest.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[2])])
        arrivals.endTurn()
        areFirst.append(arrivals.add(all[0]))
        #expect(areFirst == [true, false, false, true])
    }
}
