import Primitives
import TestSupport
import Testing

@testable import RateLimiter

/// Two tokens a second, two at once, later ones of a burst a quarter of a second late; times in milliseconds.
private struct SpareFixture {
    let group: QuotaGroup<String>

    init(rate: Double = 2, burst: Double = 2, jitter: Int64 = 250) {
        group = QuotaGroup(
            Quota(rate: rate, burst: burst, jitter: jitter * millisecond), maxWait: 2000 * millisecond, maxDepth: 10,
            now: 0)
    }

    func takeSpare(_ share: Double = 0.8, at now: Int64) -> Int64? {
        group.takeSpare(share, now: .at(now * millisecond)).map {
            $0 == .distantFuture ? .max : $0.nanoseconds / millisecond
        }
    }

    /// When a caller who comes now has its token.
    func wait(at now: Int64) -> Int64 {
        switch group.request("a", as: .caller(1, weight: 1), deadline: .distantFuture, now: .at(now * millisecond)) {
        case .granted: 0
        case .queued(let until), .refused(let until): until.nanoseconds / millisecond - now
        }
    }
}

@Suite("Spare tokens of a quota group")
struct SpareTokenTests {
    @Test("are those that a full bucket would lose")
    func full() {
        let fixture = SpareFixture()
        // It begins empty, and is full after a second.
        #expect(fixture.takeSpare(at: 600) == 1000)
        #expect(fixture.takeSpare(at: 1000) == nil)
        #expect(fixture.takeSpare(at: 1200) == 1500)
    }

    @Test("are no more than their share of the rate")
    func share() {
        let fixture = SpareFixture()
        var taken = 0
        for now in stride(from: Int64(1000), to: 101_000, by: 10) where fixture.takeSpare(at: now) == nil { taken += 1 }
        #expect((157...163).contains(taken))
        #expect(SpareFixture().takeSpare(0, at: 5000) == .max)
    }

    @Test("leave one for the caller who comes next, and no later than the bucket had been full")
    func nextCaller() {
        let idle = SpareFixture()
        #expect(idle.takeSpare(at: 5000) == nil)
        #expect(idle.wait(at: 5000) == 0)
        let busy = SpareFixture()
        // Full since 1000, so that 100 of the 250 have passed.
        #expect(busy.takeSpare(at: 1100) == nil)
        #expect(busy.wait(at: 1100) == 150)
    }

    @Test("are none while anything waits, or the service wants to be left alone")
    func waiting() {
        let fixture = SpareFixture()
        #expect(fixture.wait(at: 10) > 0)
        #expect(fixture.takeSpare(at: 20_000) == .max)
        let held = SpareFixture()
        held.group.hold(until: .at(9000 * millisecond), now: 0)
        #expect(held.takeSpare(at: 5000) == 9000)
    }

    @Test("are none in a group that allows one at once, unless the next comes soon")
    func single() {
        #expect(SpareFixture(burst: 1).takeSpare(at: 5000) == .max)
        #expect(SpareFixture(rate: 30, burst: 1).takeSpare(at: 5000) == nil)
    }

    @Test("and all others never tip the service's own bucket, however the requests are held up on their way")
    func service() {
        for seed in 0..<40 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let fixture = SpareFixture()
            var arrivals: [Int64] = []
            var granted: [String] = []
            var expired: [String] = []
            for now in stride(from: Int64(1000), to: 120_000, by: 5) {
                var sent = 0
                granted = []
                _ = fixture.group.release(now: .at(now * millisecond), granted: &granted, expired: &expired)
                sent += granted.count
                if Int.random(in: 0..<300, using: &generator) == 0, fixture.wait(at: now) == 0 { sent += 1 }
                if fixture.takeSpare(1, at: now) == nil { sent += 1 }
                for _ in 0..<sent { arrivals.append(now + (Bool.random(using: &generator) ? 0 : 250)) }
            }
            var service = TokenBucket.full
            let quota = Quota(rate: 2, burst: 2)
            let refused = arrivals.sorted().filter { service.take(quota, now: .at($0 * millisecond)) != .admitted }
            #expect(refused.isEmpty)
            #expect(arrivals.count > 200)
        }
    }
}
