import PageCache
import RateLimiter
import Testing

@testable import Gateway

@Suite("What the service said last is what counts")
struct GateNewsTests {
    /// A page that is past its time but may still be used, and a token for its refresh.
    private func aged() throws -> Stand {
        let stand = try Stand()
        stand.keepPage()
        stand.now += 11 * second
        return stand
    }

    @Test(
        "After a definite answer that is not kept, the older page is gone",
        arguments: [
            bad(400, "AccessDeniedException"), bad(400, "ValidationException"), bad(403, "Whatever"),
            UpstreamReply(status: 200, body: Array("{}".utf8), isStorable: false),
        ])
    func definite(reply: UpstreamReply) throws {
        let stand = try aged()
        #expect(word(stand.list()) == "page revalidating")
        stand.finish(.reply(reply))
        #expect(word(stand.list()) == "wait leader")
    }

    @Test(
        "After a failure, a throttle or an answer that cannot be understood, the older page is as good as before",
        arguments: [
            bad(500, "InternalServerException"), bad(400, "ThrottlingException"), bad(501, "Whatever"),
            UpstreamReply(status: 200, body: Array("<html>".utf8)),
        ])
    func indefinite(reply: UpstreamReply) throws {
        let stand = try aged()
        #expect(word(stand.list()) == "page revalidating")
        stand.finish(.reply(reply))
        #expect(word(stand.list()) == "page revalidating")
    }

    @Test("A page is as old as the request that brought it")
    func age() throws {
        let stand = try Stand()
        _ = stand.list()
        let fetch = try #require(stand.upstream.fetches.last)
        stand.now += 4 * second
        stand.gate.deliver([
            stand.gate.finish(fetch, .reply(good()), attempts: 1, sentAt: stand.now - 3 * second, now: stand.now)
        ])
        guard case .page(let page, .fresh) = stand.list() else {
            Issue.record("not fresh")
            return
        }
        #expect(page.fetchedAt == stand.now - 3 * second)
    }

    @Test("A fetch that waited for its token while a write came is kept: it was sent after the write")
    func sentAfterWrite() throws {
        let stand = try Stand(tokens: 0, interval: 1, maxWait: 5 * second)
        #expect(word(stand.list()) == "wait leader")
        stand.gate.cache.invalidate(EpochScope(service: "voice-id", domain: Array(Stand.domain.utf8)))
        stand.now += second
        var granted: [PendingAttempt] = []
        var expired: [PendingAttempt] = []
        for group in stand.gate.services[0].groups {
            _ = group.release(now: stand.now, granted: &granted, expired: &expired)
        }
        let fetch = try #require(granted.first?.fetch)
        #expect(stand.gate.depart(fetch, number: 1, now: 0) == nil)
        #expect(word(stand.list()) == "wait follower", "and newcomers may join it again")
        stand.gate.deliver([stand.gate.finish(fetch, .reply(good()), attempts: 1, now: stand.now)])
        #expect(word(stand.list()) == "page fresh")
    }

    @Test("While a fetch waits for its token, everybody gets the older page, not only the first who asked")
    func held() throws {
        let stand = try Stand(tokens: 1, interval: 10, maxWait: 200 * second)
        stand.keepPage()
        stand.now += 41 * second
        #expect(word(stand.list(Stand.otherDomain)) == "wait leader")
        for _ in 0..<3 { #expect(word(stand.list()) == "page quota -") }
        #expect(stand.depth == 1)
    }

    @Test("An error about who asks is never remembered, whatever is configured")
    func identity() throws {
        let stand = try Stand(negative: ["UnrecognizedClientException": 60 * second, "Other": 60 * second])
        _ = stand.list()
        stand.finish(.reply(bad(403, "UnrecognizedClientException")))
        #expect(word(stand.list()) == "wait leader")
        stand.finish(.reply(bad(400, "Other")))
        #expect(word(stand.list()) == "page fresh")
    }
}
