import AWSProtocol
import PageCache
import Testing

@testable import Gateway
import Primitives
import TestSupport

@Suite("A fetch's result is kept, replaced or relayed")
struct GateFinishTests {
    @Test("A good page is kept and goes to each who waited, once")
    func goodPage() throws {
        let fixture = try GateFixture()
        for _ in 0..<3 { _ = fixture.list() }
        fixture.finish(.reply(good("{\"a\":1}")))
        #expect(fixture.receiver.words == ["page"])
        #expect(Set(fixture.receiver.deliveries.flatMap(\.waiters)).count == 3)
        #expect(fixture.receiver.deliveries.flatMap(\.waiters).count == 3)
        #expect(word(fixture.list()) == "page fresh")
    }

    @Test(
        "What is no complete, well-formed object of status 200 is relayed and not kept",
        arguments: [
            good(""), good("[]"), good("null"), good("<html>"), good("{\"a\":1"), good("{}x"),
            good("{\"a\":1,\"a\":2}"),
            UpstreamReply(status: 200, body: [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
            UpstreamReply(status: 200, body: Array("{}".utf8), isStorable: false),
            UpstreamReply(status: 200, body: Array("{}".utf8), errorCode: "FooException"),
            UpstreamReply(status: 201, body: Array("{}".utf8)), UpstreamReply(status: 204, body: []),
            UpstreamReply(status: 302, body: Array("{}".utf8)), UpstreamReply(status: 206, body: Array("{}".utf8)),
        ])
    func notKept(_ reply: UpstreamReply) throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        fixture.finish(.reply(reply))
        #expect(fixture.receiver.words == ["reply \(reply.status)"])
        #expect(word(fixture.list()) == "wait leader")
    }

    @Test("An error that is worth remembering is kept for its few seconds")
    func negative() throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        fixture.finish(.reply(bad(400, "ResourceNotFoundException")))
        #expect(fixture.receiver.words == ["reply 400"])
        fixture.now += 4 * second
        guard case .page(let page, .fresh) = fixture.list() else {
            Issue.record("not remembered")
            return
        }
        #expect(page.status == 400 && page.errorCode == "ResourceNotFoundException")
        fixture.now += second
        #expect(word(fixture.list()) == "wait leader")
    }

    private static let relayed: [UpstreamReply] = [
        bad(400, "ThrottlingException"), bad(400, "AccessDeniedException"), bad(403, "AccessDeniedException"),
        bad(500, "InternalServerException"), bad(503, "ServiceUnavailable"), bad(400, "ValidationException"),
        bad(502, "ResourceNotFoundException"),
    ]

    @Test("Other errors are relayed and not remembered", arguments: relayed)
    func otherErrors(_ reply: UpstreamReply) throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        fixture.finish(.reply(reply))
        #expect(fixture.receiver.words == ["reply \(reply.status)"])
        #expect(word(fixture.list()) == "wait leader")
    }

    /// Section 3: "throttles, 5xx, `AccessDeniedException` never".
    @Test(
        "Throttles, 5xx and denials are never remembered, even if a policy names them",
        arguments: [
            bad(400, "ThrottlingException"), bad(400, "AccessDeniedException"), bad(500, "InternalServerException"),
        ])
    func neverRemembered(_ reply: UpstreamReply) throws {
        let fixture = try GateFixture(negative: [reply.errorCode ?? "": 5 * second])
        _ = fixture.list()
        fixture.finish(.reply(reply))
        #expect(word(fixture.list()) == "wait leader")
    }

    @Test("An unstorable error is not remembered")
    func unstorableNegative() throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        var reply = bad(400, "ResourceNotFoundException")
        reply.isStorable = false
        fixture.finish(.reply(reply))
        #expect(word(fixture.list()) == "wait leader")
    }

    private func arrival(age: Int64, _ result: FetchResult) throws -> [String] {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += age * second
        _ = fixture.list()
        fixture.finish(result)
        return Array(fixture.receiver.words.dropFirst())
    }

    @Test(
        "A stale page replaces an error of the upstream, and only that",
        arguments: [
            (bad(500, "InternalServerException"), "stale error 500"),
            (bad(503, "ServiceUnavailable"), "stale error 503"),
            (UpstreamReply(status: 502, body: []), "stale error 502"),
            (bad(400, "ThrottlingException"), "stale throttled 400"),
            // None of these is the service's word on the page.
            (UpstreamReply(status: 302, body: []), "stale error 302"),
            (UpstreamReply(status: 304, body: []), "stale error 304"),
            (UpstreamReply(status: 404, body: Array("<html>".utf8)), "stale error 404"),
            (UpstreamReply(status: 421, body: []), "stale error 421"),
            (UpstreamReply(status: 201, body: Array("{}".utf8)), "stale error 201"),
            (bad(400, "ValidationException"), "reply 400"), (bad(400, "AccessDeniedException"), "reply 400"),
            (bad(400, "ResourceNotFoundException"), "reply 400"), (good(), "page"),
        ])
    func stale(_ reply: UpstreamReply, _ expected: String) throws {
        #expect(try arrival(age: 100, .reply(reply)) == [expected])
    }

    @Test("A stale page replaces a fault and an empty bucket")
    func staleOnFault() throws {
        #expect(try arrival(age: 100, fault()) == ["stale error -"])
        #expect(try arrival(age: 100, .throttled(.quota, until: .at(200 * second))) == ["stale quota -"])
    }

    /// Section 3: `fwd=stale; detail=error|throttled|breaker|quota`; the upstream words an open breaker's fault "breaker".
    @Test("A stale page behind an open breaker says so")
    func staleOnBreaker() throws {
        #expect(try arrival(age: 100, fault("breaker")) == ["stale breaker -"])
    }

    @Test("Past its last window a page replaces nothing")
    func tooOld() throws {
        #expect(try arrival(age: 609, .reply(bad(500, "InternalServerException"))) == ["stale error 500"])
        #expect(try arrival(age: 610, .reply(bad(500, "InternalServerException"))) == ["reply 500"])
    }

    @Test("Without a page the error goes to all who waited")
    func errors() throws {
        for (result, expected) in [
            (try fault(), "error InternalServerException"),
            (.throttled(.quota, until: .at(101 * second)), "error ThrottlingException quota"),
        ] {
            let fixture = try GateFixture()
            for _ in 0..<2 { _ = fixture.list() }
            fixture.finish(result, attempts: 0)
            #expect(fixture.receiver.words == [expected])
            #expect(fixture.receiver.deliveries.first?.waiters.count == 2)
        }
    }

    @Test("A pass gets its result as it is")
    func pass() throws {
        for (result, expected) in [
            (FetchResult.reply(good()), "reply 200"), (.reply(bad(400, "ConflictException")), "reply 400"),
            (try fault(), "error InternalServerException"),
            (.throttled(.quota, until: .at(101 * second)), "error ThrottlingException quota"),
        ] {
            let fixture = try GateFixture()
            _ = fixture.ask("DeleteDomain", "{\"DomainId\":\"\(GateFixture.domain)\"}")
            fixture.finish(result)
            #expect(fixture.receiver.words == [expected])
        }
    }
}
