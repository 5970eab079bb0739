import Foundation
import Locking
import Primitives
import RateLimiter
import Redis
import TestSupport
import Testing

@testable import Cluster
@testable import Gateway

@Suite("Quotas that gateways share", .enabled(if: FileManager.default.isExecutableFile(atPath: LocalRedis.program)))
struct SharedQuotaTests {
    let redis: LocalRedis
    let service = SharedService()

    init() throws { redis = try LocalRedis() }

    /// Asks for pages that nobody has until a time is over.
    private func load(_ members: [TestMember], seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        let group = DispatchGroup()
        for (number, member) in members.enumerated() {
            for client in 0..<2 {
                group.enter()
                Thread.detachNewThread {
                    var page = 0
                    while Date() < end {
                        page += 1
                        let token = Data("\(number) \(client) \(page)".utf8).base64EncodedString()
                        let body = "{\"DomainId\":\"\(TestMember.domain)\",\"NextToken\":\"\(token)\"}"
                        if case .error = member.ask("ListFraudsterRegistrationJobs", body) { usleep(2000) }
                    }
                    group.leave()
                }
            }
        }
        group.wait()
    }

    /// The most arrivals within a span of nanoseconds.
    private func most(_ arrivals: [MonotonicInstant], within span: Int64) -> Int {
        var (most, first) = (0, 0)
        for last in arrivals.indices {
            while arrivals[last] - arrivals[first] >= span { first += 1 }
            most = max(most, last - first + 1)
        }
        return most
    }

