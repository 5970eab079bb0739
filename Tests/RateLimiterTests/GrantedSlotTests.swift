import Primitives
import TestSupport
import Testing

@testable import RateLimiter

/// A group of two tokens a second whose slots are granted from outside. Times are milliseconds.
private struct Fixture {
    let group: QuotaGroup<String>

    init(rate: Double = 2, burst: Double = 2) {
        group = QuotaGroup(Quota(rate: rate, burst: burst), maxWait: 2000 * millisecond, maxDepth: 256, now: .at(0))
        group.use(.granted, now: .at(0))
    }

    func request(_ name: String, at now: Int64, deadline: Int64 = 100_000) -> QuotaGroup<String>.Admission {
        group.request(
            name, as: .caller(0, weight: 1), deadline: .at(deadline * millisecond), now: .at(now * millisecond))
    }

    func release(at now: Int64) -> (granted: [String], expired: [String], next: Int64?) {
        var (granted, expired): ([String], [String]) = ([], [])
        let next = group.release(now: .at(now * millisecond), granted: &granted, expired: &expired)
        return (granted, expired, next.map { $0 == .distantFuture ? .max : $0.nanoseconds / millisecond })
    }

    func grant(_ slots: Int64..., at now: Int64, fullAt: Int64 = 0) {
        group.grant(
            slots.map { .at($0 * millisecond) }, bucket: TokenBucket(fullAt: .at(fullAt * millisecond)), share: 1,
            now: .at(now * millisecond))
    }

    func asks(at now: Int64) -> Int64? { group.slotsToAskFor(now: .at(now * millisecond))?.count }
}

@Suite("Granted slots of a quota group")
struct GrantedSlotTests {
    @Test("are asked for only while something waits, and once")
    func asking() {
        let fixture = Fixture()
        #expect(fixture.asks(at: 3000) == nil)
        #expect(fixture.request("a", at: 3000) != .granted)
        #expect(fixture.asks(at: 3000) == 1)
        #expect(fixture.asks(at: 3000) == nil)
        fixture.grant(3300, at: 3001)
        #expect(fixture.asks(at: 3001) == nil)
        #expect(fixture.release(at: 3299).granted == [])
        #expect(fixture.release(at: 3299).next == 3300)
        #expect(fixture.release(at: 3300).granted == ["a"])
        #expect(fixture.asks(at: 3300) == nil)
    }

    @Test("that were denied are asked for again when that is said")
    func denied() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.group.deny(until: .at(3500 * millisecond), bucket: nil, share: nil, now: .at(3001 * millisecond))
        #expect(fixture.asks(at: 3499) == nil)
        #expect(fixture.release(at: 3400).next == 3500)
        #expect(fixture.asks(at: 3500) == 1)
    }

    @Test("are not used a second after their time")
    func old() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.grant(3100, at: 3000)
        #expect(fixture.release(at: 4101).granted == [])
        #expect(fixture.asks(at: 4101) == 1)
    }

    @Test("go to a newcomer at once only if nobody waits")
    func newcomer() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.grant(3000, at: 3000)
        #expect(fixture.request("b", at: 3000) != .granted)
        #expect(fixture.release(at: 3000).granted == ["a"])
    }

    @Test("come in batches for fast groups alone")
    func batches() {
        let slow = Fixture(rate: 40)
        let fast = Fixture(rate: 1000)
        for number in 0..<50 {
            _ = slow.request("\(number)", at: 3000)
            _ = fast.request("\(number)", at: 3000)
        }
        #expect(slow.asks(at: 3000) == 1)
        #expect(fast.asks(at: 3000) == 20)
    }

    @Test("follow the share of the rate that is agreed on")
    func share() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.group.grant(
            [.at(3000 * millisecond)], bucket: .full, share: 0.5, now: .at(3000 * millisecond))
        #expect(fixture.group.currentQuota(now: .at(3000 * millisecond)).interval == 1_000_000_000)
    }

    @Test("given back are used by the next")
    func giveBack() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.grant(3000, at: 3000)
        #expect(fixture.release(at: 3000).granted == ["a"])
        fixture.group.giveBack(now: .at(3001 * millisecond))
        #expect(fixture.request("b", at: 3002) == .granted)
    }

    @Test("are forgotten when tokens come from elsewhere, and a late grant is of no use")
    func change() {
        let fixture = Fixture()
        _ = fixture.request("a", at: 3000)
        #expect(fixture.asks(at: 3000) == 1)
        fixture.group.use(.none, now: .at(3000 * millisecond))
        fixture.grant(3000, at: 3000)
        #expect(fixture.release(at: 3000).granted == [])
        #expect(fixture.request("b", at: 3000) == .refused(until: .distantFuture))
        fixture.group.use(.granted, now: .at(3000 * millisecond))
        #expect(fixture.asks(at: 3000) == 1)
    }

    @Test("are not needed in the slots of a seat")
    func cycle() {
        let fixture = Fixture()
        fixture.group.use(
            .cycle(SlotCycle(interval: 500 * millisecond, seat: 0, of: 4, origin: .at(0))), now: .at(3000 * millisecond)
        )
        #expect(fixture.request("a", at: 3000) == .queued(until: .at(4000 * millisecond)))
        #expect(fixture.asks(at: 3000) == nil)
        #expect(fixture.release(at: 3999).granted == [])
        #expect(fixture.release(at: 4000).granted == ["a"])
        #expect(fixture.request("b", at: 4000) == .queued(until: .at(6000 * millisecond)))
    }
}
