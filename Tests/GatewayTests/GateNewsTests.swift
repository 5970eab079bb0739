import PageCache
import RateLimiter
import Testing

@testable import Gateway
import Primitives
import TestSupport

@Suite("What the service said last is what counts")
struct GateNewsTests {
    /// A page that is past its time but may still be used, and a token for its refresh.
    private func aged() throws -> GateFixture {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += 11 * second
        return fixture
    }

    @Test(
        "After a definite answer that is not kept, the older page is gone",
        arguments: [
            bad(400, "AccessDeniedException"), bad(400, "ValidationException"), bad(403, "Whatever"),
            UpstreamReply(status: 200, body: Array("{}".utf8), isStorable: false),
        ])
    func definite(reply: UpstreamReply) throws {
        let fixture = try aged()
        #expect(word(fixture.list()) == "page revalidating")
        fixture.finish(.reply(reply))
        #expect(word(fixture.list()) == "wait leader")
    }

    @Test(
        "After a failure, a throttle or an answer that cannot be understood, the older page is as good as before",
        arguments: [
            bad(500, "InternalServerException"), bad(400, "ThrottlingException"), bad(501, "Whatever"),
            UpstreamReply(status: 200, body: Array("<html>".utf8)),
        ])
    func indefinite(reply: UpstreamReply) throws {
        let fixture = try aged()
        #expect(word(fixture.list()) == "page revalidating")
        fixture.finish(.reply(reply))
        #expect(word(fixture.list()) == "page revalidating")
    }

    @Test("A page is as old as the request that brought it")
    func age() throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        let fetch = try #require(fixture.upstream.fetches.last)
        fixture.now += 4 * second
        fixture.finish(fetch, .reply(good()), sentAt: fixture.now - 3 * second)
        guard case .page(let page, .fresh) = fixture.list() else {
            Issue.record("not fresh")
            return
        }
        #expect(page.fetchedAt == fixture.now - 3 * second)
    }

    @Test("A fetch that waited for its token while a write came is kept: it was sent after the write")
    func sentAfterWrite() throws {
        let fixture = try GateFixture(tokens: 0, interval: 1, maxWait: 5 * second)
        #expect(word(fixture.list()) == "wait leader")
        fixture.gate.cache.invalidate(EpochScope(service: "voice-id", domain: Array(GateFixture.domain.utf8)))
        fixture.now += second
        var release = fixture.gate.queue.release(now: fixture.now)
        guard let attempt = release.granted.popFirst(),
            case .sent(let sent) = fixture.gate.markSent(attempt, now: fixture.now)
        else {
            Issue.record("not sent")
            return
        }
        #expect(word(fixture.list()) == "wait follower", "and newcomers may join it again")
        fixture.gate.deliver([fixture.gate.finish(sent.ended(), .reply(good()), now: fixture.now)])
        #expect(word(fixture.list()) == "page fresh")
    }

    @Test("While a fetch waits for its token, everybody gets the older page, not only the first who asked")
    func held() throws {
        let fixture = try GateFixture(tokens: 1, interval: 10, maxWait: 200 * second)
        fixture.keepPage()
        fixture.now += 41 * second
        #expect(word(fixture.list(GateFixture.otherDomain)) == "wait leader")
        for _ in 0..<3 { #expect(word(fixture.list()) == "page quota -") }
        #expect(fixture.depth == 1)
    }

    @Test("An error about who asks is never remembered, whatever is configured")
    func identity() throws {
        let fixture = try GateFixture(negative: ["UnrecognizedClientException": 60 * second, "Other": 60 * second])
        _ = fixture.list()
        fixture.finish(.reply(bad(403, "UnrecognizedClientException")))
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(.reply(bad(400, "Other")))
        #expect(word(fixture.list()) == "page fresh")
    }
}
