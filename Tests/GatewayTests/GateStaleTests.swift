import AWSProtocol
import PageCache
import Testing

@testable import Gateway
import Primitives
import TestSupport

/// What the upstream engine classes as a throttle or a server's fault, the gate must take for one too.
@Suite("A stale page replaces every answer that retries were for")
struct GateStaleTests {
    private static let retryable = [
        bad(400, "InternalServerException"), bad(400, "InternalFailure"), bad(400, "ServiceUnavailable"),
        bad(400, "RequestTimeout"), bad(400, "RequestTimeoutException"), bad(408, "RequestTimeoutException"),
        UpstreamReply(status: 504, body: []),
    ]
    private static let throttles = [
        bad(400, "ThrottlingException"), bad(429, "TooManyRequestsException"), UpstreamReply(status: 429, body: []),
    ]

    private func arrival(_ reply: UpstreamReply) throws -> String? {
        let fixture = try GateFixture()
        fixture.keepPage()
        fixture.now += 100 * second
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(.reply(reply))
        return fixture.receiver.words.last
    }

    /// Section 5: retried are these codes, wherever they stand; "Then: stale page, else the upstream's own last error".
    @Test("The codes of section 5, whatever their status", arguments: retryable)
    func errors(_ reply: UpstreamReply) throws {
        #expect(try arrival(reply) == "stale error \(reply.status)")
    }

    /// Section 3: "Stale pages are served on upstream 5xx, timeout, upstream throttle".
    @Test("Throttles, as services word them", arguments: throttles)
    func throttled(_ reply: UpstreamReply) throws {
        #expect(try arrival(reply) == "stale throttled \(reply.status)")
    }

    /// Section 3: what is stored has "no error `__type`".
    @Test(
        "A page of status 200 that is an error is not kept, whoever overlooked it",
        arguments: [#"{"__type":"com.amazonaws.voiceid#InternalServerException"}"#, #"{"a":1,"\u005f_type":"Foo"}"#])
    func disguised(_ body: String) throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        fixture.finish(.reply(good(body)))
        #expect(word(fixture.list()) == "wait leader")
    }

    /// A negative page has no stale windows.
    @Test("A negative page replaces nothing when its seconds are over")
    func negative() throws {
        let fixture = try GateFixture()
        _ = fixture.list()
        fixture.finish(.reply(bad(400, "ResourceNotFoundException")))
        fixture.now += 5 * second
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(fixture.receiver.words.last == "reply 500")
    }

    /// Section 3: "a failed leader's error goes to the waiters as it is (no stampede)".
    @Test("A failed fetch goes to each who waited, once, and the next begins anew")
    func failed() throws {
        let fixture = try GateFixture()
        for _ in 0..<5 { _ = fixture.list() }
        fixture.finish(.reply(bad(500, "InternalServerException")))
        let waiters = fixture.receiver.deliveries.flatMap(\.waiters)
        #expect(waiters.count == 5 && Set(waiters).count == 5)
        fixture.finish(.reply(good()))
        #expect(fixture.receiver.deliveries.count == 1, "a flight that has landed lands no more")
        #expect(word(fixture.list()) == "wait leader")
    }
}
