import AWSProtocol
import PageCache
import RateLimiter
import Testing

@testable import Gateway

@Suite("What the gate says of attempts")
struct GateAttemptTests {
    private func limit(_ burst: Double, isShadow: Bool = false) -> Limit {
        Limit(Quota(rate: 0.001, burst: burst), isShadow: isShadow)
    }

    @Test("The tokens of an attempt that was not sent are there for others: its group's and its domain's")
    func giveBack() throws {
        let stand = try Stand(tokens: 1, domainLimit: limit(1))
        #expect(word(stand.list()) == "wait leader")
        let fetch = try #require(stand.upstream.fetches.last)
        stand.finish(try fault("breaker"), attempts: 0)
        #expect(word(stand.list()) == "refused ThrottlingException domain")
        #expect(word(stand.list(Stand.otherDomain)) == "refused ThrottlingException quota")
        stand.gate.giveBack(fetch, now: stand.now)
        #expect(word(stand.list()) == "wait leader")
        stand.finish(try fault("breaker"), attempts: 0)
        #expect(word(stand.list(Stand.otherDomain)) == "refused ThrottlingException quota", "one token, not two")
    }

    @Test("In shadow mode nothing is given back, since perhaps nothing was taken")
    func shadow() throws {
        let stand = try Stand(tokens: 10, domainLimit: limit(1, isShadow: true))
        for _ in 0..<3 {
            #expect(word(stand.list()) == "wait leader")
            stand.gate.giveBack(try #require(stand.upstream.fetches.last), now: stand.now)
            stand.finish(try fault("breaker"), attempts: 0)
        }
        #expect(stand.gate.shadows[.domain] == 2)
    }

    @Test("An attempt is not repeated for those alone who repeat by themselves")
    func retries() throws {
        let stand = try Stand()
        func ask(_ operation: String, isRetry: Bool) -> String {
            let body = "{\"DomainId\":\"\(Stand.domain)\"}"
            let wishes = Wishes(isRetry: isRetry)
            return word(
                stand.gate.decide(stand.read(operation, body), wishes: wishes, waiter: stand.waiter(), now: stand.now))
        }
        func mayRetry() throws -> Bool { stand.gate.mayRetry(try #require(stand.upstream.fetches.last)) }

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
        let stand = try Stand()
        stand.keepPage()
        stand.now += 15 * second
        #expect(word(stand.list()) == "page revalidating")
        #expect(stand.gate.mayRetry(try #require(stand.upstream.fetches.last)))
    }
}
