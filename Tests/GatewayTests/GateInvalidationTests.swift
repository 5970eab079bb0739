import AWSProtocol
import PageCache
import Testing

@testable import Gateway

@Suite("A write makes pages void before its reply is delivered")
struct GateInvalidationTests {
    private static let d = "\"DomainId\":\"\(Stand.domain)\""
    private static let arn = "\"ResourceArn\":\"arn:aws:voiceid:us-east-1:123456789012:domain/\(Stand.domain)\""
    private static let update = "{\(d),\"Name\":\"n\",\"ServerSideEncryptionConfiguration\":{\"KmsKeyId\":\"k\"}}"

    /// A stand that keeps a page of the domain, one of another, and the list of domains.
    private func filled() throws -> Stand {
        let stand = try Stand()
        stand.keepPage()
        _ = stand.list(Stand.otherDomain)
        stand.finish(.reply(good()))
        _ = stand.ask("ListDomains", "{}")
        stand.finish(.reply(good()))
        return stand
    }

    /// Which of the three pages are still there.
    private func kept(_ stand: Stand) -> [Bool] {
        [stand.list(), stand.list(Stand.otherDomain), stand.ask("ListDomains", "{}")].map { word($0) == "page fresh" }
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
        let stand = try filled()
        #expect(word(stand.ask(operation, body)) == "wait pass")
        stand.finish(.reply(good()))
        #expect(kept(stand) == expected)
    }

    @Test("The pages are void when the reply is delivered, not before it is there")
    func beforeDelivery() throws {
        let stand = try filled()
        _ = stand.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        #expect(word(stand.list()) == "page fresh")
        stand.finish(.reply(good()))
        #expect(stand.receiver.deliveries.last?.invalidations == 1)
        #expect(stand.receiver.words.last == "reply 200")
    }

    @Test("Whatever became of a write of which a byte may have left, the pages are void", arguments: 0..<4)
    func anyOutcome(_ number: Int) throws {
        let results: [FetchResult] = [
            try fault(), .reply(bad(500, "InternalServerException")), .reply(bad(400, "ConflictException")),
            .throttled(.quota, until: 200 * second),
        ]
        for (attempts, isKept) in [(1, false), (3, false), (0, true)] {
            let stand = try filled()
            _ = stand.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
            stand.finish(results[number], attempts: attempts)
            #expect(kept(stand) == [isKept, true, true], "after \(attempts) attempts")
        }
    }

    @Test("A write whose client has gone voids the pages all the same")
    func clientGone() throws {
        let stand = try filled()
        let call = stand.read("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        let waiter = stand.waiter()
        _ = stand.gate.decide(call, waiter: waiter, now: stand.now)
        stand.gate.abandon(call, waiter: waiter, now: stand.now)
        stand.finish(try fault())
        #expect(kept(stand) == [false, true, true])
    }

    @Test("A write outside the catalog leaves other services' pages, and those that are fetched after it")
    func outsideTheCatalog() throws {
        let stand = try Stand(services: [("voice-id", "us-east-1"), ("other", "eu-west-1")])
        let body = "{\"DomainId\":\"\(Stand.domain)\"}"
        func list(_ region: String) -> String {
            word(stand.ask("ListFraudsterRegistrationJobs", body, region: region))
        }
        for region in ["us-east-1", "eu-west-1"] {
            #expect(list(region) == "wait leader")
            stand.finish(.reply(good()))
        }
        #expect(word(stand.ask("SomethingNew", "{}", region: "eu-west-1")) == "wait pass")
        stand.finish(.reply(bad(500, "InternalServerException")))
        #expect(list("us-east-1") == "page fresh")
        #expect(list("eu-west-1") == "wait leader")
        stand.finish(.reply(good()))
        #expect(list("eu-west-1") == "page fresh")
    }

    @Test("A write outside the catalog of which no byte has left voids nothing")
    func unsent() throws {
        let stand = try filled()
        _ = stand.ask("SomethingNew", "{}")
        stand.finish(try fault(), attempts: 0)
        #expect(kept(stand) == [true, true, true])
    }

    @Test("The pages are void before a client is told that the time for its write is over")
    func overdue() throws {
        let stand = try filled()
        let call = stand.read("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        let waiter = stand.waiter()
        _ = stand.gate.decide(call, waiter: waiter, now: stand.now)
        #expect(stand.gate.overdue(call, waiter: waiter, now: stand.now)?.detail == "deadline")
        #expect(kept(stand) == [false, true, true])
    }

    @Test("A write with a member that the catalog does not know voids the pages too")
    func unknownMember() throws {
        let stand = try filled()
        _ = stand.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\",\"New\":1}")
        stand.finish(.reply(good()))
        #expect(kept(stand) == [false, true, true])
    }

    @Test("A fetch begun before answers who waited then, is not kept, and is joined by nobody after")
    func earlierFetch() throws {
        let stand = try Stand()
        #expect(word(stand.list()) == "wait leader")
        let early = try #require(stand.upstream.fetches.last)
        _ = stand.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        stand.finish(.reply(good()))
        #expect(word(stand.list()) == "wait leader")
        let late = try #require(stand.upstream.fetches.last)
        stand.gate.deliver([stand.gate.finish(early, .reply(good("{\"old\":1}")), attempts: 1, now: stand.now)])
        #expect(stand.receiver.deliveries.last?.waiters.count == 1)
        #expect(word(stand.list()) == "wait follower")
        stand.gate.deliver([stand.gate.finish(late, .reply(good("{\"new\":1}")), attempts: 1, now: stand.now)])
        #expect(stand.receiver.deliveries.last?.waiters.count == 2)
        guard case .page(let page, .fresh) = stand.list() else {
            Issue.record("not kept")
            return
        }
        #expect(page.body == Array("{\"new\":1}".utf8))
    }

    @Test("A void page is not served stale either")
    func notStale() throws {
        let stand = try filled()
        _ = stand.ask("DeleteSpeaker", "{\(Self.d),\"SpeakerId\":\"s\"}")
        stand.finish(.reply(good()))
        stand.now += 100 * second
        #expect(word(stand.list()) == "wait leader")
        stand.finish(.reply(bad(500, "InternalServerException")))
        #expect(stand.receiver.words.last == "reply 500")
    }
}
