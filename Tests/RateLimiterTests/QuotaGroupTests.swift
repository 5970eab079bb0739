import RateLimiter
import Testing

/// Two tokens a second, two at once, times in milliseconds.
private struct Bench {
    let group: QuotaGroup<String>

    init(rate: Double = 2, burst: Double = 2, maxWait: Int64 = 2000, maxDepth: Int = 256) {
        group = QuotaGroup(
            Quota(rate: rate, burst: burst), maxWait: maxWait * millisecond, maxDepth: maxDepth, now: 0)
    }

    func request(
        _ name: String, as claim: Claim = .caller(0, weight: 1), at now: Int64, deadline: Int64 = 100_000
    ) -> QuotaGroup<String>.Admission {
        switch group.request(name, as: claim, deadline: deadline * millisecond, now: now * millisecond) {
        case .granted: .granted
        case .queued(let until): .queued(until: until / millisecond)
        case .refused(let until): .refused(until: until / millisecond)
        }
    }

    func release(at now: Int64) -> Released {
        var released = Released()
        let next = group.release(
            now: now * millisecond, granted: &released.granted, expired: &released.expired)
        released.next = next.map { $0 / millisecond }
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
        let bench = Bench()
        #expect(bench.request("a", at: 1000) == .granted)
        #expect(bench.request("b", at: 1000) == .granted)
        #expect(bench.request("c", at: 1000) == .queued(until: 1500))
        bench.group.giveBack(now: 1100 * millisecond)
        #expect(bench.release(at: 1100) == Released(granted: ["c"]))
        for _ in 0..<10 { bench.group.giveBack(now: 5000 * millisecond) }
        #expect(bench.request("d", at: 5000) == .granted)
        #expect(bench.request("e", at: 5000) == .granted)
        #expect(bench.request("f", at: 5000) == .queued(until: 5500))
    }

    @Test("starts with an empty bucket, so that a restart does not double the burst")
    func start() {
        let bench = Bench()
        #expect(bench.group.tokens(now: 0) == 0)
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(Bench(maxWait: 0).request("a", at: 0) == .refused(until: 500))
        #expect(Bench(maxWait: 0).request("a", at: 499) == .refused(until: 500))
        #expect(Bench(maxWait: 0).request("a", at: 500) == .granted)
    }

    @Test("grants at once what the bucket holds, and lets the next wait")
    func grants() {
        let bench = Bench()
        #expect(bench.request("a", at: 10_000) == .granted)
        #expect(bench.request("b", at: 10_000) == .granted)
        #expect(bench.request("c", at: 10_000) == .queued(until: 10_500))
        #expect(bench.group.depth == 1)
    }

    @Test("serves in the order of arrival, and says when the next turn is")
    func order() {
        let bench = Bench()
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(bench.request("b", at: 10) == .queued(until: 1000))
        #expect(bench.request("c", at: 20) == .queued(until: 1500))
        #expect(bench.release(at: 499) == Released(next: 500))
        #expect(bench.release(at: 500) == Released(granted: ["a"], next: 1000))
        #expect(bench.release(at: 500) == Released(next: 1000))
        #expect(bench.release(at: 1499) == Released(granted: ["b"], next: 1500))
        #expect(bench.release(at: 1500) == Released(granted: ["c"]))
        #expect(bench.release(at: 1600) == Released())
    }

    @Test("hands out no more than the burst when it is released late")
    func late() {
        let bench = Bench(maxWait: 10_000)
        for name in ["a", "b", "c"] { _ = bench.request(name, at: 0) }
        #expect(bench.release(at: 9000) == Released(granted: ["a", "b"], next: 9500))
    }

    @Test("does not let a newcomer pass those who wait, even when a token is there")
    func newcomer() {
        let bench = Bench()
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(bench.request("b", at: 600) == .queued(until: 1000))
        #expect(bench.request("c", at: 900) == .queued(until: 1500))
        #expect(bench.group.turn(of: .caller(0, weight: 1), now: 900 * millisecond) == 2000 * millisecond)
        #expect(bench.release(at: 900) == Released(granted: ["a"], next: 1000))
    }

    @Test("refuses at once what would wait longer than it may, and says when a newcomer's turn would be")
    func maxWait() {
        let bench = Bench(maxWait: 1000)
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(bench.request("b", at: 0) == .queued(until: 1000))
        #expect(bench.request("c", at: 0) == .refused(until: 1500))
        #expect(bench.request("c", at: 499) == .refused(until: 1500))
        #expect(bench.request("c", at: 500) == .queued(until: 1500))
        #expect(bench.group.depth == 3)
    }

    @Test("refuses at once what its deadline would overtake")
    func deadline() {
        let bench = Bench()
        #expect(bench.request("a", at: 0, deadline: 499) == .refused(until: 500))
        #expect(bench.request("b", at: 0, deadline: 500) == .queued(until: 500))
        #expect(bench.request("c", at: 0, deadline: 500) == .refused(until: 1000))
        #expect(bench.request("d", at: 0, deadline: -1) == .refused(until: 1000))
    }

