import Testing

@testable import Upstream

@Suite("Lost connections")
struct LostConnectionsTests {
    @Test("are told apart from those that are known, and paid for once")
    func once() {
        var lost = LostConnections()
        #expect(lost.add(1) == true)
        #expect(lost.add(1) == false)
        #expect(!lost.isPaid(1))
        lost.pay(1)
        #expect(lost.isPaid(1))
        #expect(lost.add(2) == true)
        #expect(!lost.isPaid(2))
        lost.pay(3)
        #expect(!lost.isPaid(3))
    }

    @Test("are forgotten in their order, and never many")
    func bounded() {
        var lost = LostConnections()
        for connection in 0...UInt64(LostConnections.maxCount) { #expect(lost.add(connection) == true) }
        #expect(lost.add(0) == true)
        #expect(lost.add(UInt64(LostConnections.maxCount)) == false)
    }
}
