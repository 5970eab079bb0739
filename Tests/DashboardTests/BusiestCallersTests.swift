import Dashboard
import Primitives
import Testing

@Suite("The busiest callers")
struct BusiestCallersTests {
    private func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test("are those that ask most of late, not those that asked most ever")
    func late() {
        var callers = BusiestCallers()
        callers.update([1_000_000, 0, 5], now: at(0))
        for second in 1...30 { callers.update([1_000_000, UInt64(20 * second), 5], now: at(Int64(second))) }
        let busiest = callers.busiest(10)
        #expect(busiest.map(\.place) == [1, 0, 2])
        #expect(abs((busiest.first?.rate ?? 0) - 20) < 0.1)
        #expect(busiest.dropFirst().allSatisfy { $0.rate == 0 })
    }

    @Test("are as many as are wanted, and none that never asked")
    func few() {
        var callers = BusiestCallers()
        callers.update([3, 0, 2, 1], now: at(0))
        #expect(callers.busiest(2).map(\.place) == [0, 2])
        #expect(callers.busiest(9).map(\.place) == [0, 2, 3])
    }

    @Test("begin anew when there are others, and bear a clock that stands")
    func others() {
        var callers = BusiestCallers()
        callers.update([3], now: at(0))
        callers.update([9], now: at(0))
        #expect(callers.busiest(1).map(\.rate) == [0])
        callers.update([9, 9], now: at(1))
        #expect(callers.busiest(2).map(\.rate) == [0, 0])
    }
}

@Suite("The quota groups that are shown")
struct ShownGroupsTests {
    @Test("are all of few")
    func few() { #expect(ShownGroups.places(of: [0, 0, 3], most: 64) == [0, 1, 2]) }

    @Test("are those of many that are in use, in their order")
    func many() {
        var activity = [Double](repeating: 0, count: 400)
        activity[7] = 1
        activity[300] = 5
        #expect(ShownGroups.places(of: activity, most: 64) == [7, 300])
    }

    @Test("are never more than the most, and then the most active")
    func most() {
        #expect(ShownGroups.places(of: (0..<100).map(Double.init), most: 3) == [97, 98, 99])
        #expect(ShownGroups.places(of: [0, 1, 2], most: 2) == [1, 2])
    }
}
