import Testing

@testable import HTTPFront

@Suite("A workbench")
struct WorkbenchTests {
    /// Whether it looks at the clock after a connection of which so much was received, answered and sent.
    private func looksAtClock(received: Int, answered: Int, sent: Int) -> Bool {
        var bench = Workbench(date: [])
        bench.begin(now: 0)
        bench.received = received
        bench.answered += answered
        if sent > 0 { bench.writer.finish([UInt8](repeating: 0x78, count: sent)) }
        bench.goOn()
        return bench.now != 0
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
        var bench = Workbench(date: [])
        bench.begin(now: 0)
        bench.received = 5000
        bench.answered += 1
        bench.goOn()
        let now = bench.now
        bench.received = 700
        bench.answered += 1
        bench.writer.finish([UInt8](repeating: 0x78, count: 3000))
        bench.goOn()
        #expect(bench.now == now)
        #expect(bench.start == bench.writer.output.count)
    }
}
