import AWSProtocol
import PageCache
import Primitives
import RateLimiter
import TestSupport
import Testing

@testable import Gateway

@Suite("Refreshing ahead")
struct RefreshAheadTests {
    /// A gate whose groups have ten tokens, of which one comes a second.
    private func fixture(_ share: Double = 1, domainLimit: Limit? = nil, adaptive: AdaptiveTTL? = nil) throws
        -> GateFixture
    {
        try GateFixture(
            interval: 1, domainLimit: domainLimit, refreshAhead: RefreshSettings(share: share), adaptive: adaptive)
    }

    /// The attempts that are begun ahead now.
    private func begun(_ fixture: GateFixture) -> [Fetch] {
        var granted = GrantedAttempts()
        _ = fixture.gate.refreshAhead(now: fixture.now, granted: &granted)
        var fetches: [Fetch] = []
        while let attempt = granted.popFirst() {
            fetches.append(attempt.fetch)
            _ = fixture.gate.markSent(attempt, now: fixture.now)
        }
        return fetches
    }

    /// Asks for the stale page, and answers the refresh that is begun then.
    private func keepAnew(_ fixture: GateFixture) {
        _ = fixture.list()
        for fetch in begun(fixture) { fixture.finish(fetch, .reply(good()), sentAt: fixture.now) }
    }

    private func spent(_ fixture: GateFixture, _ purpose: QuotaSpending.Purpose) -> UInt64 {
        fixture.gate.services[0].catalog.quotaGroups.indices.reduce(0) { $0 + fixture.gate.spending[0, $1, purpose] }
    }

    private func refreshes(_ fixture: GateFixture, _ result: RefreshPlan.RefreshResult) -> UInt64 {
        (0..<fixture.gate.operations.count).reduce(0) { $0 + fixture.gate.plan.refreshes(OperationID($1), result) }
    }

