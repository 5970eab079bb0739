import Foundation
import Locking
import PageCache
import Primitives
import Redis
import TestSupport
import Testing

@testable import Cluster
@testable import Gateway

@Suite("Pages that gateways share", .enabled(if: FileManager.default.isExecutableFile(atPath: LocalRedis.program)))
struct SharedPagesTests {
    let redis: LocalRedis
    let service = SharedService()

    init() throws { redis = try LocalRedis() }

    private func with(_ count: Int, _ body: ([TestMember]) async throws -> Void) async throws {
        try await TestMember.with(count, redis, service, body)
    }

    @Test("are fetched once for all")
    func once() async throws {
        try await with(3) { members in
            #expect(members[0].list() == .page(service.page(), isHit: false))
            for member in members[1...] { #expect(member.list() == .page(service.page(), isHit: true)) }
            #expect(service.lists == 1)
        }
    }

    @Test("are fetched once also if all ask at the same time: the others wait for the flight")
    func together() async throws {
        try await with(3) { members in
            service.hold()
            let answers = SharedAnswers()
            onThreads(4) { number in
                if number == 3 {
                    TestMember.wait {
                        members.allSatisfy { $0.member.state.withLock { $0.followers.count + $0.flights.count } == 1 }
                    }
                    service.release()
                } else {
                    answers.add(members[number].list())
                }
            }
            #expect(service.lists == 1)
            #expect(answers.all.count == 3)
            for answer in answers.all { #expect(answer.body == service.page()) }
        }
    }

    @Test("are never old after a write through any of them has been answered")
    func writes() async throws {
        try await with(3) { members in
            for round in 0..<200 {
                let (writer, reader) = (members[round % 3], members[(round + 1 + round / 7 % 2) % 3])
                _ = reader.list()
                let answer = writer.write()
                #expect(answer == .reply(service.page()))
                for member in members.shuffled() {
                    let page = member.list()
                    #expect(page.body == service.page())
                }
            }
        }
    }

    @Test("are void when a gateway has ended in the midst of a write")
    func unfinished() async throws {
        try await with(2) { members in
            _ = members[1].list()
            // A write that has begun, and of which nothing more is heard.
            let (member, scope) = (members[1].member, EpochIndex.scope(TestMember.domain))
            let before = member.state.withLock { $0.mirror.stamp(scope) }
            let keys = members[0].member.keys
            let command: [[UInt8]] = [
                Array("EVAL".utf8), beginScript.source, Array("2".utf8), keys.writes, keys.log, Array("gone-1".utf8),
                Array("\(EpochIndex.of(TestMember.domain))".utf8), Array("100000".utf8),
            ]
            _ = try redis.call(command)
            service.state.withLock { $0.writes[TestMember.domain, default: 0] += 1 }
            let isVoid = TestMember.wait { members[1].list().body == service.page() }
            #expect(isVoid)
            #expect(member.state.withLock { $0.mirror.stamp(scope) } != before)
        }
    }

    @Test("are purged everywhere, and the answer says by how many gateways")
    func purge() async throws {
        try await with(3) { members in
            for member in members { _ = member.list() }
            let answers = SharedList<[Int]>()
            members[0].gate.purge(PurgeRequest(domain: TestMember.domain), now: .now) { pages, gateways in
                answers.add([pages, gateways?.answered ?? 0, gateways?.all ?? 0])
            }
            let isAnswered = TestMember.wait { !answers.all.isEmpty }
            #expect(isAnswered)
            #expect(answers.all == [[1, 3, 3]])
            #expect(members[2].list() == .page(service.page(), isHit: false))
            #expect(service.lists == 2)
        }
    }

    @Test(
        "that no service sent are not served: changed, under another key, from before a purge, or sealed with another secret"
    )
    func forged() async throws {
        try await with(3) { members in
            let other = "abcdefghijABCDEFGHIJ11"
            _ = members[0].list()
            _ = members[0].list(other)
            try redis.waitForStores()
            service.state.withLock { $0.writes = [TestMember.domain: 7, other: 8] }
            let keys = members[0].member.keys
            let names = try redis.pageNames()
            try #require(names.count == 2)
            let texts = try names.map { try redis.call([Array("GET".utf8), $0])?.bytes ?? [] }
            // Each under the other's key.
            _ = try redis.call([Array("MSET".utf8), names[0], texts[1], names[1], texts[0]])
            #expect(members[1].list() == .page(service.page(), isHit: false))
            #expect(members[1].list(other) == .page(service.page(other), isHit: false))
            try redis.waitForStores()
            // Changed in one bit.
            for (name, text) in zip(names, texts) {
                try #require(text.count > 20)
                var text = text
                text[text.count - 20] ^= 1
                _ = try redis.call([Array("SET".utf8), name, text])
            }
            #expect(members[2].list() == .page(service.page(), isHit: false))
            // From before a write, put back with the epochs of that time.
            _ = members[0].write()
            try redis.waitForStores()
            for (name, text) in zip(names, texts) { _ = try redis.call([Array("SET".utf8), name, text]) }
            _ = try redis.call([Array("DEL".utf8), keys.epochs])
            #expect(members[1].list() == .page(service.page(), isHit: false))
        }
    }

    @Test("are never old after Redis has lost the epochs, or the members", arguments: [true, false])
    func losses(ofEpochs: Bool) async throws {
        try await with(3) { members in
            let keys = members[0].member.keys
            for round in 0..<12 {
                for member in members { _ = member.list() }
                if round % 4 == 3 { _ = try redis.call([Array("DEL".utf8), ofEpochs ? keys.epochs : keys.members]) }
                let answer = members[round % 3].write()
                #expect(answer == .reply(service.page()) || answer == .error("ThrottlingException"))
                for member in members {
                    let answer = member.list()
                    // After a loss nobody sends for a while.
                    #expect(answer.body == service.page() || answer == .error("ThrottlingException"))
                }
            }
        }
    }

    @Test("tell a new generation when the members were lost")
    func lostMembers() async throws {
        try await with(2) { members in
            let keys = members[0].member.keys
            let old = try redis.call([Array("GET".utf8), keys.generation])?.text
            _ = try redis.call([Array("DEL".utf8), keys.members])
            #expect(TestMember.wait { (try? redis.call([Array("GET".utf8), keys.generation])?.text) != old })
            for member in members { #expect(member.waitUntilJoined()) }
        }
    }

    @Test("of another secret are not seen, and those of another name are not shared")
    func secrets() async throws {
        let one = try TestMember(redis, service)
        let two = try TestMember(redis, service, key: "another example of a secret for it")
        let three = try TestMember(redis, service) { $0.name = "other" }
        for member in [one, two, three] { #expect(member.waitUntilJoined()) }
        for member in [one, two, three] { #expect(member.list() == .page(service.page(), isHit: false)) }
        for member in [one, two, three] { await member.stop() }
        redis.stop()
    }

    @Test("above a mebibyte stay where they are")
    func large() async throws {
        #expect(ClusterSettings.maxPageBytes == 1 << 20)
        try await with(1) { members in
            let flight = members[0].gate.cache.lead(
                PageKey([1]), scope: EpochIndex.scope(TestMember.domain),
                waiter: Waiter(loop: 0, slot: 0, generation: 0))
            members[0].member.flightIsSent(flight)
            let page = Page(
                key: flight.key, status: 200, body: [UInt8](repeating: 0, count: 1 << 20 + 1), fetchedAt: .now,
                lifetime: Page.Lifetime(fresh: second))
            members[0].member.flightEnded(flight, page)
            let names = try redis.pageNames()
            #expect(names.isEmpty)
        }
    }
}

/// The scope of a domain.
enum EpochIndex {
    static func scope(_ domain: String) -> EpochScope { EpochScope(service: "voice-id", domain: Array(domain.utf8)) }
    static func of(_ domain: String) -> UInt16 { scope(domain).index }
}

typealias SharedAnswers = SharedList<TestMember.Answer>

extension SharedList {
    func add(_ element: Element) { add([element]) }
}
