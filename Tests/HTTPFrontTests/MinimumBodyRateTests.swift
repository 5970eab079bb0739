import Primitives
import TestSupport
import Testing

@testable import HTTPFront

/// The content of one request, of which 100 bytes are to come in each 1000 nanoseconds.
private final class Paced {
    private var pace = MinimumBodyRate()
    private var limits = HTTPLimits()

    init(minBodyBytes: Int = 100) {
        limits.bodyStretch = 1000
        limits.minBodyBytes = minBodyBytes
    }

    func begin(_ received: Int, _ now: MonotonicInstant) { pace.begin(received: received, now: now, limits: limits) }

    func look(_ received: Int, _ now: MonotonicInstant) -> Bool {
        pace.hasExpired(received: received, now: now, limits: limits)
    }
}

@Suite("A client that sends content slowly")
struct MinimumBodyRateTests {
    @Test("is given up when it sends nothing for the whole stretch, whatever it sent before")
    func nothing() {
        let content = Paced()
        content.begin(10_000, 5000)
        for now in 5000..<6000 as Range<Int64> { #expect(content.look(10_000, .at(now)) == false) }
        #expect(content.look(10_000, 6000))
    }

    @Test("is given up when it drips")
    func drip() {
        let content = Paced()
        content.begin(0, 0)
        for now in 0..<1000 as Range<Int64> { #expect(content.look(Int(now / 11), .at(now)) == false) }
        #expect(content.look(99, 1000))
    }

    @Test("is not given up as long as it keeps up, however much it sends")
    func enough() {
        let content = Paced()
        content.begin(0, 0)
        for now in 0..<100_000 as Range<Int64> { #expect(content.look(Int(now / 9), .at(now)) == false) }
    }

    @Test("gains no time in advance by what it sends at once")
    func advance() {
        let content = Paced()
        content.begin(0, 0)
        #expect(content.look(1_000_000, 900) == false)
        #expect(content.look(1_000_000, 1899) == false)
        #expect(content.look(1_000_000, 1900))
    }

    @Test("is looked at only from when it may send on")
    func pause() {
        let content = Paced()
        content.begin(0, 0)
        #expect(content.look(0, 999) == false)
        content.begin(0, 999)
        #expect(content.look(0, 1998) == false)
        #expect(content.look(0, 1999))
    }

    @Test("is no matter without a minimum, or before there is a request")
    func none() {
        let content = Paced(minBodyBytes: 0)
        content.begin(0, 0)
        #expect(content.look(0, .distantFuture - 1) == false)
        #expect(Paced().look(0, .distantFuture - 1) == false)
    }
}
