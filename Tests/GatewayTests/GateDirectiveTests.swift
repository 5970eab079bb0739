import AWSProtocol
import PageCache
import Testing

@testable import Gateway
import Primitives
import TestSupport

/// RFC 9111, section 5.2.1, as far as a gateway in front of a quota grants it.
@Suite("What a request asks of the cache")
struct GateDirectiveTests {
    private func ask(_ fixture: GateFixture, _ directives: CacheDirectives) -> Verdict {
        let call = fixture.read("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(GateFixture.domain)\"}")
        return fixture.gate.decide(call, directives: directives, waiter: fixture.waiter(), now: fixture.now)
    }

    @Test("only-if-cached gets a page while it is served at once, and an error when it would have to be fetched")
    func onlyIfCached() throws {
        let fixture = try GateFixture()
        let directives = CacheDirectives(onlyIfCached: true)
        guard case .refused(let error) = ask(fixture, directives) else {
            Issue.record("nothing is cached yet")
            return
        }
        #expect(error.error.status == 504)
        #expect(error.error.code == "GatewayTimeout")
        #expect(fixture.upstream.fetches.isEmpty)
        fixture.keepPage()
        #expect(word(ask(fixture, directives)) == "page fresh")
        let fetches = fixture.upstream.fetches.count
        fixture.now += 100 * second
        #expect(word(ask(fixture, directives)).hasPrefix("refused"))
        #expect(fixture.upstream.fetches.count == fetches)
    }

    @Test("no-cache fetches though there is a fresh page, and its page serves all who come after")
    func noCache() throws {
        let fixture = try GateFixture()
        fixture.keepPage()
        let fetches = fixture.upstream.fetches.count
        #expect(word(ask(fixture, CacheDirectives(noCache: true))) == "wait noCache")
        #expect(fixture.upstream.fetches.count == fetches + 1)
        #expect(word(fixture.list()) == "page fresh")
        fixture.finish(.reply(good(#"{"new":1}"#)))
        #expect(fixture.receiver.words.last == "page")
        guard case .page(let page, _) = fixture.list() else {
            Issue.record("the new page is not there")
            return
        }
        #expect(String(decoding: page.body, as: UTF8.self) == #"{"new":1}"#)
    }

    @Test("no-cache pays: without a token it is refused, not served an older page")
    func noCacheWithoutToken() throws {
        let fixture = try GateFixture(tokens: 1)
        fixture.keepPage()
        #expect(word(ask(fixture, CacheDirectives(noCache: true))).hasPrefix("refused"))
        #expect(word(fixture.list()) == "page fresh")
    }
}
