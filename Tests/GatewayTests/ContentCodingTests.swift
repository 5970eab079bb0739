import AWSProtocol
import PageCache
import Primitives
import RateLimiter
import TestSupport
import Testing

@testable import Gateway

@Suite("A request in a coding is read if it can be, and goes on as it came")
struct ContentCodingTests {
    private static let d = "\"DomainId\":\"\(GateFixture.domain)\""
    private static let list = "ListFraudsterRegistrationJobs"

    private static func gzip(atMost limit: Int = 1 << 16) -> ContentCoding {
        ContentCoding(field: "gzip", isGzip: true, maxBytes: limit)
    }
    private static let other = ContentCoding(field: "br", isGzip: false, maxBytes: 1 << 16)

    private func ask(
        _ fixture: GateFixture, _ operation: String, _ body: [UInt8], _ coding: ContentCoding,
        caller: CallerID = .anonymous
    ) -> Verdict {
        fixture.gate.decide(
            fixture.read(operation, body, coding: coding), caller: caller, waiter: fixture.waiter(), now: fixture.now)
    }

    @Test("Gzip goes on with its bytes and its field, and neither gets a page nor makes one")
    func gzip() throws {
        let fixture = try GateFixture()
        let packed = gzipped(Array("{\(Self.d)}".utf8))
        fixture.keepPage()
        for _ in 0..<2 { #expect(word(ask(fixture, Self.list, packed, Self.gzip())) == "wait pass") }
        #expect(fixture.upstream.fetches.count == 3)
        let fetch = try #require(fixture.upstream.fetches.last)
        #expect(fetch.body == packed && fetch.contentEncoding == "gzip" && fetch.safety == .read)
        #expect(fetch.domain == Array(GateFixture.domain.utf8))
        #expect(fixture.upstream.fetches.first?.contentEncoding == nil)
    }

    @Test("A write in gzip is judged, and makes void what the same write in no coding makes void")
    func writes() throws {
        let fixture = try GateFixture()
        let (operation, body) = ("CreateWatchlist", "{\(Self.d),\"Name\":\"n\",\"ClientToken\":\"t\"}")
        let plain = try #require(fixture.read(operation, body).request)
        let call = fixture.read(operation, gzipped(Array(body.utf8)), coding: Self.gzip())
        let request = try #require(call.request)
        #expect(request.invalidates == plain.invalidates && request.safety == .idempotentWrite)
        #expect(request.namedDomain == plain.namedDomain)
        let faulty = gzipped(Array("{\(Self.d)}".utf8))
        #expect(word(ask(fixture, operation, faulty, Self.gzip())) == "refused ValidationException")
    }

    @Test("A bomb is refused as content that is too large, at the limit")
    func bombs() throws {
        let fixture = try GateFixture()
        let body = Array("{\(Self.d)}".utf8)
        #expect(word(ask(fixture, Self.list, gzipped(body), Self.gzip(atMost: body.count))) == "wait pass")
        guard case .refused(let error) = ask(fixture, Self.list, gzipped(body), Self.gzip(atMost: body.count - 1))
        else {
            Issue.record("not refused")
            return
        }
        #expect(error.status == 413 && error.error.code == "BadRequestException")
    }

    @Test("A broken stream is refused; one with more behind it, or in another coding, is not read")
    func unread() throws {
        let fixture = try GateFixture()
        let packed = gzipped(Array("{\(Self.d)}".utf8))
        for body in [[], Array("{\(Self.d)}".utf8), packed.dropLast()] {
            #expect(word(ask(fixture, Self.list, body, Self.gzip())) == "refused SerializationException")
        }
        for (body, coding) in [(packed + packed, Self.gzip()), ([1, 2, 3], Self.other)] {
            for operation in [Self.list, "CreateWatchlist"] {
                #expect(word(ask(fixture, operation, body, coding)) == "wait pass")
                let fetch = try #require(fixture.upstream.fetches.last)
                #expect(fetch.body == body && fetch.contentEncoding == coding.field && fetch.domain.isEmpty)
            }
            let request = try #require(fixture.read("CreateWatchlist", body, coding: coding).request)
            #expect(request.invalidates.allSatisfy { $0 == request.service.everything })
            #expect(!request.invalidates.isEmpty && request.safety == .unsafeWrite)
        }
    }

    @Test("A caller for some domains may not send what is not read")
    func permissions() throws {
        let anonymous = CallerSettings(name: "anonymous", limit: Limit(Quota(rate: 1, burst: 100)))
        var narrow = CallerSettings(name: "narrow", limit: Limit(Quota(rate: 1, burst: 100)))
        narrow.domains = [Glob(GateFixture.domain)]
        let fixture = try GateFixture(callers: { _ in [anonymous, narrow] })
        let packed = gzipped(Array("{\(Self.d)}".utf8))
        #expect(word(ask(fixture, Self.list, packed, Self.gzip(), caller: CallerID(1))) == "wait pass")
        #expect(
            word(ask(fixture, Self.list, packed, Self.other, caller: CallerID(1))) == "refused AccessDeniedException")
    }

    @Test("An operation outside the catalog goes on unread, whatever its coding")
    func uncatalogued() throws {
        let fixture = try GateFixture()
        for coding in [Self.gzip(atMost: 1), Self.other] {
            for body in [[], [1, 2, 3]] as [[UInt8]] {
                #expect(word(ask(fixture, "ListNewThings", body, coding)) == "wait pass")
                let fetch = try #require(fixture.upstream.fetches.last)
                #expect(fetch.body == body && fetch.contentEncoding == coding.field)
            }
        }
    }

    @Test("An operation without a signature is known by its target")
    func unsigned() throws {
        let fixture = try GateFixture(change: { catalog in
            for place in catalog.operations.indices where catalog.operations[place].name == "EvaluateSession" {
                catalog.operations[place].isUnsigned = true
            }
        })
        for (name, isUnsigned) in [
            ("EvaluateSession", true), ("ListDomains", false), ("ListNewThings", false), ("", false),
        ] {
            let target = Array("VoiceID.\(name)".utf8)
            #expect(fixture.gate.isUnsigned(target: target.span, scope: [UInt8]().span) == isUnsigned)
        }
        let session = "{\(Self.d),\"SessionNameOrId\":\"s\"}"
        #expect(word(fixture.ask("EvaluateSession", session)) == "wait pass")
        #expect(word(fixture.ask("ListDomains", "{}")) == "wait leader")
        #expect(fixture.upstream.fetches.map(\.isUnsigned) == [true, false])
    }
}