    @Test("fetches a page that was asked for, with the request that a caller would cause")
    func page() throws {
        let fixture = try fixture()
        fixture.keepPage()
        fixture.now += 20 * second
        keepAnew(fixture)
        #expect(spent(fixture, .refresh) == 1)
        fixture.now += 2 * second
        #expect(begun(fixture).isEmpty)
        #expect(word(fixture.list()) == "page fresh")
        fixture.now += 18 * second
        #expect(word(fixture.list()) == "page revalidating")
        keepAnew(fixture)
        fixture.now += 5 * second
        #expect(word(fixture.list()) == "page fresh")
        fixture.now += 4 * second
        let fetch = try #require(begun(fixture).first)
        #expect(fetch.isAhead)
        #expect(fetch.body == Array("{\"DomainId\":\"\(GateFixture.domain)\"}".utf8))
        #expect(fetch.target == "VoiceID.ListFraudsterRegistrationJobs")
        #expect(spent(fixture, .ahead) == 1)
        fixture.now += second
        fixture.finish(fetch, .reply(good(#"{"JobSummaries":[1]}"#)), sentAt: fixture.now - second)
        #expect(refreshes(fixture, .changed) > 0)
        guard case .page(let page, _) = fixture.list() else { return #expect(Bool(false), "the page is there") }
        #expect(page.body == Array(#"{"JobSummaries":[1]}"#.utf8))
        #expect(fixture.now - page.fetchedAt == second)
    }

    @Test("does nothing without a share, for a page that is not asked for, or while others wait")
    func nothing() throws {
        for share in [0, 1.0] {
            let fixture = try fixture(share)
            fixture.keepPage()
            fixture.now += 15 * second
            if share == 0 { _ = fixture.list() }
            #expect(begun(fixture).isEmpty)
        }
    }

    @Test(
        "has stale pages wait for their turn by their worth, one in the queue at a time, and no request begins a flight again"
    )
    func turns() throws {
        let fixture = try GateFixture(
            tokens: 1, interval: 1, maxWait: 30 * second, refreshAhead: RefreshSettings(share: 1))
        func ask(_ page: Int) -> String {
            word(
                fixture.ask(
                    "ListFraudsterRegistrationJobs",
                    "{\"DomainId\":\"\(GateFixture.domain)\",\"MaxResults\":\(page)}"))
        }
        for page in 1...6 {
            _ = ask(page)
            fixture.finish(.reply(good()))
            fixture.now += second
        }
        fixture.now += 14 * second
        let flights = fixture.gate.cache.figures.flights
        for page in 1...6 { #expect(ask(page) == "page revalidating") }
        for _ in 0..<50 { #expect(ask(5) == "page revalidating") }
        #expect(fixture.gate.cache.figures.flights == flights)
        var refreshed: [String] = []
        for _ in 0..<8 {
            for fetch in begun(fixture) {
                refreshed.append(String(decoding: fetch.body, as: UTF8.self))
                fixture.finish(fetch, .reply(good()), sentAt: fixture.now)
            }
            #expect(fixture.gate.queue.refreshes(in: fixture.gate.queue.groupCount - 1) <= 1)
            fixture.now += second
            var release = fixture.gate.queue.release(now: fixture.now)
            while let attempt = release.granted.popFirst() {
                refreshed.append(String(decoding: attempt.fetch.body, as: UTF8.self))
                fixture.finish(attempt.fetch, .reply(good()), sentAt: fixture.now)
            }
        }
        #expect(Set(refreshed).count == 6)
        // The oldest goes first while nothing is known, and the next one waits in the queue by then.
        #expect(refreshed.prefix(3).contains { $0.contains("\"MaxResults\":5") })
    }

    @Test(
        "fetches a page at once that is past all but its last window, if there is a token; else it is served and waits for its turn"
    )
    func last() throws {
        let fixture = try GateFixture(tokens: 1, interval: 100, maxWait: 0, refreshAhead: RefreshSettings(share: 1))
        fixture.keepPage()
        fixture.now += 50 * second
        #expect(word(fixture.list()) == "page quota -")
        #expect(word(fixture.list()) == "page quota -")
        fixture.now += 60 * second
        let fetches = begun(fixture)
        #expect(fetches.count == 1)
        for fetch in fetches { fixture.finish(fetch, .reply(good()), sentAt: fixture.now) }
        #expect(word(fixture.list()) == "page fresh")
    }

    @Test("keeps what a page's bytes were if the same comes again, but for its token while that is good")
    func unchanged() throws {
        let fixture = try fixture()
        fixture.keepPage(#"{"JobSummaries":[],"NextToken":"first"}"#)
        let start = fixture.now
        func refresh(_ body: String) -> Page? {
            fixture.now += 41 * second
            _ = fixture.list()
            fixture.finish(.reply(good(body)))
            if case .page(let page, _) = fixture.list() { return page }
            return nil
        }
        let same = try #require(refresh(#"{"JobSummaries":[],"NextToken":"second"}"#))
        #expect(same.body == Array(#"{"JobSummaries":[],"NextToken":"first"}"#.utf8))
        #expect(same.fetchedAt == fixture.now)
        #expect(same.bodyFetchedAt == start)
        #expect(refreshes(fixture, .unchanged) == 1)
        #expect(refreshes(fixture, .changed) == 0)
        let changed = try #require(refresh(#"{"JobSummaries":[2],"NextToken":"third"}"#))
        #expect(changed.body == Array(#"{"JobSummaries":[2],"NextToken":"third"}"#.utf8))
        #expect(refreshes(fixture, .changed) == 1)
        // A token is good for a day: the older one is not served for more than half of that.
        var latest = changed
        for _ in 0..<1200 {
            latest = try #require(refresh(#"{"JobSummaries":[2],"NextToken":"later"}"#))
            #expect(latest.usableUntil - latest.bodyFetchedAt <= 43_200 * second)
        }
        #expect(latest.body == Array(#"{"JobSummaries":[2],"NextToken":"later"}"#.utf8))
        #expect(refreshes(fixture, .changed) == 1)
    }

    @Test(
        "has pages live long that do not change, and short that do, if their time is to follow",
        arguments: [false, true])
    func adaptive(changes: Bool) throws {
        let fixture = try fixture(0, adaptive: AdaptiveTTL())
        var number = 0
        var lives: [Int64] = []
        for _ in 0..<60 {
            if changes { number += 1 }
            _ = fixture.list()
            if fixture.upstream.fetches.count > lives.count { fixture.finish(.reply(good("{\"N\":\(number)}"))) }
            guard case .page(let page, _) = fixture.list() else { continue }
            lives.append(page.freshUntil - page.fetchedAt)
            fixture.now += max(second, page.freshUntil - page.fetchedAt) + 1
        }
        let last = try #require(lives.last)
        if changes { #expect(last == second) } else { #expect(last > 60 * second) }
        #expect(lives.allSatisfy { (second...300 * second).contains($0) })
        let kind = try #require(fixture.gate.plan.kinds.first)
        #expect(fixture.gate.timeToLive(ofNewPage: kind) != nil)
    }

    @Test("does not repeat an attempt that failed, because another token is not spare")
    func failure() throws {
        let fixture = try fixture()
        fixture.keepPage()
        fixture.now += 20 * second
        keepAnew(fixture)
        fixture.now += 5 * second
        _ = fixture.list()
        let fetch = try #require(begun(fixture).first)
        #expect(!fixture.gate.mayRetry(fetch))
        fixture.finish(fetch, try fault())
        #expect(refreshes(fixture, .failed) == 1)
        _ = fixture.list()
        fixture.now += 2 * second
        #expect(begun(fixture).isEmpty)
        guard case .page = fixture.list() else { return #expect(Bool(false), "the old page stays") }
    }

    @Test("takes no domain's last token")
    func domain() throws {
        let fixture = try fixture(domainLimit: Limit(Quota(rate: 0.01, burst: 2)))
        fixture.keepPage()
        fixture.now += 20 * second
        keepAnew(fixture)
        fixture.now += 5 * second
        _ = fixture.list()
        #expect(begun(fixture).isEmpty)
        guard case .page = fixture.list() else { return #expect(Bool(false), "the page stays") }
    }

    @Test("never stores a page that a write has made void, whatever comes in which order", arguments: 0..<30)
    func epochs(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fixture = try fixture()
        // What the service holds: a number that each write raises, and the least that a list after the last write's answer may show.
        var (current, least) = (0, 0)
        var outstanding: [(fetch: Fetch, sentAt: MonotonicInstant, seen: Int)] = []
        var known = 0
        for _ in 0..<600 {
            fixture.now += Int64.random(in: 0...3 * second, using: &generator)
            for fetch in begun(fixture) { outstanding.append((fetch, fixture.now, current)) }
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1, 2:
                if case .page(let page, _) = fixture.list() {
                    let shown = Int(String(decoding: page.body, as: UTF8.self).filter(\.isNumber)) ?? -1
                    #expect(shown >= least)
                }
            case 3:
                _ = fixture.ask(
                    "DeleteFraudster",
                    "{\"DomainId\":\"\(GateFixture.domain)\",\"FraudsterId\":\"id#\(String(repeating: "A", count: 22))\"}"
                )
            default:
                guard let next = outstanding.indices.randomElement(using: &generator) else { break }
                let (fetch, sentAt, seen) = outstanding.remove(at: next)
                if case .pass = fetch.purpose { current += 1 }
                fixture.finish(fetch, .reply(good("{\"N\":\(seen)}")), sentAt: sentAt)
                if case .pass = fetch.purpose { least = current }
            }
            // What callers have caused is sent at once.
            let fetches = fixture.upstream.fetches
            for fetch in fetches[known...] {
                if case .flight(let flight, _) = fetch.purpose { fixture.gate.cache.markSent(flight) }
                outstanding.append((fetch, fixture.now, current))
            }
            known = fetches.count
        }
        #expect(least > 0)
    }
}
