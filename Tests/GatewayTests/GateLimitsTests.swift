import AWSProtocol
import PageCache
import Primitives
import RateLimiter
import Testing

@testable import Gateway
import TestSupport

@Suite("Limits of callers, domains and quota groups")
struct GateLimitsTests {
    private func limit(_ rate: Double, _ burst: Double, isShadow: Bool = false) -> Limit {
        Limit(Quota(rate: rate, burst: burst), isShadow: isShadow)
    }

    private func two(_ first: Limit, _ second: Limit, _ operations: OperationRules<Limit> = [:]) throws -> GateFixture {
        try GateFixture(callers: { _ in
            [
                CallerSettings(name: "one", limit: first, operationLimits: operations),
                CallerSettings(name: "two", limit: second),
            ]
        })
    }

    private func list(_ fixture: GateFixture, caller: CallerID, _ domain: String = GateFixture.domain) -> Verdict {
        fixture.ask("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(domain)\"}", caller: caller)
    }

    @Test("Each caller has a bucket of their own, and the message names whose is empty")
    func callers() throws {
        let fixture = try two(limit(0.5, 1), limit(1, 2))
        fixture.keepPage()
        guard case .refused(let error) = list(fixture, caller: CallerID(0)) else {
            Issue.record("not refused")
            return
        }
        #expect(error.scope == .caller)
        #expect(error.error.message.contains("caller one is limited to 0.5 requests a second"))
        for _ in 0..<2 { #expect(word(list(fixture, caller: CallerID(1))) == "page fresh") }
        #expect(word(list(fixture, caller: CallerID(1))) == "refused ThrottlingException caller")
    }

    @Test(
        "A rate is said as briefly as can be, and a small one in seconds",
        arguments: [
            (2.0, "2 requests a second"), (1, "1 request a second"), (0.5, "0.5 requests a second"),
            (0.25, "0.25 requests a second"), (0.1, "0.1 requests a second"), (0.05, "0.05 requests a second"),
            (12.3, "12.3 requests a second"), (1.0 / 3, "0.33 requests a second"), (100, "100 requests a second"),
            (0.01, "0.01 requests a second"), (0.004, "1 request in 250 seconds"),
            (Quota.minimumRate, "1 request in 86400 seconds"),
        ] as [(Double, String)])
    func rates(_ rate: Double, _ text: String) {
        #expect(ThrottleNotice.rate(Quota(rate: rate, burst: 1)) == text)
    }

    @Test("An operation's own limit takes the place of the caller's")
    func operations() throws {
        let fixture = try two(limit(1, 1), limit(1, 100), ["ListDomains": limit(1, 2)])
        func ask() -> String { word(fixture.ask("ListDomains", "{}")) }
        #expect(ask() == "wait leader")
        #expect(ask() == "wait follower")
        #expect(ask() == "refused ThrottlingException caller")
        #expect(word(list(fixture, caller: CallerID(0))) == "wait leader", "the general one is untouched")
    }

    @Test("In shadow mode nothing is refused, and all that would have been is counted")
    func shadow() throws {
        let fixture = try two(limit(1, 1, isShadow: true), limit(1, 1))
        fixture.keepPage()
        for _ in 0..<3 { #expect(word(list(fixture, caller: CallerID(0))) == "page fresh") }
        #expect(fixture.gate.shadows[.caller] == 3)
    }

    @Test("A domain's limit counts attempts, and leaves other domains alone")
    func domains() throws {
        let fixture = try GateFixture(domainLimit: limit(0.1, 1))
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(.reply(good()))
        #expect(word(fixture.list()) == "page fresh")
        let other = "{\"DomainId\":\"\(GateFixture.domain)\",\"JobStatus\":\"FAILED\"}"
        guard case .refused(let error) = fixture.ask("ListFraudsterRegistrationJobs", other) else {
            Issue.record("not refused")
            return
        }
        #expect(error.scope == .domain)
        #expect(error.retryAfter == 10 * second)
        #expect(word(fixture.list(GateFixture.otherDomain)) == "wait leader")
        #expect(word(fixture.ask("ListDomains", "{}")) == "wait leader")
    }

    @Test("A domain's limit in shadow mode only counts")
    func domainShadow() throws {
        let fixture = try GateFixture(domainLimit: limit(0.1, 1, isShadow: true))
        _ = fixture.list()
        #expect(word(fixture.ask("ListFraudsters", "{\"DomainId\":\"\(GateFixture.domain)\"}")) == "wait leader")
        #expect(fixture.gate.shadows[.domain] == 1)
    }

    @Test("When the quota group refuses, the domain's token goes back")
    func domainGivenBack() throws {
        let fixture = try GateFixture(tokens: 0, interval: 10, domainLimit: limit(0.0001, 1))
        #expect(word(fixture.list()) == "refused ThrottlingException quota")
        fixture.now += 10 * second
        #expect(word(fixture.list()) == "wait leader")
    }

    @Test("What waits for its token is not sent when its client has gone; what others wait for is")
    func withdrawn() throws {
        let fixture = try GateFixture(tokens: 0, interval: 1, maxWait: 5 * second)
        let call = fixture.read("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(GateFixture.domain)\"}")
        let (leader, follower) = (fixture.waiter(), fixture.waiter())
        #expect(word(fixture.gate.decide(call, waiter: leader, now: fixture.now)) == "wait leader")
        #expect(word(fixture.gate.decide(call, waiter: follower, now: fixture.now)) == "wait follower")
        fixture.gate.abandon(call, waiter: leader, now: fixture.now)
        #expect(fixture.depth == 1)
        fixture.gate.abandon(call, waiter: follower, now: fixture.now)
        #expect(fixture.depth == 0)
        #expect(fixture.gate.cache.figures.flights == 0)

        let write = fixture.read("DeleteSpeaker", "{\"DomainId\":\"\(GateFixture.domain)\",\"SpeakerId\":\"s\"}")
        let writer = fixture.waiter()
        #expect(word(fixture.gate.decide(write, waiter: writer, now: fixture.now)) == "wait pass")
        fixture.gate.abandon(write, waiter: writer, now: fixture.now)
        #expect(fixture.depth == 0)
    }

    @Test("A page that is served stale waits for its turn as a refresh, longer than callers may")
    func refreshes() throws {
        let fixture = try GateFixture(tokens: 1, interval: 5, maxWait: second)
        fixture.keepPage()
        fixture.now += second * 11
        #expect(word(fixture.list()) == "page revalidating")
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(word(fixture.list()) == "page revalidating")
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(word(fixture.list()) == "page revalidating")
        #expect(fixture.depth == 1, "no token for four seconds, and it waits")
    }

    @Test("Who will have given up before its turn is refused at once, and what others wait for is not")
    func deadlines() throws {
        let fixture = try GateFixture(tokens: 0, interval: 1, maxWait: 5 * second)
        func ask(_ operation: String, within seconds: Double) -> String {
            let call = fixture.read(operation, "{\"DomainId\":\"\(GateFixture.domain)\",\"SessionNameOrId\":\"s\"}")
            let directives = CacheDirectives(deadline: fixture.now + Int64(seconds * 1e9))
            return word(fixture.gate.decide(call, directives: directives, waiter: fixture.waiter(), now: fixture.now))
        }
        #expect(ask("EvaluateSession", within: 0.5) == "refused ThrottlingException quota")
        #expect(fixture.depth == 0)
        #expect(ask("EvaluateSession", within: 1.5) == "wait pass")

        let page = "{\"DomainId\":\"\(GateFixture.domain)\"}"
        let call = fixture.read("ListFraudsters", page)
        let directives = CacheDirectives(deadline: fixture.now + second / 2)
        let verdict = fixture.gate.decide(call, directives: directives, waiter: fixture.waiter(), now: fixture.now)
        #expect(word(verdict) == "refused ThrottlingException quota")
        #expect(fixture.gate.cache.figures.flights == 0)
    }
}