    @Test("refuses what finds it full")
    func depth() {
        let bench = Bench(maxDepth: 2)
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(bench.request("b", at: 0) == .queued(until: 1000))
        #expect(bench.request("c", at: 0) == .refused(until: 1500))
        #expect(bench.release(at: 500).granted == ["a"])
        #expect(bench.request("d", at: 500) == .queued(until: 1500))
        #expect(Bench(maxDepth: 0).request("a", at: 0) == .refused(until: 500))
        #expect(Bench(maxDepth: -1).request("a", at: 0) == .refused(until: 500))
    }

    @Test("is not made longer by a refusal")
    func refusal() {
        let bench = Bench(maxWait: 0)
        for _ in 0..<100 { #expect(bench.request("a", at: 100) == .refused(until: 500)) }
        #expect(bench.request("b", at: 500) == .granted)
    }

    @Test("gives up those whose deadline has passed, and gives their token to the next")
    func expiry() {
        let bench = Bench()
        _ = bench.request("a", at: 0, deadline: 600)
        _ = bench.request("b", at: 0)
        #expect(bench.release(at: 601) == Released(granted: ["b"], expired: ["a"]))

        let other = Bench()
        _ = other.request("a", at: 0, deadline: 600)
        #expect(other.release(at: 600) == Released(granted: ["a"]))
    }

    @Test("lets nobody wait longer than he may, even when it is released late")
    func overdue() {
        let bench = Bench()
        for name in ["a", "b"] { _ = bench.request(name, at: 0) }
        #expect(bench.release(at: 2001) == Released(expired: ["a", "b"]))
    }

    @Test("gives up those in the middle whose deadline has passed")
    func expiryInTheMiddle() {
        let bench = Bench(burst: 1)
        _ = bench.request("a", at: 0)
        _ = bench.request("b", at: 0, deadline: 1000)
        _ = bench.request("c", at: 0)
        #expect(bench.release(at: 1100) == Released(granted: ["a"], expired: ["b"], next: 1600))
    }

    @Test("gives all back at once when the gateway stops")
    func removeAll() {
        let bench = Bench()
        for name in ["a", "b", "c"] { _ = bench.request(name, at: 0) }
        #expect(bench.group.removeAll() == ["a", "b", "c"])
        #expect(bench.group.removeAll() == [])
        #expect(bench.group.depth == 0)
        #expect(bench.release(at: 500) == Released())
    }

    @Test("serves a caller who was served less before others that came first")
    func fairness() {
        let bench = Bench(maxWait: 5000)
        for name in ["a1", "a2", "a3"] { _ = bench.request(name, as: .caller(1, weight: 1), at: 0) }
        #expect(bench.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(bench.release(at: 500).granted == ["a1"])
        #expect(bench.release(at: 1000).granted == ["b1"])
        #expect(bench.release(at: 1500).granted == ["a2"])
        // What b was served keeps its place: it does not begin anew because it waited for nothing in between.
        #expect(bench.request("b2", as: .caller(2, weight: 1), at: 1500) == .queued(until: 2000))
        #expect(bench.release(at: 2000).granted == ["b2"])
        #expect(bench.release(at: 2500).granted == ["a3"])
    }

    @Test("hands back at once who is pushed past the time that he may wait")
    func displacement() {
        let bench = Bench(maxWait: 1000)
        #expect(bench.request("a1", as: .caller(1, weight: 1), at: 0) == .queued(until: 500))
        #expect(bench.request("a2", as: .caller(1, weight: 1), at: 0) == .queued(until: 1000))
        #expect(bench.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(bench.release(at: 1) == Released(expired: ["a2"], next: 500))
        #expect(bench.request("a3", as: .caller(1, weight: 1), at: 1) == .refused(until: 1500))
    }

    @Test("gives a full queue's last place to a newcomer who was served less, and to no other")
    func fullQueue() {
        let bench = Bench(maxDepth: 2)
        _ = bench.request("a1", as: .caller(1, weight: 1), at: 0)
        _ = bench.request("a2", as: .caller(1, weight: 1), at: 0)
        #expect(bench.request("a3", as: .caller(1, weight: 1), at: 0) == .refused(until: 1500))
        #expect(bench.request("b1", as: .caller(2, weight: 1), at: 0) == .queued(until: 1000))
        #expect(bench.release(at: 500) == Released(granted: ["a1"], expired: ["a2"], next: 1000))
    }

    @Test("gives refreshes every second turn while both wait, the oldest page first, and all turns else")
    func refreshes() {
        let bench = Bench()
        for age in [30, 10, 20] { _ = bench.request("r\(age)", as: .refresh(fetchedAt: Int64(age)), at: 0) }
        for name in ["a1", "a2"] { _ = bench.request(name, as: .caller(1, weight: 1), at: 0) }
        let order = (1...5).flatMap { bench.release(at: Int64($0) * 500).granted }
        #expect(order == ["a1", "r10", "a2", "r20", "r30"])
    }

    @Test("does not hold a refresh to the time that callers may wait")
    func patientRefreshes() {
        let bench = Bench(maxWait: 500)
        #expect(bench.request("r1", as: .refresh(fetchedAt: 1), at: 0) == .queued(until: 500))
        #expect(bench.request("r2", as: .refresh(fetchedAt: 2), at: 0) == .queued(until: 1000))
        #expect(bench.request("r3", as: .refresh(fetchedAt: 3), at: 0, deadline: 1400) == .refused(until: 1500))
        #expect(Bench(maxWait: 0).request("r1", as: .refresh(fetchedAt: 1), at: 0) == .refused(until: 500))
    }

    @Test("lets what waits go on in the name of a better one who has joined it")
    func joining() {
        let bench = Bench()
        for name in ["a1", "a2", "a3"] { _ = bench.request(name, as: .caller(1, weight: 1), at: 0) }
        #expect(bench.group.join(as: .caller(2, weight: 1), now: 0) { $0 == "a3" })
        #expect(bench.release(at: 500).granted == ["a1"])
        #expect(bench.release(at: 1000).granted == ["a3"])
        // A worse one changes nothing.
        _ = bench.request("b1", as: .caller(2, weight: 1), at: 1000)
        #expect(!bench.group.join(as: .caller(1, weight: 1), now: 1000) { $0 == "b1" })
        #expect(bench.release(at: 1500).granted == ["a2"])

        let other = Bench()
        _ = other.request("a1", as: .caller(1, weight: 1), at: 0)
        for age in [1, 2, 3] { _ = other.request("r\(age)", as: .refresh(fetchedAt: Int64(age)), at: 0) }
        #expect(other.group.join(as: .caller(2, weight: 1), now: 0) { $0 == "r3" })
        #expect((1...4).flatMap { other.release(at: Int64($0) * 500).granted } == ["a1", "r1", "r3", "r2"])
    }

    @Test("forgets what nobody wants any more")
    func removal() {
        let bench = Bench()
        for name in ["a", "b"] { _ = bench.request(name, at: 0) }
        #expect(bench.group.remove { $0 == "a" } == "a")
        #expect(bench.group.remove { $0 == "a" } == nil)
        #expect(bench.release(at: 500) == Released(granted: ["b"]))
    }

    @Test("slows down when the upstream throttles all the same, once for what was on its way, and comes back by and by")
    func feedback() {
        let bench = Bench(rate: 10, burst: 5)
        let group = bench.group
        #expect(group.throttled(sentAt: 10 * second, now: 10 * second))
        #expect(group.tokens(now: 10 * second) == 0)
        #expect(!group.throttled(sentAt: 10 * second, now: 10 * second))
        #expect(group.currentQuota(now: 10 * second).interval == 142_857_143)
        #expect(bench.request("a", at: 10_000) == .queued(until: 10_142))
        // It rises by a thousandth for each attempt that the full rate would have made: 10 a second.
        #expect((124_000_000...126_000_000).contains(group.currentQuota(now: 20 * second).interval))
        #expect(group.currentQuota(now: 40 * second).interval == 100_000_000)
        for _ in 0..<100 { _ = group.throttled(sentAt: 30 * second, now: 50 * second) }
        for step in 1...100 {
            _ = group.throttled(sentAt: (30 + Int64(step)) * second, now: (30 + Int64(step)) * second)
        }
        #expect(group.currentQuota(now: 130 * second).interval < 5_100_000_000, "and never to nothing")
    }

    @Test("hands out nothing before the upstream wants to be asked again, and nobody a turn before")
    func held() {
        let bench = Bench()
        let group = bench.group
        #expect(bench.request("a", at: 5000) == .granted)
        group.hold(until: 8000 * millisecond, now: 5000 * millisecond)
        group.hold(until: 6000 * millisecond, now: 5000 * millisecond)
        #expect(bench.request("b", at: 5000) == .refused(until: 8000))
        #expect(bench.request("c", as: .refresh(fetchedAt: 0), at: 5000) == .queued(until: 8000))
        group.giveBack(now: 5000 * millisecond)
        #expect(bench.release(at: 5001).granted.isEmpty)
        #expect(bench.request("d", at: 6500) == .queued(until: 8000))
        #expect(bench.release(at: 7999).granted.isEmpty)
        #expect(bench.release(at: 8000).granted.count == 2)
    }

    @Test("gives back what cannot wait until then")
    func heldTooLong() {
        let bench = Bench()
        for name in ["a", "b", "c"] { _ = bench.request(name, at: 5000) }
        bench.group.hold(until: 8000 * millisecond, now: 5000 * millisecond)
        #expect(bench.release(at: 5000).expired == ["c"])
        #expect(bench.group.depth == 0)
    }
}
