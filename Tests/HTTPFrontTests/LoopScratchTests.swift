import Primitives
import TestSupport
import Testing

@testable import HTTPFront

@Suite("The scratch memory of an event loop")
struct LoopScratchTests {
    /// Whether it looks at the clock after a connection of which so much was received, answered and sent.
    private func looksAtClock(received: Int, answered: Int, sent: Int) -> Bool {
        var scratch = LoopScratch(date: [])
        scratch.begin(now: 0)
        scratch.received = received
        scratch.answered += answered
        if sent > 0 { scratch.writer.finish([UInt8](repeating: 0x78, count: sent)) }
        scratch.goOn()
        return scratch.now != 0
    }

    @Test("takes one small request with a small answer for no time, and nothing else")
    func clock() {
        #expect(!looksAtClock(received: 700, answered: 1, sent: 2500))
        #expect(looksAtClock(received: 700, answered: 1, sent: 5000))
        #expect(looksAtClock(received: 5000, answered: 1, sent: 100))
        #expect(looksAtClock(received: 1400, answered: 2, sent: 100))
        #expect(looksAtClock(received: 700, answered: 0, sent: 0))
    }

    @Test("forgets what the last connection did")
    func goOn() {
        var scratch = LoopScratch(date: [])
        scratch.begin(now: 0)
        scratch.received = 5000
        scratch.answered += 1
        scratch.goOn()
        let now = scratch.now
        scratch.received = 700
        scratch.answered += 1
        scratch.writer.finish([UInt8](repeating: 0x78, count: 3000))
        scratch.goOn()
        #expect(scratch.now == now)
        #expect(scratch.start == scratch.writer.output.count)
    }
}
