import RateLimiter
import Testing
import Primitives
import TestSupport

/// Two tokens a second, two at once, times in milliseconds.
private struct QuotaGroupFixture {
    let group: QuotaGroup<String>

    init(rate: Double = 2, burst: Double = 2, maxWait: Int64 = 2000, maxDepth: Int = 256) {
        group = QuotaGroup(
            Quota(rate: rate, burst: burst), maxWait: maxWait * millisecond, maxDepth: maxDepth, now: 0)
    }

    func request(
        _ name: String, as claim: Claim = .caller(0, weight: 1), at now: Int64, deadline: Int64 = 100_000
    ) -> QuotaGroup<String>.Admission {
        switch group.request(name, as: claim, deadline: .at(deadline * millisecond), now: .at(now * millisecond)) {
        case .granted: .granted
        case .queued(let until): .queued(until: .at(until.nanoseconds / millisecond))
        case .refused(let until): .refused(until: .at(until.nanoseconds / millisecond))
        }
    }

    func release(at now: Int64) -> Released {
        var released = Released()
        let next = group.release(
            now: .at(now * millisecond), granted: &released.granted, expired: &released.expired)
        released.next = next.map { $0.nanoseconds / millisecond }
        return released
    }
}

private struct Released: Equatable {
    var granted: [String] = []
    var expired: [String] = []
    var next: Int64?
}

