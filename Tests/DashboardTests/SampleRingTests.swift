import Primitives
import Testing

@testable import Dashboard

@Suite("The course of the last samples")
struct SampleRingTests {
    private func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test("is empty at first")
    func empty() {
        let ring = SampleRing(counters: ["a"], gauges: ["g"], capacity: 3)
        #expect(ring.course(now: at(5)) == .init(ages: [], rises: [[]], gauges: [[]]))
    }

    @Test("has what counters rose by, and gauges as they were")
    func course() {
        var ring = SampleRing(counters: ["a", "b"], gauges: ["g"], capacity: 10)
        ring.append(counters: [1, 10], gauges: [7], at: at(0))
        ring.append(counters: [4, 10], gauges: [5], at: at(10))
        ring.append(counters: [9, 11], gauges: [6], at: at(20))
        #expect(
            ring.course(now: at(25)) == .init(ages: [25, 15, 5], rises: [[3, 5], [0, 1]], gauges: [[7, 5, 6]]))
    }

    @Test("forgets the oldest beyond its capacity, however long it goes on")
    func bound() {
        var ring = SampleRing(counters: ["a"], gauges: [], capacity: 4)
        for second in 0..<1000 { ring.append(counters: [Double(second * second)], gauges: [], at: at(Int64(second))) }
        #expect(ring.count == 4)
        #expect(ring.course(now: at(999)) == .init(ages: [3, 2, 1, 0], rises: [[1993, 1995, 1997]], gauges: []))
    }

    @Test("takes a counter that has fallen for one that began anew")
    func anew() {
        var ring = SampleRing(counters: ["a"], gauges: [], capacity: 4)
        ring.append(counters: [100], gauges: [], at: at(0))
        ring.append(counters: [3], gauges: [], at: at(1))
        #expect(ring.course(now: at(1)).rises == [[3]])
    }

    @Test(
        "ignores a sample that lacks values, or is not later",
        arguments: [([1.0, 2.0], [1.0], 5), ([1.0], [], 5), ([1.0], [1.0], 0), ([1.0], [1.0], -1)])
    func odd(counters: [Double], gauges: [Double], second: Int) {
        var ring = SampleRing(counters: ["a"], gauges: ["g"], capacity: 4)
        ring.append(counters: [0], gauges: [0], at: at(0))
        ring.append(counters: counters, gauges: gauges, at: at(Int64(second)))
        #expect(ring.count == 1)
    }
}
