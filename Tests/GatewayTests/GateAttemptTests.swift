import AWSProtocol
import PageCache
import RateLimiter
import Testing

@testable import Gateway
import Primitives
import TestSupport

@Suite("What the gate says of attempts")
struct GateAttemptTests {
    private func limit(_ burst: Double, isShadow: Bool = false) -> Limit {
        Limit(Quota(rate: 0.001, burst: burst), isShadow: isShadow)
    }

    @Test("The tokens of an attempt that was not sent are there for others: its group's and its domain's")
    func giveBack() throws {
        let fixture = try GateFixture(tokens: 1, domainLimit: limit(1))
        #expect(word(fixture.list()) == "wait leader")
        let attempt = fixture.upstream.last
        fixture.finish(try fault("breaker"), attempts: 0)
        #expect(word(fixture.list()) == "refused ThrottlingException domain")
        #expect(word(fixture.list(GateFixture.otherDomain)) == "refused ThrottlingException quota")
        if let attempt { _ = fixture.gate.queue.giveBack(attempt, now: fixture.now) }
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(try fault("breaker"), attempts: 0)
        #expect(
            word(fixture.list(GateFixture.otherDomain)) == "refused ThrottlingException quota", "one token, not two")
    }

    @Test("In shadow mode nothing is given back, since perhaps nothing was taken")
    func shadow() throws {
        let fixture = try GateFixture(tokens: 10, domainLimit: limit(1, isShadow: true))
        for _ in 0..<3 {
            #expect(word(fixture.list()) == "wait leader")
            if let attempt = fixture.upstream.last { _ = fixture.gate.queue.giveBack(attempt, now: fixture.now) }
            fixture.finish(try fault("breaker"), attempts: 0)
        }
        #expect(fixture.gate.shadows[.domain] == 2)
    }

    @Test("An attempt is not repeated for those alone who repeat by themselves")
    func retries() throws {
        let fixture = try GateFixture()
        func ask(_ operation: String, isRetry: Bool) -> String {
            let body = "{\"DomainId\":\"\(GateFixture.domain)\"}"
            let directives = CacheDirectives(isRetry: isRetry)
            return word(
                fixture.gate.decide(
                    fixture.read(operation, body), directives: directives, waiter: fixture.waiter(), now: fixture.now))
        }
        func mayRetry() throws -> Bool { fixture.gate.mayRetry(try #require(fixture.upstream.fetches.last)) }

        #expect(ask("ListFraudsterRegistrationJobs", isRetry: true) == "wait leader")
        #expect(try !mayRetry())
        #expect(ask("ListFraudsterRegistrationJobs", isRetry: false) == "wait follower")
        #expect(try mayRetry())
        for isRetry in [true, false] {
            #expect(ask("Uncatalogued", isRetry: isRetry) == "wait pass")
            #expect(try mayRetry() == !isRetry)
        }
    }

    @Test("A refresh, for which nobody waits, is repeated")
    func refresh() throws {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += 15 * second
        #expect(word(fixture.list()) == "page revalidating")
        #expect(fixture.gate.mayRetry(try #require(fixture.upstream.fetches.last)))
    }
}
