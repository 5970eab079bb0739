import Primitives
import TestSupport
import Testing

@testable import HTTPFront

@Suite("ReadBatch")
struct ReadBatchTests {
    private final class Member: BatchMember {
        func answerArrival(_ scratch: inout LoopScratch) {}

        func sendAnswers(_ scratch: borrowing LoopScratch) {}
    }

    /// ReadBatch of which some have just been answered, so that more are expected.
    private func busy() -> ReadBatch {
        var batch = ReadBatch()
        batch.answered(at: 1_000_000)
        return batch
    }

    private func steps(_ count: Int, _ batch: inout ReadBatch, now: MonotonicInstant = 1_000_001) -> [ReadBatch.Step] {
        var steps: [ReadBatch.Step] = []
        for _ in 0..<count { steps.append(batch.add(Member(), now: now)) }
        return steps
    }

    @Test(
        "are answered together, half as many as there were in the last turn, two at least and sixteen at most",
        arguments: [(2, 2), (5, 2), (6, 3), (8, 4), (31, 15), (32, 16), (1000, 16)])
    func limits(count: Int, limit: Int) {
        var batch = busy()
        _ = steps(count, &batch)
        _ = batch.take()
        batch.endTurn()
        let waits = Array(repeating: ReadBatch.Step.wait, count: limit - 2)
        #expect(steps(limit, &batch) == [.expectEnd] + waits + [.answerAll])
    }

    @Test("are answered at once where nothing has arrived for a while")
    func sparse() {
        var batch = ReadBatch()
        #expect(steps(1, &batch, now: 1_000_000) == [.answer])
        #expect(batch.isEmpty)
        batch.answered(at: 1_005_000)
        #expect(steps(1, &batch, now: 1_005_000 + batch.pause) == [.answer])
        batch.answered(at: 2_000_000)
        #expect(steps(2, &batch, now: 2_000_000 + batch.pause - 1) == [.expectEnd, .answerAll])
    }

    @Test("are answered at once again after a turn in which there was one")
    func oneInTurn() {
        var batch = busy()
        #expect(steps(1, &batch) == [.expectEnd])
        batch.endTurn()
        _ = batch.take()
        #expect(steps(1, &batch, now: 9_000_000) == [.answer])
    }

    @Test("are answered each by itself once no turn ends any more")
    func stopped() {
        var batch = busy()
        #expect(steps(1, &batch) == [.expectEnd])
        batch.stopWaiting()
        _ = batch.take()
        batch.endTurn()
        #expect(steps(2, &batch) == [.answer, .answer])
    }

    @Test("come out in order, and one turn has one first of them, taken out or not")
    func turns() {
        var batch = busy()
        let all = [Member(), Member(), Member()]
        var steps = [batch.add(all[0], now: 1_000_001), batch.add(all[1], now: 1_000_001)]
        var taken = batch.take()
        #expect(taken.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[0]), ObjectIdentifier(all[1])])
        #expect(batch.isEmpty)
        batch.putBack(&taken)

        steps.append(batch.add(all[2], now: 1_000_001))
        let rest = batch.take()
        #expect(rest.map { ObjectIdentifier($0) } == [ObjectIdentifier(all[2])])
        #expect(steps == [.expectEnd, .answerAll, .wait])
    }
}
