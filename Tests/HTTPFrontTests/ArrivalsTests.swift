import Testing

@testable import HTTPFront

@Suite("Arrivals")
struct ArrivalsTests {
    private final class Nobody: Recipient {
        func answerArrival(_ bench: inout Workbench) {}

        func sendAnswers(_ bench: borrowing Workbench) {}
    }

    /// Arrivals of which some have just been answered, so that more are expected.
    private func busy() -> Arrivals {
        var arrivals = Arrivals()
        arrivals.answered(at: 1_000_000)
        return arrivals
    }

    private func steps(_ count: Int, _ arrivals: inout Arrivals, now: Int64 = 1_000_001) -> [Arrivals.Step] {
        var steps: [Arrivals.Step] = []
        for _ in 0..<count { steps.append(arrivals.add(Nobody(), now: now)) }
        return steps
    }

    @Test(
        "are answered together, half as many as there were in the last turn, two at least and sixteen at most",
        arguments: [(2, 2), (5, 2), (6, 3), (8, 4), (31, 15), (32, 16), (1000, 16)])
    func limits(count: Int, limit: Int) {
        var arrivals = busy()
        _ = steps(count, &arrivals)
        _ = arrivals.take()
        arrivals.endTurn()
        let waits = Array(repeating: Arrivals.Step.wait, count: limit - 2)
        #expect(steps(limit, &arrivals) == [.expectEnd] + waits + [.answerAll])
    }

    @Test("are answered at once where nothing has arrived for a while")
    func sparse() {
        var arrivals = Arrivals()
        #expect(steps(1, &arrivals, now: 1_000_000) == [.answer])
        #expect(arrivals.isEmpty)
        arrivals.answered(at: 1_005_000)
        #expect(steps(1, &arrivals, now: 1_005_000 + arrivals.pause) == [.answer])
        arrivals.answered(at: 2_000_000)
        #expect(steps(2, &arrivals, now: 2_000_000 + arrivals.pause - 1) == [.expectEnd, .answerAll])
    }

    @Test("are answered at once again after a turn in which there was one")
    func oneInTurn() {
        var arrivals = busy()
        #expect(steps(1, &arrivals) == [.expectEnd])
        arrivals.endTurn()
        _ = arrivals.take()
        #expect(steps(1, &arrivals, now: 9_000_000) == [.answer])
    }

    @Test("are answered each by itself once nobody ends turns any more")
    func stopped() {
        var arrivals = busy()
        #expect(steps(1, &arrivals) == [.expectEnd])
        arrivals.stopWaiting()
        _ = arrivals.take()
        arrivals.endTurn()
        #expect(steps(2, &arrivals) == [.answer, .answer])
    }

    @Test("come out in order, and one turn has one first of them, taken out or not")
    func turns() {
        var arrivals = busy()
        let all = [Nobody(), Nobody(), Nobody()]
        var steps = [arrivals.add(all[0], now: 1_000_001), arrivals.add(all[1], now: 1_000_001)]
        var taken = arrivals.take()
        #expect(taken.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[0]), ObjectIdentifier(all[1])])
        #expect(arrivals.isEmpty)
        arrivals.putBack(&taken)

        steps.append(arrivals.add(all[2], now: 1_000_001))
        let rest = arrivals.take()
        #expect(rest.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[2])])
        #expect(steps == [.expectEnd, .answerAll, .wait])
    }
}
