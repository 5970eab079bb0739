import AWSProtocol
import PageCache
import Testing

@testable import Gateway

/// RFC 9111, section 5.2.1, as far as a gateway in front of a quota grants it.
@Suite("What a request wishes of the cache")
struct GateWishesTests {
    private func ask(_ stand: Stand, _ wishes: Wishes) -> Verdict {
        let call = stand.read("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(Stand.domain)\"}")
        return stand.gate.decide(call, wishes: wishes, waiter: stand.waiter(), now: stand.now)
    }

    @Test("only-if-cached gets a page while it is served at once, and an error when it would have to be fetched")
    func onlyIfCached() throws {
        let stand = try Stand()
        let wishes = Wishes(onlyIfCached: true)
        guard case .refused(let error) = ask(stand, wishes) else {
            Issue.record("nothing is cached yet")
            return
        }
        #expect(error.error.status == 504)
        #expect(error.error.code == "GatewayTimeout")
        #expect(stand.upstream.fetches.isEmpty)
        stand.keepPage()
        #expect(word(ask(stand, wishes)) == "page fresh")
        let fetches = stand.upstream.fetches.count
        stand.now += 100 * second
        #expect(word(ask(stand, wishes)).hasPrefix("refused"))
        #expect(stand.upstream.fetches.count == fetches)
    }

    @Test("no-cache fetches though there is a fresh page, and its page serves all who come after")
    func anew() throws {
        let stand = try Stand()
        stand.keepPage()
        let fetches = stand.upstream.fetches.count
        #expect(word(ask(stand, Wishes(fetchesAnew: true))) == "wait anew")
        #expect(stand.upstream.fetches.count == fetches + 1)
        #expect(word(stand.list()) == "page fresh")
        stand.finish(.reply(good(#"{"new":1}"#)))
        #expect(stand.receiver.words.last == "page")
        guard case .page(let page, _) = stand.list() else {
            Issue.record("the new page is not there")
            return
        }
        #expect(String(decoding: page.body, as: UTF8.self) == #"{"new":1}"#)
    }

    @Test("no-cache pays: without a token it is refused, not served an older page")
    func anewWithoutToken() throws {
        let stand = try Stand(tokens: 1)
        stand.keepPage()
        #expect(word(ask(stand, Wishes(fetchesAnew: true))).hasPrefix("refused"))
        #expect(word(stand.list()) == "page fresh")
    }
}
