import Primitives
import TestSupport
import Testing

@testable import HTTPFront

/// One connection's stall, at an idle time of 100.
private final class Stalled {
    private var stall = WriteStall()

    func begin(_ now: MonotonicInstant) { stall = WriteStall(now: now, idleTimeout: 100) }

    func end() { stall = WriteStall() }

    func look(_ left: Int, _ now: MonotonicInstant) -> Bool { stall.hasExpired(left: left, now: now, idleTimeout: 100) }
}

@Suite("A client that reads slowly")
struct WriteStallTests {
    @Test("is given up when it reads nothing for the idle time")
    func nothing() {
        let stall = Stalled()
        stall.begin(1000)
        for now in 1000..<1100 as Range<Int64> {
            #expect(stall.look(1 << 20, .at(now)) == false)
        }
        #expect(stall.look(1 << 20, 1100))
    }

    @Test("is given up when it reads less than 64 KiB in the idle time, however often it reads")
    func tooLittle() {
        let stall = Stalled()
        stall.begin(0)
        var left = 1 << 20
        var now: MonotonicInstant = 0
        while !stall.look(left, now), now < 1000 {
            now = now + 1
            left -= WriteStall.minProgress / 101
        }
        #expect(now == 100)
    }

    @Test("is not given up as long as it reads 64 KiB in each idle time")
    func enough() {
        let stall = Stalled()
        stall.begin(0)
        var left = 100 * WriteStall.minProgress
        var now: MonotonicInstant = 0
        while left > 0 {
            #expect(stall.look(left, now) == false)
            now = now + 1
            left -= WriteStall.minProgress / 98
        }
        #expect(now > 5000)
    }

    @Test("gains no time by asking for more")
    func more() {
        let stall = Stalled()
        stall.begin(0)
        for now in 0..<100 as Range<Int64> {
            #expect(stall.look(Int(now) << 20, .at(now)) == false)
        }
        #expect(stall.look(100 << 20, 100))
    }

    @Test("is no matter when nothing waits")
    func ended() {
        let stall = Stalled()
        #expect(stall.look(1, .distantFuture - 1) == false)
        stall.begin(0)
        stall.end()
        #expect(stall.look(1, 1000) == false)
    }
}
