import AWSProtocol
import PageCache
import Testing

@testable import Gateway

@Suite("A call gets its verdict at once")
struct GateDecideTests {
    @Test(
        "A page is fresh, then stale while it is refreshed, then fetched anew",
        arguments: [
            (0, "page fresh", 1), (9, "page fresh", 1), (10, "page revalidating", 2), (39, "page revalidating", 2),
            (40, "wait leader", 2), (700, "wait leader", 2),
        ] as [(Int64, String, Int)])
    func ages(_ age: Int64, _ verdict: String, _ fetches: Int) throws {
        let stand = try Stand()
        stand.keepPage()
        stand.now += age * second
        #expect(word(stand.list()) == verdict)
        #expect(stand.upstream.fetches.count == fetches)
    }

    @Test("A listing of a terminal status lives as long as the policy says")
    func statusLifetime() throws {
        let stand = try Stand()
        let body = "{\"DomainId\":\"\(Stand.domain)\",\"JobStatus\":\"COMPLETED\"}"
        _ = stand.ask("ListFraudsterRegistrationJobs", body)
        stand.finish(.reply(good()))
        stand.now += 59 * second
        #expect(word(stand.ask("ListFraudsterRegistrationJobs", body)) == "page fresh")
        stand.now += second
        #expect(word(stand.ask("ListFraudsterRegistrationJobs", body)) == "page revalidating")
    }

