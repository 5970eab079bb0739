import AWSProtocol
import PageCache
import Testing

@testable import Gateway
import Primitives
import TestSupport

@Suite("A write makes pages void before its reply is delivered")
struct GateInvalidationTests {
    private static let d = "\"DomainId\":\"\(GateFixture.domain)\""
    private static let arn = "\"ResourceArn\":\"arn:aws:voiceid:us-east-1:123456789012:domain/\(GateFixture.domain)\""
    private static let update = "{\(d),\"Name\":\"n\",\"ServerSideEncryptionConfiguration\":{\"KmsKeyId\":\"k\"}}"

    /// A fixture that keeps a page of the domain, one of another, and the list of domains.
    private func filled() throws -> GateFixture {
        let fixture = try GateFixture()
        fixture.keepPage()
        _ = fixture.list(GateFixture.otherDomain)
        fixture.finish(.reply(good()))
        _ = fixture.ask("ListDomains", "{}")
        fixture.finish(.reply(good()))
        return fixture
    }

    /// Which of the three pages are still there.
    private func kept(_ fixture: GateFixture) -> [Bool] {
        [fixture.list(), fixture.list(GateFixture.otherDomain), fixture.ask("ListDomains", "{}")].map {
            word($0) == "page fresh"
        }
    }

    @Test(
        "A write voids what it is about, and nothing else",
        arguments: [
            ("DeleteDomain", "{\(d)}", [false, true, false]), ("UpdateDomain", update, [false, true, false]),
            ("DeleteSpeaker", "{\(d),\"SpeakerId\":\"s\"}", [false, true, true]),
            (
                "StartFraudsterRegistrationJob",
                "{\(d),\"DataAccessRoleArn\":\"arn:aws:iam::123456789012:role/r\","
                    + "\"InputDataConfig\":{\"S3Uri\":\"s3://input\"},\"OutputDataConfig\":{\"S3Uri\":\"s3://output\"}}",
                [false, true, true]
            ),
            (
                "CreateDomain", "{\"Name\":\"n\",\"ServerSideEncryptionConfiguration\":{\"KmsKeyId\":\"k\"}}",
                [true, true, false]
            ),
            ("TagResource", "{\(arn),\"Tags\":[]}", [false, true, true]),
            ("UntagResource", "{\(arn),\"TagKeys\":[]}", [false, true, true]),
            ("EvaluateSession", "{\(d),\"SessionNameOrId\":\"s\"}", [true, true, true]),
            // Outside the catalog: whatever it changes.
            ("SomethingNew", "{\(d)}", [false, false, false]),
        ])
    func scopes(_ operation: String, _ body: String, _ expected: [Bool]) throws {
        let fixture = try filled()
        #expect(word(fixture.ask(operation, body)) == "wait pass")
        fixture.finish(.reply(good()))
        #expect(kept(fixture) == expected)
    }

    @Test("The pages are void when the reply is delivered, not before it is there")
    func beforeDelivery() throws {
        let fixture = try filled()
        _ = fixture.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        #expect(word(fixture.list()) == "page fresh")
        fixture.finish(.reply(good()))
        #expect(fixture.receiver.deliveries.last?.invalidations == 1)
        #expect(fixture.receiver.words.last == "reply 200")
    }

    @Test("Whatever became of a write of which a byte may have left, the pages are void", arguments: 0..<4)
    func anyOutcome(_ number: Int) throws {
        let results: [FetchResult] = [
            try fault(), .reply(bad(500, "InternalServerException")), .reply(bad(400, "ConflictException")),
            .throttled(.quota, until: .at(200 * second)),
        ]
        for (attempts, isKept) in [(1, false), (3, false), (0, true)] {
            let fixture = try filled()
            _ = fixture.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
            fixture.finish(results[number], attempts: attempts)
            #expect(kept(fixture) == [isKept, true, true], "after \(attempts) attempts")
        }
    }

    @Test("A write whose client has gone voids the pages all the same")
    func clientGone() throws {
        let fixture = try filled()
        let call = fixture.read("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        let waiter = fixture.waiter()
        _ = fixture.gate.decide(call, waiter: waiter, now: fixture.now)
        fixture.gate.abandon(call, waiter: waiter, now: fixture.now)
        fixture.finish(try fault())
        #expect(kept(fixture) == [false, true, true])
    }

    @Test("A write outside the catalog leaves other services' pages, and those that are fetched after it")
    func outsideTheCatalog() throws {
        let fixture = try GateFixture(services: [("voice-id", "us-east-1"), ("other", "eu-west-1")])
        let body = "{\"DomainId\":\"\(GateFixture.domain)\"}"
        func list(_ region: String) -> String {
            word(fixture.ask("ListFraudsterRegistrationJobs", body, region: region))
        }
        for region in ["us-east-1", "eu-west-1"] {
            #expect(list(region) == "wait leader")
            fixture.finish(.reply(good()))
        }
        #expect(word(fixture.ask("SomethingNew", "{}", region: "eu-west-1")) == "wait pass")
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(list("us-east-1") == "page fresh")
        #expect(list("eu-west-1") == "wait leader")
        fixture.finish(.reply(good()))
        #expect(list("eu-west-1") == "page fresh")
    }

    @Test("A write outside the catalog of which no byte has left voids nothing")
    func unsent() throws {
        let fixture = try filled()
        _ = fixture.ask("SomethingNew", "{}")
        fixture.finish(try fault(), attempts: 0)
        #expect(kept(fixture) == [true, true, true])
    }

    @Test("The pages are void before a client is told that the time for its write is over")
    func overdue() throws {
        let fixture = try filled()
        let call = fixture.read("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        let waiter = fixture.waiter()
        _ = fixture.gate.decide(call, waiter: waiter, now: fixture.now)
        #expect(fixture.gate.overdue(call, waiter: waiter, now: fixture.now)?.detail == "deadline")
        #expect(kept(fixture) == [false, true, true])
    }

    @Test("A write with a member that the catalog does not know voids the pages too")
    func unknownMember() throws {
        let fixture = try filled()
        _ = fixture.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\",\"New\":1}")
        fixture.finish(.reply(good()))
        #expect(kept(fixture) == [false, true, true])
    }

    @Test("A fetch begun before answers who waited then, is not kept, and is joined by nobody after")
    func earlierFetch() throws {
        let fixture = try GateFixture()
        #expect(word(fixture.list()) == "wait leader")
        let early = try #require(fixture.upstream.fetches.last)
        _ = fixture.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        fixture.finish(.reply(good()))
        #expect(word(fixture.list()) == "wait leader")
        let late = try #require(fixture.upstream.fetches.last)
        fixture.finish(early, .reply(good("{\"old\":1}")))
        #expect(fixture.receiver.deliveries.last?.waiters.count == 1)
        #expect(word(fixture.list()) == "wait follower")
        fixture.finish(late, .reply(good("{\"new\":1}")))
        #expect(fixture.receiver.deliveries.last?.waiters.count == 2)
        guard case .page(let page, .fresh) = fixture.list() else {
            Issue.record("not kept")
            return
        }
        #expect(page.body == Array("{\"new\":1}".utf8))
    }

    @Test("A void page is not served stale either")
    func notStale() throws {
        let fixture = try filled()
        _ = fixture.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        fixture.finish(.reply(good()))
        fixture.now += 100 * second
        #expect(word(fixture.list()) == "wait leader")
        fixture.finish(.reply(bad(500, "InternalServerException")))
        #expect(fixture.receiver.words.last == "reply 500")
    }
}