    @Test("are used in full by all together, and never exceeded")
    func healthy() async throws {
        let members = try (0..<3).map { _ in try TestMember(redis, service, rate: 20) }
        for member in members { #expect(member.waitUntilJoined()) }
        load(members, seconds: 4)
        let arrivals = service.arrivals
        #expect(arrivals.count >= 64)
        #expect(most(arrivals, within: second) <= 20 + 2 + 1)
        #expect(most(arrivals, within: 4 * second) <= 4 * 20 + 2)
        for member in members { await member.stop() }
        redis.stop()
    }

    @Test("send nothing before Redis has answered once, and share as soon as it has")
    func lateStart() async throws {
        redis.kill()
        let member = try TestMember(redis, service)
        #expect(member.list() == .error("ThrottlingException"))
        #expect(service.arrivals.isEmpty)
        try redis.start()
        #expect(member.waitUntilJoined())
        #expect(member.list() == .page(service.page(), isHit: false))
        await member.stop()
        redis.stop()
    }

    @Test("go on without Redis in the time slots of each seat, and share again when it is back, even empty")
    func outage() async throws {
        let members = try (0..<3).map { _ in try TestMember(redis, service, rate: 20) }
        for member in members { #expect(member.waitUntilJoined()) }
        let lost = MonotonicInstant.now
        redis.kill()
        load(members, seconds: 7)
        #expect(members.allSatisfy { $0.member.figures.mode == "seated" })
        let arrivals = service.arrivals.filter { $0 > lost + 5 * second }
        // Two seconds of seven: nothing was sent for the first four.
        #expect((20...44).contains(arrivals.count))
        #expect(most(service.arrivals, within: second) <= 20 + 3)
        try redis.start()
        for member in members { #expect(member.waitUntilJoined()) }
        for member in members { await member.stop() }
        redis.stop()
    }

    /// Puts a member into Redis that was last heard of ten seconds ago.
    private func leave(_ seat: Int, at place: [UInt8], of member: TestMember) throws {
        let time = try #require(try redis.call("TIME")?.array?.first?.text.flatMap { Int64($0) })
        let entry = Array("\((time - 10) * 1_000_000) \(seat) 0-0 0 ".utf8) + place
        _ = try redis.call([Array("HSET".utf8), member.member.keys.members, Array("gone".utf8), entry])
    }

    @Test("are shared at once by a gateway that is started again where one has ended without a word")
    func restart() async throws {
        let first = try TestMember(redis, service, instances: 1) { $0.place = "here" }
        #expect(first.waitUntilJoined())
        await first.stop()
        // Its leave may not have come through.
        _ = try redis.call([Array("DEL".utf8), first.member.keys.members])
        try leave(0, at: first.member.placeBytes, of: first)
        let stranger = try TestMember(redis, service, instances: 1) { $0.place = "there" }
        #expect(stranger.waitUntilJoined())
        #expect(stranger.list("abcdefghijABCDEFGHIJ11") == .error("ThrottlingException"))
        await stranger.stop()
        let second = try TestMember(redis, service, instances: 1) { $0.place = "here" }
        #expect(second.waitUntilJoined())
        #expect(second.list() == .page(service.page(), isHit: false))
        #expect(second.member.figures.live == 1 && second.member.figures.silent == 0)
        await second.stop()
        redis.stop()
    }

    @Test("keep to the timetable while one is silent, and leave its slots alone")
    func timetable() async throws {
        let member = try TestMember(redis, service, instances: 3, rate: 20)
        try leave(1, at: [0x2d], of: member)
        #expect(member.waitUntilJoined())
        #expect(TestMember.wait { member.member.figures.silent > 0 })
        load([member], seconds: 3)
        let arrivals = service.arrivals.dropFirst()
        // The others' seats may be in use: the data are new.
        let most = 20
        #expect((most / 2...most).contains(arrivals.count))
        let membership = member.member.state.withLock { $0.membership }
        // The timetable of 20 a second less a tenth and three seats, whose places are 0, 2 and 1.
        let slot = 55_555.56
        let place = try #require(membership.seat) * 2 % 3
        let slots = arrivals.map { Int(Double(membership.time(of: $0)) / slot) }
        #expect(slots.allSatisfy { $0 % 3 == place })
        #expect(Set(slots).count == slots.count)
        await member.stop()
        redis.stop()
    }

    @Test("are granted in spite of keys of another kind", arguments: [true, false])
    func otherKinds(isBucket: Bool) async throws {
        let member = try TestMember(redis, service)
        #expect(member.waitUntilJoined())
        let keys = member.member.keys
        let group = "voice-id/batch"
        #expect(member.list() == .page(service.page(), isHit: false))
        let names = try redis.call([Array("KEYS".utf8), Array("*:q:*".utf8)])?.array?.compactMap(\.text) ?? []
        #expect(names.contains { $0.hasSuffix(group) })
        let name = isBucket ? keys.bucket(group) : keys.cut(group)
        _ = try redis.call([Array("DEL".utf8), name])
        _ = try redis.call([Array("SADD".utf8), name, Array("garbage".utf8)])
        let other = "abcdefghijABCDEFGHIJ11"
        #expect(member.list(other) == .page(service.page(other), isHit: false))
        await member.stop()
        redis.stop()
    }

    @Test("are not used before Redis was reached, and the log says why")
    func notReached() async throws {
        redis.kill()
        let member = try TestMember(redis, service)
        let isTold = TestMember.wait {
            member.events.all.contains { if case .notReached(let reason) = $0 { !reason.isEmpty } else { false } }
        }
        #expect(isTold)
        #expect(member.events.all.count == 1)
        await member.stop()
        redis.stop()
    }

    @Test("are told to the log when gateways have different ones, and when they have the same again")
    func differing() async throws {
        let (one, other) = (try TestMember(redis, service, rate: 1000), try TestMember(redis, service, rate: 500))
        for member in [one, other] {
            #expect(member.waitUntilJoined())
            member.member.compareQuotas()
        }
        let isTold = TestMember.wait {
            one.member.compareQuotas()
            return [one, other].allSatisfy { $0.events.all.contains { $0.groups?.isEmpty == false } }
        }
        #expect(isTold)
        #expect(one.events.all.compactMap(\.groups).first?.contains("voice-id/batch") == true)
        await other.stop()
        let isSame = TestMember.wait {
            one.member.compareQuotas()
            return one.events.all.last?.groups?.isEmpty == true
        }
        #expect(isSame)
        await one.stop()
        redis.stop()
    }

    @Test("are cut for all when the service throttles")
    func cut() async throws {
        let members = try (0..<2).map { _ in try TestMember(redis, service, instances: 2, rate: 20) }
        for member in members { #expect(member.waitUntilJoined()) }
        // The members have come long ago: a change of them keeps a throttle from cutting for a while.
        let keys = members[0].member.keys
        let changes = try #require(try redis.call([Array("GET".utf8), keys.changes])?.text)
        let old = changes.split(separator: " ").dropLast().joined(separator: " ") + " 1"
        _ = try redis.call([Array("SET".utf8), keys.changes, Array(old.utf8)])
        for (id, quota) in members[0].gate.queue.ownGroups {
            members[0].member.slowDown(id, quota, sentAt: .now, now: .now)
        }
        _ = members[1].list()
        let isCut = TestMember.wait {
            _ = members[1].ask(
                "ListFraudsterRegistrationJobs",
                "{\"DomainId\":\"\(TestMember.domain)\",\"NextToken\":\"\(UUID().uuidString)\"}")
            return members[1].gate.queue.groups[0].contains { $0.currentQuota(now: .now).interval > 60_000_000 }
        }
        #expect(isCut)
        for member in members { await member.stop() }
        redis.stop()
    }
}

extension ClusterMember.Event {
    fileprivate var groups: [String]? { if case .differing(let groups) = self { groups } else { nil } }
}
