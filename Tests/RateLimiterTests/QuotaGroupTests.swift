import RateLimiter
import Testing

/// Two tokens a second, two at once, times in milliseconds.
private struct Bench {
    let group: QuotaGroup<String>

    init(rate: Double = 2, burst: Double = 2, maxWait: Int64 = 2000, maxDepth: Int = 256) {
        group = QuotaGroup(
            Quota(rate: rate, burst: burst), maxWait: maxWait * millisecond, maxDepth: maxDepth, now: 0)
    }

    func request(_ name: String, at now: Int64, deadline: Int64 = 100_000) -> QuotaGroup<String>.Admission {
        switch group.request(name, deadline: deadline * millisecond, now: now * millisecond) {
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
        let bench = Bench()
        for name in ["a", "b", "c"] { _ = bench.request(name, at: 0) }
        #expect(bench.release(at: 9000) == Released(granted: ["a", "b"], next: 9500))
    }

    @Test("does not let a newcomer pass those who wait, even when a token is there")
    func newcomer() {
        let bench = Bench()
        #expect(bench.request("a", at: 0) == .queued(until: 500))
        #expect(bench.request("b", at: 600) == .queued(until: 1000))
        #expect(bench.request("c", at: 900) == .queued(until: 1500))
        #expect(bench.group.turn(now: 900 * millisecond) == 2000 * millisecond)
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
}
