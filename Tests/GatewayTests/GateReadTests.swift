import AWSProtocol
import PageCache
import Primitives
import Testing

@testable import Gateway
import TestSupport

@Suite("A request is understood by its target, Region and body")
struct GateReadTests {
    private static let d = "\"DomainId\":\"\(GateFixture.domain)\""

    @Test(
        "A target that names no operation of a service is refused",
        arguments: [
            "", "Polly.ListLexicons", "VoiceID.", "VoiceID", "voiceid.ListDomains", "VoiceIDx.ListDomains", ".",
        ])
    func unknownPrefix(_ target: String) throws {
        let fixture = try GateFixture()
        let verdict = fixture.gate.decide(
            fixture.read(target, "{}", prefix: ""), waiter: fixture.waiter(), now: fixture.now)
        #expect(word(verdict) == "refused UnknownOperationException")
        guard case .refused(let error) = verdict else { return }
        #expect(error.error.status == 400 && error.outcome == .invalid)
        #expect(fixture.upstream.fetches.isEmpty)
    }

    @Test("An operation outside the catalog goes on as it came, as an unsafe write on the default quota")
    func uncatalogued() throws {
        let fixture = try GateFixture()
        let body = "{ \"a\":1,\"a\":2 } not JSON"
        let call = fixture.read("ListNewThings", body)
        #expect(fixture.gate.operations[call.operation] == ("voice-id", "other"))
        #expect(word(fixture.gate.decide(call, waiter: fixture.waiter(), now: fixture.now)) == "wait pass")
        let fetch = try #require(fixture.upstream.fetches.first)
        #expect(fetch.target == "VoiceID.ListNewThings" && fetch.body == Array(body.utf8))
        #expect(fetch.safety == .unsafeWrite && fetch.operation == nil)
        let catalog = fixture.gate.services[0].catalog
        #expect(catalog.quotaGroups[fetch.quotaGroup].name == "default")
    }

    @Test("A member that the catalog does not know makes a listing go on as it came, uncached")
    func unknownMember() throws {
        let fixture = try GateFixture()
        let body = "{ \(Self.d), \"New\" : 1 }"
        for _ in 0..<2 { #expect(word(fixture.ask("ListFraudsterRegistrationJobs", body)) == "wait pass") }
        #expect(fixture.upstream.fetches.count == 2)
        #expect(fixture.upstream.fetches.first?.body == Array(body.utf8))
    }

    @Test("The upstream gets the canonical body, the target and a deadline")
    func order() throws {
        let fixture = try GateFixture()
        _ = fixture.ask("ListFraudsterRegistrationJobs", "{ \"MaxResults\":100, \(Self.d), \"NextToken\":null }")
        let fetch = try #require(fixture.upstream.fetches.first)
        #expect(fetch.body == Array("{\(Self.d)}".utf8))
        #expect(fetch.target == "VoiceID.ListFraudsterRegistrationJobs")
        #expect(fetch.deadline == fixture.now + 15 * second)
        #expect(fetch.safety == .read)
    }

    @Test("Requests that mean the same share a page; others do not")
    func sharing() throws {
        let fixture = try GateFixture()
        fixture.keepPage()
        for same in ["{\(Self.d),\"MaxResults\":100}", " {\"JobStatus\":null,\(Self.d)} "] {
            #expect(word(fixture.ask("ListFraudsterRegistrationJobs", same)) == "page fresh")
        }
        for other in ["\"MaxResults\":99", "\"NextToken\":\"\"", "\"JobStatus\":\"FAILED\""] {
            #expect(word(fixture.ask("ListFraudsterRegistrationJobs", "{\(Self.d),\(other)}")) == "wait leader")
        }
        #expect(word(fixture.ask("ListSpeakerEnrollmentJobs", "{\(Self.d)}")) == "wait leader")
        #expect(word(fixture.list(GateFixture.otherDomain)) == "wait leader")
    }

    @Test(
        "A fault of the input is refused before anything is sent",
        arguments: [
            ("{", "SerializationException", ServiceError.commonNamespace),
            ("{\"DomainId\":1}", "SerializationException", ServiceError.commonNamespace),
            ("{}", "ValidationException", "com.amazonaws.voiceid"),
            ("{\"DomainId\":\"x\"}", "ValidationException", "com.amazonaws.voiceid"),
        ])
    func invalid(_ body: String, _ code: String, _ namespace: String) throws {
        let fixture = try GateFixture()
        guard case .refused(let error) = fixture.ask("ListFraudsterRegistrationJobs", body) else {
            Issue.record("not refused")
            return
        }
        #expect(error.error.code == code && error.error.namespace == namespace)
        #expect(error.error.status == 400 && error.outcome == .invalid)
        #expect(fixture.upstream.fetches.isEmpty)
    }

    @Test("Reads may be repeated, writes only with their token")
    func safety() throws {
        let fixture = try GateFixture()
        let watchlist = "{\(Self.d),\"Name\":\"n\""
        _ = fixture.ask("EvaluateSession", "{\(Self.d),\"SessionNameOrId\":\"s\"}")
        _ = fixture.ask("CreateWatchlist", watchlist + ",\"ClientToken\":\"t\"}")
        _ = fixture.ask("CreateWatchlist", watchlist + "}")
        #expect(fixture.upstream.fetches.map(\.safety) == [.read, .idempotentWrite, .unsafeWrite])
    }

    @Test(
        "Of services that share a catalog the Region chooses; without a Region it is the first",
        arguments: [("us-east-1", 0), ("eu-west-2", 1), ("", 0)])
    func regions(_ region: String, _ index: Int) throws {
        let fixture = try GateFixture(services: [("east", "us-east-1"), ("west", "eu-west-2")])
        _ = fixture.ask("ListDomains", "{}", region: region)
        #expect(fixture.upstream.fetches.map(\.service) == [index])
    }

    @Test("A Region of none of them is refused", arguments: ["ap-south-1", "eu-west", "EU-WEST-2"])
    func foreignRegion(_ region: String) throws {
        let fixture = try GateFixture(services: [("east", "us-east-1"), ("west", "eu-west-2")])
        guard case .refused(let error) = fixture.ask("ListDomains", "{}", region: region) else {
            Issue.record("not refused")
            return
        }
        #expect(error.error.code == "InvalidSignatureException")
        #expect(error.status == 403)
        #expect(error.error.message.contains("us-east-1, eu-west-2"))
        #expect(fixture.upstream.fetches.isEmpty)
        guard case .refused(let unknown) = fixture.ask("", "{}", region: region) else {
            Issue.record("not refused")
            return
        }
        #expect(unknown.error.code == "UnknownOperationException")
    }

    @Test("Services do not share pages or quota")
    func separate() throws {
        let fixture = try GateFixture(tokens: 1, services: [("east", "us-east-1"), ("west", "eu-west-2")])
        #expect(word(fixture.ask("ListDomains", "{}", region: "us-east-1")) == "wait leader")
        fixture.finish(.reply(good()))
        #expect(word(fixture.ask("ListDomains", "{}", region: "eu-west-2")) == "wait leader")
        #expect(word(fixture.ask("ListDomains", "{}", region: "us-east-1")) == "page fresh")
    }

    @Test("Metric labels are the names of services and operations, other for the rest")
    func operationNames() throws {
        let fixture = try GateFixture(services: [("east", "us-east-1"), ("west", "eu-west-2")])
        let operations = fixture.gate.operations
        #expect(operations.count == 2 * 30 + 1)
        #expect(operations[fixture.read("ListSpeakers", "{").operation] == ("east", "ListSpeakers"))
        #expect(
            operations[fixture.read("ListSpeakers", "{", region: "eu-west-2").operation] == ("west", "ListSpeakers"))
        #expect(operations[fixture.read("New", "{", region: "eu-west-2").operation] == ("west", "other"))
        #expect(operations[fixture.gate.otherOperation] == ("other", "other"))
        for index in 0..<operations.count - 1 {
            let found = try #require(operations.operation(OperationID(index)))
            #expect(operations.id(service: found.service.index, place: found.place).index == index)
        }
    }

