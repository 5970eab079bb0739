import AWSProtocol
import PageCache
import Testing

@testable import Gateway
import Primitives
import TestSupport

@Suite("A call gets its verdict at once")
struct GateDecideTests {
    @Test(
        "A page is fresh, then stale while it is refreshed, then fetched anew",
        arguments: [
            (0, "page fresh", 1), (9, "page fresh", 1), (10, "page revalidating", 2), (39, "page revalidating", 2),
            (40, "wait leader", 2), (700, "wait leader", 2),
        ] as [(Int64, String, Int)])
    func ages(_ age: Int64, _ verdict: String, _ fetches: Int) throws {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += age * second
        #expect(word(fixture.list()) == verdict)
        #expect(fixture.upstream.fetches.count == fetches)
    }

    @Test("A listing of a terminal status lives as long as the policy says")
    func statusLifetime() throws {
        let fixture = try GateFixture()
        let body = "{\"DomainId\":\"\(GateFixture.domain)\",\"JobStatus\":\"COMPLETED\"}"
        _ = fixture.ask("ListFraudsterRegistrationJobs", body)
        fixture.finish(.reply(good()))
        fixture.now += 59 * second
        #expect(word(fixture.ask("ListFraudsterRegistrationJobs", body)) == "page fresh")
        fixture.now += second
        #expect(word(fixture.ask("ListFraudsterRegistrationJobs", body)) == "page revalidating")
    }

