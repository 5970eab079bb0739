import Primitives
import TestSupport
import Testing

@testable import Redis

@Suite("Calls that wait for their reply")
struct CallQueueTests {
    private static func call(_ deadline: Int64) -> RedisCall {
        RedisCall(command: [1], deadline: MonotonicInstant(nanoseconds: deadline)) { _ in }
    }

    private static func at(_ time: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: time) }

    @Test("are matched in order, and late from their deadline on")
    func order() {
        var queue = CallQueue()
        queue.append(Self.call(10))
        queue.append(Self.call(5))
        #expect(queue.earliestDeadline == Self.at(5))
        guard case .call(let first) = queue.match(now: Self.at(9)) else {
            Issue.record("no call")
            return
        }
        #expect(first.deadline == Self.at(10) && first.command.isEmpty)
        guard case .late = queue.match(now: Self.at(5)) else {
            Issue.record("not late")
            return
        }
        guard case .none = queue.match(now: Self.at(0)) else {
            Issue.record("a call")
            return
        }
        #expect(queue.earliestDeadline == nil)
    }

    @Test("are those of a plain array, in random sequences")
    func sequences() {
        var generator = SeededGenerator(seed: 9)
        var queue = CallQueue()
        var plain: [Int64] = []
        for round in 0..<20_000 {
            if Int.random(in: 0..<100, using: &generator) < (round / 2_000 % 2 == 0 ? 60 : 40) {
                let deadline = Int64.random(in: 1...1_000_000, using: &generator)
                queue.append(Self.call(deadline))
                plain.append(deadline)
            } else if case .call(let call) = queue.match(now: Self.at(0)) {
                #expect(call.deadline.nanoseconds == plain.removeFirst())
            } else {
                #expect(plain.isEmpty)
            }
            #expect(queue.count == plain.count)
            if round % 500 == 0 { #expect(queue.earliestDeadline?.nanoseconds == plain.min()) }
        }
        #expect(queue.removeAll().map(\.deadline.nanoseconds) == plain)
        #expect(queue.count == 0)
    }
}