    private func remembered(_ memo: CallMemo, _ fixture: GateFixture, _ name: String, _ body: String, _ region: String)
        -> Call
    {
        let (target, region, body) = (Array("VoiceID.\(name)".utf8), Array(region.utf8), Array(body.utf8))
        return memo.call(target: target.span, scope: region.span, body: body.span, of: fixture.gate)
    }

    @Test("An equal request is remembered; one that differs in a byte anywhere is not taken for it")
    func memo() throws {
        let fixture = try GateFixture(services: [("east", "us-east-1"), ("west", "eu-west-2")])
        let memo = CallMemo()
        let first = remembered(memo, fixture, "ListDomains", "{}", "us-east-1")
        #expect(remembered(memo, fixture, "ListDomains", "{}", "us-east-1") === first)
        let others = [
            remembered(memo, fixture, "ListDomains", "{} ", "us-east-1"),
            remembered(memo, fixture, "ListDomains", "{}", "eu-west-2"),
            remembered(memo, fixture, "ListDomainz", "{}", "us-east-1"),
        ]
        #expect(others.allSatisfy { $0 !== first })
        #expect(others[1].service?.settings.name == "west")
    }

    @Test("Whatever was remembered, a request is understood as the gate understands it")
    func memoAgrees() throws {
        let fixture = try GateFixture()
        let memo = CallMemo()
        for round in 0..<2 {
            for number in 0..<3000 {
                let body = "{\(Self.d),\"NextToken\":\"\(number)\"}"
                let call = remembered(memo, fixture, "ListSpeakers", body, "")
                guard case .page(let page) = call.action else {
                    Issue.record("round \(round): \(number) is no page")
                    return
                }
                #expect(page.request.body == Array(body.utf8))
            }
        }
    }

    @Test("A write, a fault and a huge request are not remembered")
    func notRemembered() throws {
        let fixture = try GateFixture()
        let memo = CallMemo()
        let huge = "{\(Self.d),\"NextToken\":\"\(String(repeating: "x", count: 4096))\"}"
        for (name, body) in [
            ("CreateWatchlist", "{\(Self.d),\"Name\":\"n\"}"), ("ListSpeakers", "{"), ("ListSpeakers", huge),
        ] {
            #expect(remembered(memo, fixture, name, body, "") !== remembered(memo, fixture, name, body, ""))
        }
    }
}