    @Test("One refresh is elected, and another when it has failed")
    func refresh() throws {
        let stand = try Stand()
        stand.keepPage()
        stand.now += 11 * second
        for _ in 0..<3 { #expect(word(stand.list()) == "page revalidating") }
        #expect(stand.upstream.fetches.count == 2)
        stand.finish(.reply(bad(500, "InternalServerException")))
        #expect(word(stand.list()) == "page revalidating")
        #expect(stand.upstream.fetches.count == 3)
        stand.finish(.reply(good("{\"new\":1}")))
        guard case .page(let page, .fresh) = stand.list() else {
            Issue.record("not fresh")
            return
        }
        #expect(page.body == Array("{\"new\":1}".utf8))
    }

    @Test("A stale page is served though no token is left to refresh it, and the refresh is tried again")
    func refreshWithoutQuota() throws {
        let stand = try Stand(tokens: 1)
        stand.keepPage()
        stand.now += 11 * second
        for _ in 0..<2 { #expect(word(stand.list()) == "page revalidating") }
        #expect(stand.upstream.fetches.count == 1)
        #expect(stand.receiver.deliveries.count == 1)
    }

    @Test("The first leads, the others follow, and one call is made")
    func flight() throws {
        let stand = try Stand()
        #expect(
            (0..<4).map { _ in word(stand.list()) } == ["wait leader"] + Array(repeating: "wait follower", count: 3))
        #expect(stand.upstream.fetches.count == 1)
    }

    @Test("Too many waiters are refused")
    func crowded() throws {
        let stand = try Stand(maxWaiters: 2)
        let words = (0..<3).map { _ in word(stand.list()) }
        #expect(words == ["wait leader", "wait follower", "refused ThrottlingException waiters"])
    }

    @Test("Without a token a miss is refused, with the time to come back")
    func quotaRefused() throws {
        let stand = try Stand(tokens: 0)
        let verdict = stand.list()
        #expect(word(verdict) == "refused ThrottlingException quota")
        guard case .refused(let error) = verdict else { return }
        #expect(error.retryAfter == 1000 * second)
        #expect(error.outcome == .throttled && error.error.status == 400)
        #expect(error.error.namespace == "com.amazonaws.voiceid")
        #expect(word(stand.list()) == "refused ThrottlingException quota", "the failed leader left its flight")
    }

    @Test("A token that comes soon enough is waited for")
    func queued() throws {
        let stand = try Stand(tokens: 0, interval: 1, maxWait: 2 * second)
        #expect(word(stand.list()) == "wait leader")
        #expect(word(stand.list()) == "wait follower")
        #expect(stand.upstream.grown == 1 && stand.upstream.fetches.isEmpty)
        #expect(word(stand.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(stand.upstream.grown == 2)
    }

    @Test("A stale page is better than a refusal for want of a token")
    func staleInsteadOfRefusal() throws {
        let stand = try Stand(tokens: 1)
        stand.keepPage()
        stand.now += 100 * second
        #expect(word(stand.list()) == "page quota -")
        stand.now += 600 * second
        #expect(word(stand.list()) == "refused ThrottlingException quota")
    }

    /// Section 2, step 4: "none → the stale page if one may be served, else a short wait in the fair queue".
    @Test("A stale page goes before a wait for a token")
    func staleInsteadOfWait() throws {
        let stand = try Stand(tokens: 1, interval: 50, maxWait: 10 * second)
        stand.keepPage()
        stand.now += 45 * second
        #expect(word(stand.list()) == "page quota -")
    }

    @Test("A caller beyond its own limit is refused, whatever it asks, hits included")
    func callerThrottled() throws {
        let stand = try Stand(callerBurst: 1)
        stand.keepPage()
        let verdict = stand.list()
        #expect(word(verdict) == "refused ThrottlingException caller")
        guard case .refused(let error) = verdict else { return }
        #expect(error.retryAfter == second)
        for (name, body) in [("Nope", "{}"), ("ListDomains", "{"), ("EvaluateSession", evaluate)] {
            #expect(word(stand.ask(name, body)) == "refused ThrottlingException caller")
        }
        #expect(word(stand.ask("", "")) == "refused ThrottlingException caller")
        stand.now += second
        #expect(word(stand.list()) == "page fresh")
    }

    @Test("Refused requests are charged too")
    func refusedAreCharged() throws {
        let stand = try Stand(callerBurst: 2)
        #expect(word(stand.ask("", "")) == "refused UnknownOperationException")
        #expect(word(stand.ask("ListDomains", "{")) == "refused SerializationException")
        #expect(word(stand.ask("ListDomains", "{}")) == "refused ThrottlingException caller")
    }

    private var evaluate: String { "{\"DomainId\":\"\(Stand.domain)\",\"SessionNameOrId\":\"s\"}" }

    @Test("A live read is neither kept nor shared")
    func live() throws {
        let stand = try Stand()
        #expect(word(stand.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(word(stand.ask("EvaluateSession", evaluate)) == "wait pass")
        #expect(stand.upstream.fetches.count == 2)
        stand.finish(.reply(good()))
        #expect(stand.receiver.words == ["reply 200"])
        #expect(word(stand.ask("EvaluateSession", evaluate)) == "wait pass")
    }

    @Test("A pass without a token is refused")
    func passRefused() throws {
        let stand = try Stand(tokens: 0)
        #expect(word(stand.ask("EvaluateSession", evaluate)) == "refused ThrottlingException quota")
    }

    @Test("Hits and followers cost no quota")
    func free() throws {
        let stand = try Stand(tokens: 2)
        _ = stand.list()
        for _ in 0..<5 { #expect(word(stand.list()) == "wait follower") }
        stand.finish(.reply(good()))
        for _ in 0..<5 { #expect(word(stand.list()) == "page fresh") }
        #expect(word(stand.list(Stand.otherDomain)) == "wait leader")
        #expect(word(stand.ask("ListDomains", "{}")) == "refused ThrottlingException quota")
    }

    @Test("Who has gone gets nothing, and the flight goes on")
    func abandoned() throws {
        let stand = try Stand()
        let call = stand.read("ListDomains", "{}")
        let (leader, follower) = (stand.waiter(), stand.waiter())
        _ = stand.gate.decide(call, waiter: leader, now: stand.now)
        _ = stand.gate.decide(call, waiter: follower, now: stand.now)
        stand.gate.abandon(call, waiter: leader, now: stand.now)
        stand.finish(.reply(good()))
        #expect(stand.receiver.deliveries.map(\.waiters) == [[follower]])
    }
}