    @Test("One refresh is elected, and another when it has failed")
    func refresh() throws {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += 11 * second
        for _ in 0..<3 { #expect(word(fixture.list()) == "page revalidating") }
        #expect(fixture.upstream.fetches.count == 2)
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(word(fixture.list()) == "page revalidating")
        #expect(fixture.upstream.fetches.count == 3)
        fixture.finish(.reply(good("{\"new\":1}")))
        guard case .page(let page, .fresh) = fixture.list() else {
            Issue.record("not fresh")
            return
        }
        #expect(page.body == Array("{\"new\":1}".utf8))
    }

    @Test("A stale page is served though no token is left to refresh it, and the refresh is tried again")
    func refreshWithoutQuota() throws {
        let fixture = try GateFixture(tokens: 1)
        fixture.keepPage()
        fixture.now += 11 * second
        for _ in 0..<2 { #expect(word(fixture.list()) == "page revalidating") }
        #expect(fixture.upstream.fetches.count == 1)
        #expect(fixture.receiver.deliveries.count == 1)
    }

    @Test("The first leads, the others follow, and one call is made")
    func flight() throws {
        let fixture = try GateFixture()
        #expect(
            (0..<4).map { _ in word(fixture.list()) } == ["wait leader"] + Array(repeating: "wait follower", count: 3))
        #expect(fixture.upstream.fetches.count == 1)
    }

    @Test("Too many waiters are refused")
    func crowded() throws {
        let fixture = try GateFixture(maxWaiters: 2)
        let words = (0..<3).map { _ in word(fixture.list()) }
        #expect(words == ["wait leader", "wait follower", "refused ThrottlingException waiters"])
    }

    @Test("Without a token a miss is refused, with the time to come back")
    func quotaRefused() throws {
        let fixture = try GateFixture(tokens: 0)
        let verdict = fixture.list()
        #expect(word(verdict) == "refused ThrottlingException quota")
        guard case .refused(let error) = verdict else { return }
        #expect(error.retryAfter == 1000 * second)
        #expect(error.outcome == .throttled && error.error.status == 400)
        #expect(error.error.namespace == "com.amazonaws.voiceid")
        #expect(word(fixture.list()) == "refused ThrottlingException quota", "the failed leader left its flight")
    }

    @Test("A token that comes soon enough is waited for")
    func queued() throws {
        let fixture = try GateFixture(tokens: 0, interval: 1, maxWait: 2 * second)
        #expect(word(fixture.list()) == "wait leader")
        #expect(word(fixture.list()) == "wait follower")
        #expect(fixture.upstream.grown == 1 && fixture.upstream.fetches.isEmpty)
        #expect(word(fixture.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(fixture.upstream.grown == 2)
    }

    @Test("A stale page is better than a refusal for want of a token")
    func staleInsteadOfRefusal() throws {
        let fixture = try GateFixture(tokens: 1)
        fixture.keepPage()
        fixture.now += 100 * second
        #expect(word(fixture.list()) == "page quota -")
        fixture.now += 600 * second
        #expect(word(fixture.list()) == "refused ThrottlingException quota")
    }

    /// Section 2, step 4: "none → the stale page if one may be served, else a short wait in the fair queue".
    @Test("A stale page goes before a wait for a token")
    func staleInsteadOfWait() throws {
        let fixture = try GateFixture(tokens: 1, interval: 50, maxWait: 10 * second)
        fixture.keepPage()
        fixture.now += 45 * second
        #expect(word(fixture.list()) == "page quota -")
    }

    @Test("A caller beyond its own limit is refused, whatever it asks, hits included")
    func callerThrottled() throws {
        let fixture = try GateFixture(callerBurst: 1)
        fixture.keepPage()
        let verdict = fixture.list()
        #expect(word(verdict) == "refused ThrottlingException caller")
        guard case .refused(let error) = verdict else { return }
        #expect(error.retryAfter == second)
        for (name, body) in [("Nope", "{}"), ("ListDomains", "{"), ("EvaluateSession", evaluate)] {
            #expect(word(fixture.ask(name, body)) == "refused ThrottlingException caller")
        }
        #expect(word(fixture.ask("", "")) == "refused ThrottlingException caller")
        fixture.now += second
        #expect(word(fixture.list()) == "page fresh")
    }

    @Test("Refused requests are charged too")
    func refusedAreCharged() throws {
        let fixture = try GateFixture(callerBurst: 2)
        #expect(word(fixture.ask("", "")) == "refused UnknownOperationException")
        #expect(word(fixture.ask("ListDomains", "{")) == "refused SerializationException")
        #expect(word(fixture.ask("ListDomains", "{}")) == "refused ThrottlingException caller")
    }

    private var evaluate: String { "{\"DomainId\":\"\(GateFixture.domain)\",\"SessionNameOrId\":\"s\"}" }

    @Test("A live read is neither kept nor shared")
    func live() throws {
        let fixture = try GateFixture()
        #expect(word(fixture.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(word(fixture.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(fixture.upstream.fetches.count == 2)
        fixture.finish(.reply(good()))
        #expect(fixture.receiver.words == ["reply 200"])
        #expect(word(fixture.ask("EvaluateSession", evaluate)) == "wait pass")
    }

    @Test("A pass without a token is refused")
    func passRefused() throws {
        let fixture = try GateFixture(tokens: 0)
        #expect(word(fixture.ask("EvaluateSession", evaluate)) == "refused ThrottlingException quota")
    }

    @Test("Hits and followers cost no quota")
    func free() throws {
        let fixture = try GateFixture(tokens: 2)
        _ = fixture.list()
        for _ in 0..<5 { #expect(word(fixture.list()) == "wait follower") }
        fixture.finish(.reply(good()))
        for _ in 0..<5 { #expect(word(fixture.list()) == "page fresh") }
        #expect(word(fixture.list(GateFixture.otherDomain)) == "wait leader")
        #expect(word(fixture.ask("ListDomains", "{}")) == "refused ThrottlingException quota")
    }

    @Test("Who has gone gets nothing, and the flight goes on")
    func abandoned() throws {
        let fixture = try GateFixture()
        let call = fixture.read("ListDomains", "{}")
        let (leader, follower) = (fixture.waiter(), fixture.waiter())
        _ = fixture.gate.decide(call, waiter: leader, now: fixture.now)
        _ = fixture.gate.decide(call, waiter: follower, now: fixture.now)
        fixture.gate.abandon(call, waiter: leader, now: fixture.now)
        fixture.finish(.reply(good()))
        #expect(fixture.receiver.deliveries.map(\.waiters) == [[follower]])
    }
}
