import Foundation
import Locking
import PageCache
import Primitives
import Redis
import TestSupport
import Testing

@testable import Cluster
@testable import Gateway

@Suite(
    "Pages that gateways share, whatever somebody does to Redis",
    .enabled(if: FileManager.default.isExecutableFile(atPath: LocalRedis.program)))
struct SharedPagesFaultTests {
    let redis: LocalRedis
    let service = SharedService()

    init() throws { redis = try LocalRedis() }

    private func with(
        _ count: Int, change: (inout ClusterSettings) -> Void = { _ in }, _ body: ([TestMember]) async throws -> Void
    ) async throws { try await TestMember.with(count, redis, service, change: change, body) }

    /// The answer once tokens are there again: after a loss nobody sends for a while.
    private func settled(_ ask: () -> TestMember.Answer) -> TestMember.Answer {
        var answer = TestMember.Answer.none
        TestMember.wait {
            answer = ask()
            return answer != .error("ThrottlingException")
        }
        return answer
    }

    @Test(
        "are never old for long after a key has become of another kind",
        arguments: ["m", "g", "s", "e", "w", "log"])
    func otherKinds(key: String) async throws {
        try await with(3) { members in
            for member in members { _ = member.list() }
            let keys = members[0].member.keys
            let all = [keys.members, keys.generation, keys.changes, keys.epochs, keys.writes, keys.log]
            let name = try #require(all.first { $0.reversed().starts(with: ":\(key)".utf8.reversed()) })
            _ = try redis.call([Array("DEL".utf8), name])
            _ = try redis.call([Array("SADD".utf8), name, Array("garbage".utf8)])
            let answer = members[0].write()
            #expect(answer == .reply(service.page()) || answer == .error("ThrottlingException"))
            // The end of the write is said again when the key is good.
            for member in members {
                let isNew = TestMember.wait { member.list().body == service.page() }
                #expect(isNew)
            }
            for member in members { #expect(member.waitUntilJoined()) }
        }
    }

    @Test(
        "are void after a write and after a purge, whatever somebody has made of the epoch",
        arguments: ["garbage", "nan", "-1", "9007199254740992", "18446744073709551615", "1e300"])
    func epochs(epoch: String) async throws {
        try await with(2) { members in
            let keys = members[0].member.keys
            for round in 0..<4 {
                for member in members { _ = member.list() }
                let scope =
                    round % 2 == 0 ? EpochIndex.scope(TestMember.domain) : members[0].gate.services[0].everything
                let index = Array("\(scope.index)".utf8)
                _ = try redis.call([Array("HSET".utf8), keys.epochs, index, Array(epoch.utf8)])
                if round < 2 {
                    let answer = settled { members[0].write() }
                    #expect(answer == .reply(service.page()))
                } else {
                    let answers = SharedList<Int>()
                    service.state.withLock { $0.writes[TestMember.domain, default: 0] += 1 }
                    members[0].gate.purge(PurgeRequest(domain: TestMember.domain), now: .now) { pages, _ in
                        answers.add([pages])
                    }
                    TestMember.wait { !answers.all.isEmpty }
                }
                for member in members.reversed() {
                    let answer = settled { member.list() }
                    #expect(answer.body == service.page())
                }
            }
        }
    }

    @Test("are fetched in spite of a flight without an end, and of keys of another kind")
    func garbage() async throws {
        try await with(2) { members in
            _ = members[0].list()
            try redis.waitForStores()
            let page = try #require(try redis.pageNames().first)
            let flight = Array(String(decoding: page, as: UTF8.self).replacing(":p:", with: ":f:").utf8)
            #expect(members[0].write() == .reply(service.page()))
            _ = try redis.call([Array("SET".utf8), flight, Array("nobody".utf8)])
            #expect(members[1].list() == .page(service.page(), isHit: false))
            try redis.waitForStores()
            for name in [page, flight] {
                #expect(members[0].write() == .reply(service.page()))
                _ = try redis.call([Array("DEL".utf8), name])
                _ = try redis.call([Array("SADD".utf8), name, Array("garbage".utf8)])
                #expect(members[1].list() == .page(service.page(), isHit: false))
                try redis.waitForStores()
                #expect(members[0].list() == .page(service.page(), isHit: true))
            }
        }
    }

    @Test("of other data, and pages of a time to come, make room for new ones")
    func future() async throws {
        try await with(2) { members in
            _ = members[0].list()
            try redis.waitForStores()
            let page = try #require(try redis.pageNames().first)
            let generation = try #require(try redis.call([Array("GET".utf8), members[0].member.keys.generation])?.text)
            for header in ["9999999999999999 9999999999999999 1-x 0 0 ", "1 9999999999999999 \(generation) 0 0 "] {
                #expect(members[0].write() == .reply(service.page()))
                _ = try redis.call([Array("SET".utf8), page, Array(header.utf8)])
                #expect(members[1].list() == .page(service.page(), isHit: false))
                try redis.waitForStores()
                #expect(members[0].list() == .page(service.page(), isHit: true))
            }
        }
    }

    @Test("are never old in strict gateways though the log cannot be read", arguments: [true, false])
    func unreadableLog(isRefused: Bool) async throws {
        try await with(2, change: { $0.isStrict = true }) { members in
            for member in members { _ = member.list() }
            if isRefused {
                _ = try redis.call("ACL", "SETUSER", "default", "-xread")
            } else {
                let size = 3 << 20
                let entry =
                    [Array("XADD".utf8), members[0].member.keys.log] + ["*", "t", "p", "k"].map { Array($0.utf8) }
                _ = try redis.call(entry + [[UInt8](repeating: UInt8(ascii: "x"), count: size)])
            }
            for _ in 0..<2 {
                #expect(members[0].write() == .reply(service.page()))
                // Answered when no other member trusts its pages any more.
                #expect(members[1].list().body == service.page())
            }
            let isTold = members[1].events.all.contains { if case .unread = $0 { true } else { false } }
            #expect(isTold == isRefused)
            if isRefused { _ = try redis.call("ACL", "SETUSER", "default", "+xread") }
            for member in members { #expect(member.waitUntilJoined()) }
        }
    }

    @Test(
        "are void after a write though somebody has written into the log, or has replaced it", arguments: [true, false])
    func forgedLog(isReplaced: Bool) async throws {
        try await with(3) { members in
            let log = members[0].member.keys.log
            func add(_ id: String, _ fields: String...) throws {
                _ = try redis.call([Array("XADD".utf8), log, Array(id.utf8)] + fields.map { Array($0.utf8) })
            }
            for round in 0..<3 {
                for member in members { _ = member.list() }
                if isReplaced {
                    try add("99999999999999-\(round)", "t", "x", "i", "nothing")
                    TestMember.wait {
                        members.allSatisfy { $0.member.state.withLock { $0.log.last.hasPrefix("9999") } }
                    }
                    _ = try redis.call([Array("DEL".utf8), log])
                } else {
                    let all = EpochScope.all.map { "\($0.index):18446744073709551615" }.joined(separator: ",")
                    try add("*", "t", "r", "i", "x", "s", all)
                }
                let answer = settled { members[0].write() }
                #expect(answer == .reply(service.page()))
                for member in members.reversed() {
                    let answer = settled { member.list() }
                    #expect(answer.body == service.page())
                }
                for member in members { #expect(member.waitUntilJoined()) }
            }
        }
    }

    @Test("are not brought back by somebody who puts pages and epochs back, and floods the log")
    func flooded() async throws {
        try await with(3) { members in
            let keys = members[0].member.keys
            for member in members { _ = member.list() }
            try redis.waitForStores()
            let name = try #require(try redis.pageNames().first)
            let old = try #require(try redis.call([Array("GET".utf8), name])?.bytes)
            let epochs = try #require(try redis.call([Array("HGETALL".utf8), keys.epochs])?.array?.compactMap(\.bytes))
            #expect(members[0].write() == .reply(service.page()))
            _ = try redis.call([Array("DEL".utf8), keys.epochs])
            _ = try redis.call([Array("HSET".utf8), keys.epochs] + epochs)
            let script = "for i = 1, 2000 do redis.call('XADD', KEYS[1], '*', 't', 'x') end"
            _ = try redis.call([Array("EVAL".utf8), Array(script.utf8), Array("1".utf8), keys.log])
            for _ in 0..<20 {
                _ = try redis.call([Array("SET".utf8), name, old])
                for member in members { #expect(member.list().body == service.page()) }
            }
        }
    }

    @Test("are void for a gateway that starts after the epochs were lost")
    func lostEpochs() async throws {
        try await with(2) { members in
            _ = members[0].list()
            try redis.waitForStores()
            #expect(members[0].write() == .reply(service.page()))
            _ = try redis.call([Array("DEL".utf8), members[0].member.keys.epochs])
            let late = try TestMember(redis, service)
            #expect(late.waitUntilJoined())
            #expect(late.list().body == service.page())
            await late.stop()
        }
    }

    @Test("are served from memory in a strict gateway only while Redis answers")
    func strict() async throws {
        let member = try TestMember(redis, service) { $0.isStrict = true }
        #expect(member.waitUntilJoined())
        #expect(member.list() == .page(service.page(), isHit: false))
        #expect(member.list() == .page(service.page(), isHit: true))
        redis.kill()
        let isFetched = TestMember.wait { member.list() == .page(service.page(), isHit: false) }
        #expect(isFetched)
        // Another gateway may have found Redis again, and trust its pages for as long.
        let begun = MonotonicInstant.now
        #expect(member.write() == .reply(service.page()))
        #expect(MonotonicInstant.now - begun >= ClusterSettings.lease)
        await member.stop()
        redis.stop()
    }

    @Test("are void elsewhere after a write that ended while Redis was away, once it is back")
    func lateEnd() async throws {
        try await with(2, change: { $0.sharesQuotas = false }) { members in
            _ = members[1].list()
            redis.signal(SIGSTOP)
            let answers = SharedAnswers()
            onThreads(2) { number in
                if number == 0 {
                    answers.add(members[0].write())
                } else {
                    TestMember.wait { service.state.withLock { $0.writes[TestMember.domain] } == 1 }
                    redis.signal(SIGCONT)
                }
            }
            #expect(answers.all == [.reply(service.page())])
            let isNew = TestMember.wait { members[1].list().body == service.page() }
            #expect(isNew)
        }
    }
}