@Suite("The queue of a quota group")
struct QuotaGroupTests {
    @Test("takes a token back that was not used, and never holds more than the burst")
    func giveBack() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.request("a", at: 1000) == .granted)
        #expect(fixture.request("b", at: 1000) == .granted)
        #expect(fixture.request("c", at: 1000) == .queued(until: 1500))
        fixture.group.giveBack(now: .at(1100 * millisecond))
        #expect(fixture.release(at: 1100) == Released(granted: ["c"]))
        for _ in 0..<10 { fixture.group.giveBack(now: .at(5000 * millisecond)) }
        #expect(fixture.request("d", at: 5000) == .granted)
        #expect(fixture.request("e", at: 5000) == .granted)
        #expect(fixture.request("f", at: 5000) == .queued(until: 5500))
    }

    @Test("starts with an empty bucket, so that a restart does not double the burst")
    func start() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.group.tokens(now: 0) == 0)
        #expect(fixture.request("a", at: 0) == .queued(until: 500))
        #expect(QuotaGroupFixture(maxWait: 0).request("a", at: 0) == .refused(until: 500))
        #expect(QuotaGroupFixture(maxWait: 0).request("a", at: 499) == .refused(until: 500))
        #expect(QuotaGroupFixture(maxWait: 0).request("a", at: 500) == .granted)
    }

    @Test("grants at once what the bucket holds, and lets the next wait")
    func grants() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.request("a", at: 10_000) == .granted)
        #expect(fixture.request("b", at: 10_000) == .granted)
        #expect(fixture.request("c", at: 10_000) == .queued(until: 10_500))
        #expect(fixture.group.depth == 1)
    }

    @Test("serves in the order of arrival, and says when the next turn is")
    func order() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.request("a", at: 0) == .queued(until: 500))
        #expect(fixture.request("b", at: 10) == .queued(until: 1000))
        #expect(fixture.request("c", at: 20) == .queued(until: 1500))
        #expect(fixture.release(at: 499) == Released(next: 500))
        #expect(fixture.release(at: 500) == Released(granted: ["a"], next: 1000))
        #expect(fixture.release(at: 500) == Released(next: 1000))
        #expect(fixture.release(at: 1499) == Released(granted: ["b"], next: 1500))
        #expect(fixture.release(at: 1500) == Released(granted: ["c"]))
        #expect(fixture.release(at: 1600) == Released())
    }

    @Test("hands out no more than the burst when it is released late")
    func late() {
        let fixture = QuotaGroupFixture(maxWait: 10_000)
        for name in ["a", "b", "c"] { _ = fixture.request(name, at: 0) }
        #expect(fixture.release(at: 9000) == Released(granted: ["a", "b"], next: 9500))
    }

    @Test("does not let a newcomer pass those who wait, even when a token is there")
    func newcomer() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.request("a", at: 0) == .queued(until: 500))
        #expect(fixture.request("b", at: 600) == .queued(until: 1000))
        #expect(fixture.request("c", at: 900) == .queued(until: 1500))
        #expect(fixture.group.turn(of: .caller(0, weight: 1), now: .at(900 * millisecond)) == .at(2000 * millisecond))
        #expect(fixture.release(at: 900) == Released(granted: ["a"], next: 1000))
    }

    @Test("refuses at once what would wait longer than it may, and says when a newcomer's turn would be")
    func maxWait() {
        let fixture = QuotaGroupFixture(maxWait: 1000)
        #expect(fixture.request("a", at: 0) == .queued(until: 500))
        #expect(fixture.request("b", at: 0) == .queued(until: 1000))
        #expect(fixture.request("c", at: 0) == .refused(until: 1500))
        #expect(fixture.request("c", at: 499) == .refused(until: 1500))
        #expect(fixture.request("c", at: 500) == .queued(until: 1500))
        #expect(fixture.group.depth == 3)
    }

    @Test("refuses at once what its deadline would overtake")
    func deadline() {
        let fixture = QuotaGroupFixture()
        #expect(fixture.request("a", at: 0, deadline: 499) == .refused(until: 500))
        #expect(fixture.request("b", at: 0, deadline: 500) == .queued(until: 500))
        #expect(fixture.request("c", at: 0, deadline: 500) == .refused(until: 1000))
        #expect(fixture.request("d", at: 0, deadline: -1) == .refused(until: 1000))
    }

    @Test("refuses what finds it full")
    func depth() {
        let fixture = QuotaGroupFixture(maxDepth: 2)
        #expect(fixture.request("a", at: 0) == .queued(until: 500))
        #expect(fixture.request("b", at: 0) == .queued(until: 1000))
        #expect(fixture.request("c", at: 0) == .refused(until: 1500))
        #expect(fixture.release(at: 500).granted == ["a"])
        #expect(fixture.request("d", at: 500) == .queued(until: 1500))
        #expect(QuotaGroupFixture(maxDepth: 0).request("a", at: 0) == .refused(until: 500))
        #expect(QuotaGroupFixture(maxDepth: -1).request("a", at: 0) == .refused(until: 500))
    }

    @Test("is not made longer by a refusal")
    func refusal() {
        let fixture = QuotaGroupFixture(maxWait: 0)
        for _ in 0..<100 { #expect(fixture.request("a", at: 100) == .refused(until: 500)) }
        #expect(fixture.request("b", at: 500) == .granted)
    }

    @Test("gives up those whose deadline has passed, and gives their token to the next")
    func expiry() {
        let fixture = QuotaGroupFixture()
        _ = fixture.request("a", at: 0, deadline: 600)
        _ = fixture.request("b", at: 0)
        #expect(fixture.release(at: 601) == Released(granted: ["b"], expired: ["a"]))

        let other = QuotaGroupFixture()
        _ = other.request("a", at: 0, deadline: 600)
        #expect(other.release(at: 600) == Released(granted: ["a"]))
    }

    @Test("lets nobody wait longer than he may, even when it is released late")
    func overdue() {
        let fixture = QuotaGroupFixture()
        for name in ["a", "b"] { _ = fixture.request(name, at: 0) }
        #expect(fixture.release(at: 2001) == Released(expired: ["a", "b"]))
    }

    @Test("gives up those in the middle whose deadline has passed")
    func expiryInTheMiddle() {
        let fixture = QuotaGroupFixture(burst: 1)
        _ = fixture.request("a", at: 0)
        _ = fixture.request("b", at: 0, deadline: 1000)
        _ = fixture.request("c", at: 0)
        #expect(fixture.release(at: 1100) == Released(granted: ["a"], expired: ["b"], next: 1600))
    }

    @Test("gives all back at once when the gateway stops")
    func removeAll() {
        let fixture = QuotaGroupFixture()
        for name in ["a", "b", "c"] { _ = fixture.request(name, at: 0) }
        #expect(fixture.group.removeAll() == ["a", "b", "c"])
        #expect(fixture.group.removeAll() == [])
        #expect(fixture.group.depth == 0)
        #expect(fixture.release(at: 500) == Released())
    }

    @Test("serves a caller who was served less before others that came first")
    func fairness() {
        let fixture = QuotaGroupFixture(maxWait: 5000)
        for name in ["a1", "a2", "a3"] { _ = fixture.request(name, as: .caller(1, weight: 1), at: 0) }
        #expect(fixture.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(fixture.release(at: 500).granted == ["a1"])
        #expect(fixture.release(at: 1000).granted == ["b1"])
        #expect(fixture.release(at: 1500).granted == ["a2"])
        // b keeps its virtual start time: it does not restart because it had no waiting request in between.
        #expect(fixture.request("b2", as: .caller(2, weight: 1), at: 1500) == .queued(until: 2000))
        #expect(fixture.release(at: 2000).granted == ["b2"])
        #expect(fixture.release(at: 2500).granted == ["a3"])
    }

    @Test("hands back at once who is pushed past the time that he may wait")
    func displacement() {
        let fixture = QuotaGroupFixture(maxWait: 1000)
        #expect(fixture.request("a1", as: .caller(1, weight: 1), at: 0) == .queued(until: 500))
        #expect(fixture.request("a2", as: .caller(1, weight: 1), at: 0) == .queued(until: 1000))
        #expect(fixture.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(fixture.release(at: 1) == Released(expired: ["a2"], next: 500))
        #expect(fixture.request("a3", as: .caller(1, weight: 1), at: 1) == .refused(until: 1500))
    }

    @Test("gives a full queue's last place to a newcomer who was served less, and to no other")
    func fullQueue() {
        let fixture = QuotaGroupFixture(maxDepth: 2)
        _ = fixture.request("a1", as: .caller(1, weight: 1), at: 0)
        _ = fixture.request("a2", as: .caller(1, weight: 1), at: 0)
        #expect(fixture.request("a3", as: .caller(1, weight: 1), at: 0) == .refused(until: 1500))
        #expect(fixture.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(fixture.release(at: 500) == Released(granted: ["a1"], expired: ["a2"], next: 1000))
    }

    @Test("gives refreshes every second turn while both wait, the oldest page first, and all turns else")
    func refreshes() {
        let fixture = QuotaGroupFixture()
        for age in [30, 10, 20] { _ = fixture.request("r\(age)", as: .refresh(fetchedAt: .at(Int64(age))), at: 0) }
        for name in ["a1", "a2"] { _ = fixture.request(name, as: .caller(1, weight: 1), at: 0) }
        let order = (1...5).flatMap { fixture.release(at: Int64($0) * 500).granted }
        #expect(order == ["a1", "r10", "a2", "r20", "r30"])
    }

    @Test("does not hold a refresh to the time that callers may wait")
    func patientRefreshes() {
        let fixture = QuotaGroupFixture(maxWait: 500)
        #expect(fixture.request("r1", as: .refresh(fetchedAt: 1), at: 0) == .queued(until: 500))
        #expect(fixture.request("r2", as: .refresh(fetchedAt: 2), at: 0) == .queued(until: 1000))
        #expect(fixture.request("r3", as: .refresh(fetchedAt: 3), at: 0, deadline: 1400) == .refused(until: 1500))
        #expect(QuotaGroupFixture(maxWait: 0).request("r1", as: .refresh(fetchedAt: 1), at: 0) == .refused(until: 500))
    }

    @Test("lets what waits go on in the name of a better one who has joined it")
    func joining() {
        let fixture = QuotaGroupFixture()
        for name in ["a1", "a2", "a3"] { _ = fixture.request(name, as: .caller(1, weight: 1), at: 0) }
        #expect(fixture.group.join(as: .caller(2, weight: 1), now: 0) { $0 == "a3" })
        #expect(fixture.release(at: 500).granted == ["a1"])
        #expect(fixture.release(at: 1000).granted == ["a3"])
        // An earlier instant has no effect.
        _ = fixture.request("b1", as: .caller(2, weight: 1), at: 1000)
        #expect(!fixture.group.join(as: .caller(1, weight: 1), now: 1000) { $0 == "b1" })
        #expect(fixture.release(at: 1500).granted == ["a2"])

        let other = QuotaGroupFixture()
        _ = other.request("a1", as: .caller(1, weight: 1), at: 0)
        for age in [1, 2, 3] { _ = other.request("r\(age)", as: .refresh(fetchedAt: .at(Int64(age))), at: 0) }
        #expect(other.group.join(as: .caller(2, weight: 1), now: 0) { $0 == "r3" })
        #expect((1...4).flatMap { other.release(at: Int64($0) * 500).granted } == ["a1", "r1", "r3", "r2"])
    }

    @Test("forgets what nobody wants any more")
    func removal() {
        let fixture = QuotaGroupFixture()
        for name in ["a", "b"] { _ = fixture.request(name, at: 0) }
        #expect(fixture.group.remove { $0 == "a" } == "a")
        #expect(fixture.group.remove { $0 == "a" } == nil)
        #expect(fixture.release(at: 500) == Released(granted: ["b"]))
    }

    @Test("slows down when the upstream throttles all the same, once for what was on its way, and comes back by and by")
    func feedback() {
        let fixture = QuotaGroupFixture(rate: 10, burst: 5)
        let group = fixture.group
        #expect(group.throttled(sentAt: .at(10 * second), now: .at(10 * second)))
        #expect(group.tokens(now: .at(10 * second)) == 0)
        #expect(!group.throttled(sentAt: .at(10 * second), now: .at(10 * second)))
        #expect(group.currentQuota(now: .at(10 * second)).interval == 142_857_143)
        #expect(fixture.request("a", at: 10_000) == .queued(until: 10_142))
        // It rises by a thousandth for each attempt that the full rate would have made: 10 a second.
        #expect((124_000_000...126_000_000).contains(group.currentQuota(now: .at(20 * second)).interval))
        #expect(group.currentQuota(now: .at(40 * second)).interval == 100_000_000)
        for _ in 0..<100 { _ = group.throttled(sentAt: .at(30 * second), now: .at(50 * second)) }
        for step in 1...100 {
            _ = group.throttled(sentAt: .at((30 + Int64(step)) * second), now: .at((30 + Int64(step)) * second))
        }
        #expect(group.currentQuota(now: .at(130 * second)).interval < 5_100_000_000, "and never to nothing")
    }

    @Test("hands out nothing before the upstream wants to be asked again, and nobody a turn before")
    func held() {
        let fixture = QuotaGroupFixture()
        let group = fixture.group
        #expect(fixture.request("a", at: 5000) == .granted)
        group.hold(until: .at(8000 * millisecond), now: .at(5000 * millisecond))
        group.hold(until: .at(6000 * millisecond), now: .at(5000 * millisecond))
        #expect(fixture.request("b", at: 5000) == .refused(until: 8000))
        #expect(fixture.request("c", as: .refresh(fetchedAt: 0), at: 5000) == .queued(until: 8000))
        group.giveBack(now: .at(5000 * millisecond))
        #expect(fixture.release(at: 5001).granted.isEmpty)
        #expect(fixture.request("d", at: 6500) == .queued(until: 8000))
        #expect(fixture.release(at: 7999).granted.isEmpty)
        #expect(fixture.release(at: 8000).granted.count == 2)
    }

    @Test("gives back what cannot wait until then")
    func heldTooLong() {
        let fixture = QuotaGroupFixture()
        for name in ["a", "b", "c"] { _ = fixture.request(name, at: 5000) }
        fixture.group.hold(until: .at(8000 * millisecond), now: .at(5000 * millisecond))
        #expect(fixture.release(at: 5000).expired == ["c"])
        #expect(fixture.group.depth == 0)
    }
}
