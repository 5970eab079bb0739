import Primitives
import Testing

@Suite("An instant")
struct InstantTests {
    @Test(
        "of the wall clock is so many whole seconds, rounded down",
        arguments: [
            (0, 0), (999_999_999, 0), (1_000_000_000, 1), (-1, -1), (-1_000_000_000, -1), (-1_000_000_001, -2),
            (.max, 9_223_372_036), (.min, -9_223_372_037),
        ] as [(Int64, Int64)])
    func seconds(nanoseconds: Int64, seconds: Int64) {
        #expect(WallInstant(nanoseconds: nanoseconds).seconds == seconds)
    }

    @Test("of seconds is exact, and saturates outside the years that it spans")
    func saturation() {
        #expect(WallInstant(seconds: 1_700_000_000).nanoseconds == 1_700_000_000_000_000_000)
        #expect(WallInstant(seconds: -1).nanoseconds == -1_000_000_000)
        #expect(WallInstant(seconds: 253_402_300_799).nanoseconds == .max)
        #expect(WallInstant(seconds: -62_167_219_200).nanoseconds == .min)
    }

    @Test("moves by nanoseconds, and saturates")
    func arithmetic() {
        let (instant, last) = (WallInstant(seconds: 5), WallInstant(nanoseconds: .max))
        #expect((instant + 7).nanoseconds == 5_000_000_007)
        #expect((instant - 7).nanoseconds == 4_999_999_993)
        #expect(last + 1 == last)
        #expect(last - -1 == last)
        #expect(WallInstant(nanoseconds: .min) - 1 == WallInstant(nanoseconds: .min))
        #expect(WallInstant(nanoseconds: .min) + -1 == WallInstant(nanoseconds: .min))
        #expect(WallInstant(seconds: 7) - instant == 2_000_000_000)
        #expect(instant - WallInstant(seconds: 7) == -2_000_000_000)
        #expect(last - WallInstant(seconds: -1) == .max)
        #expect(WallInstant(seconds: -2) - last == .min)
        #expect(WallInstant(seconds: -1) < instant)
    }

    @Test("of a clock that is never set moves as others do, between the past and the future that never end")
    func monotonic() {
        let instant = MonotonicInstant(nanoseconds: 5)
        #expect(instant + 2 - instant == 2)
        #expect(MonotonicInstant.distantPast < instant && instant < .distantFuture)
        #expect(MonotonicInstant.distantFuture + 1 == .distantFuture)
        #expect(MonotonicInstant.distantPast - 1 == .distantPast)
    }

    @Test("and ids take a word each")
    func size() {
        #expect(MemoryLayout<WallInstant>.size == 8)
        #expect(MemoryLayout<MonotonicInstant>.size == 8)
        #expect(MemoryLayout<CallerID>.size == 8)
        #expect(MemoryLayout<OperationID>.size == 8)
    }
}
