import Gateway
import Primitives
import RateLimiter
import TestSupport
import PageCache
import Redis
import Testing

@testable import Cluster

@Suite("A member's mode")
struct MembershipTests {
    private func member(seat: Int? = 1, forget: Int64 = 60 * second, at sent: Int64 = 0) -> Membership {
        var membership = Membership(seats: 4, forget: forget)
        membership.acknowledged(
            sentAt: .at(sent), now: .at(sent + 2_000_000), time: 1_700_000_000_000_000, seat: seat, live: 3, silent: 1,
            generation: "1-a")
        return membership
    }

    @Test("is unknown before the first acknowledgement")
    func unknown() {
        #expect(Membership(seats: 4, forget: second).mode(now: .at(5)) == .unknown)
    }

    @Test("follows from the time since the last one was sent")
    func silence() {
        let modes: [(milliseconds: Int64, mode: Membership.Mode)] = [
            (0, .shared), (2999, .shared), (4049, .shared), (4050, .seated), (59_999, .seated), (60_000, .forgotten),
        ]
        for (milliseconds, mode) in modes { #expect(member().mode(now: .at(milliseconds * 1_000_000)) == mode) }
    }

    @Test("is unknown on another server until the one before has counted it out")
    func otherServer() {
        var membership = member()
        membership.acknowledged(
            sentAt: .at(second), now: .at(second), time: 1_700_000_001_000_000, seat: 1, live: 3, silent: 1,
            generation: "2-b")
        #expect(membership.mode(now: .at(4 * second)) == .unknown)
        membership.acknowledged(
            sentAt: .at(4 * second), now: .at(4 * second), time: 1_700_000_004_000_000, seat: 1, live: 3, silent: 1,
            generation: "2-b")
        #expect(membership.mode(now: .at(4050 * 1_000_000)) == .shared)
    }

    @Test("has no time slots without a seat")
    func seatless() { #expect(member(seat: nil).mode(now: .at(5 * second)) == .forgotten) }

    @Test("knows Redis's clock to half a round trip")
    func clock() {
        let membership = member(at: 10 * second)
        #expect(membership.time(of: .at(10 * second + 1_000_000)) == 1_700_000_000_000_000)
        #expect(membership.instant(of: 1_700_000_001_000_000) == .at(11 * second + 1_000_000))
        #expect(membership.instant(of: .max) == .distantFuture - membership.offset)
    }

    @Test("puts members with one Redis into different slots")
    func cycles() {
        var cycles = (0..<4).map { seat in
            let membership = member(seat: seat, at: Int64(seat) * 7_000_000_000)
            var moved = membership
            // All clocks differ; Redis's is the same.
            moved.note(
                time: 1_700_000_000_000_000, sentAt: .at(Int64(seat) * 7_000_000_000),
                now: .at(Int64(seat) * 7_000_000_000))
            return (moved, moved.cycle(Quota(rate: 2, burst: 2), now: .at(Int64(seat) * 7_000_000_000)))
        }
        var starts: Set<Int64> = []
        for place in cycles.indices {
            let (membership, cycle) = cycles[place]
            let now = MonotonicInstant.at(Int64(place) * 7_000_000_000)
            let group = QuotaGroup<Int>(Quota(rate: 2, burst: 2), maxWait: 60 * second, maxDepth: 9, now: now)
            group.use(.cycle(cycle), now: now)
            let turn = group.turn(of: .caller(0, weight: 1), now: now)
            starts.insert(membership.time(of: turn) / 500_000 % 4)
            cycles[place].1 = cycle
        }
        #expect(starts.count == 4)
    }
}

@Suite("The log's position")
struct LogPositionTests {
    @Test("is joined by one round at a time")
    func rounds() {
        var log = LogPosition()
        let first = log.join()
        #expect(first == 1)
        #expect(log.join() == nil)
        #expect(!log.isJoined)
        log.lose()
        let second = log.join()
        let isLate = log.joined(1, at: "1-0")
        #expect(!isLate)
        let isJoined = log.joined(second ?? 0, at: "2-0")
        #expect(isJoined && log.isJoined && log.last == "2-0")
    }

    @Test(
        "has ids of two numbers",
        arguments: [("5-7", true), ("5", false), ("-", false), ("5-7-9", false), ("a-1", false), ("", false)])
    func ids(text: String, isGood: Bool) { #expect(LogPosition.isID(text) == isGood) }
}

@Suite("Ends of writes that Redis has not got")
struct PendingEndTests {
    @Test("are put together once their answers were delivered, so that they do not grow with an outage")
    func merged() {
        var ends: [PendingEnd] = []
        for number in 0..<1000 {
            ends.add(PendingEnd(id: "\(number)", scopes: "\(number % 3),7", delivery: nil, repliedAt: .at(0)))
        }
        #expect(ends.count == 1)
        #expect(ends.first?.scopes == "0,1,2,7")
    }
}

@Suite("A purge's text")
struct PurgeTextTests {
    @Test(
        "comes back as it was",
        arguments: [
            PurgeRequest(), PurgeRequest(service: "voice-id"),
            PurgeRequest(operation: "a:b", domain: "", status: "ä:1", isSoft: true),
        ])
    func roundTrip(request: PurgeRequest) {
        #expect(PurgeText.request(String(decoding: PurgeText.text(request), as: UTF8.self)) == request)
    }

    @Test("is sealed in the log, and nobody else's is believed")
    func sealed() throws {
        func keys(_ byte: UInt8) throws -> ClusterKeys {
            ClusterKeys(
                ClusterSettings(
                    redis: try RedisSettings(urls: ["redis://localhost"]), name: "a", instances: 1,
                    key: Array(repeating: byte, count: 32), maxWait: 1))
        }
        let request = PurgeRequest(domain: "a domain", isSoft: true)
        let text = String(decoding: PurgeText.sealed(request, try keys(1)), as: UTF8.self)
        #expect(!text.isEmpty && !text.contains("domain"))
        #expect(PurgeText.opened(text, try keys(1)) == request)
        #expect(PurgeText.opened(text, try keys(2)) == nil)
        for faulty in [
            "", "0", "zz", String(text.dropLast(2)), String(decoding: PurgeText.text(request), as: UTF8.self),
        ] {
            #expect(PurgeText.opened(faulty, try keys(1)) == nil)
        }
    }

    @Test(
        "that is none is refused",
        arguments: ["", "0", "-:-:-:-:", "-:-:-:-:2", "9:a-:-:-:0", "-1:a-:-:-:0", "x:-:-:-:0", "-:-:-:-:00"])
    func faulty(text: String) { #expect(PurgeText.request(text) == nil) }
}

@Suite("A member, as it is kept in Redis")
struct MemberFiguresTests {
    @Test("is shown by the times since it was heard and has read the log")
    func shown() throws {
        let member = try #require(
            MemberFigures(name: "a", "4000000 2 7-0 4900000 place", at: 5_000_000, self: "b"))
        #expect(member == MemberFigures(name: "a", seat: 2, silentFor: 1000, lease: 2900, isSelf: false))
    }

    @Test(
        "is none where a number is missing or no script has written it",
        arguments: [
            "", "1 2 3", "x 1 7-0 4 -", "-9223372036854775808 1 7-0 4 -", "4 1 7-0 -9223372036854775808 -",
            "99999999999999999999 1 7-0 4 -", "4 - 7-0 4 -",
        ])
    func faulty(text: String) { #expect(MemberFigures(name: "a", text, at: 5_000_000, self: "a") == nil) }

    @Test("is never longer silent than time has lasted, whatever it says")
    func extremes() {
        let text = "9223372036854775807 -1 7-0 9223372036854775807 -"
        let member = MemberFigures(name: "a", text, at: 0, self: "a")
        #expect(member == MemberFigures(name: "a", seat: nil, silentFor: 0, lease: 3000, isSelf: true))
    }
}

@Suite("Epochs, as a gateway knows them")
struct EpochMirrorTests {
    private let scope = EpochScope.all[3]

    @Test("rise, and the pages from before are refused")
    func rise() {
        var mirror = EpochMirror()
        mirror.join(generation: "1-a", [(3, 10)], latest: 100)
        let old = mirror.stamp(scope)
        #expect(mirror.accepts(old, scope))
        let isNews = mirror.raise(3, to: 11, latest: 100)
        #expect(isNews && !mirror.accepts(old, scope))
        let isKnown = !mirror.raise(3, to: 11, latest: 100)
        #expect(isKnown)
    }

    @Test("make pages void whatever the log tells, and do not follow what no script has written")
    func forged() {
        var mirror = EpochMirror()
        mirror.join(generation: "1-a", [(3, .max)], latest: 100)
        for value in [UInt64.max, 101, 100, 99] {
            let isNews = mirror.raise(3, to: value, latest: 100)
            #expect(isNews)
        }
        #expect(mirror.stamp(scope).scope == 100)
    }

    @Test("never fall while the data are the same")
    func replayed() {
        var mirror = EpochMirror()
        mirror.join(generation: "1-a", [(3, 10)], latest: 100)
        let old = mirror.stamp(scope)
        _ = mirror.raise(3, to: 11, latest: 100)
        mirror.join(generation: "1-a", [(3, 10)], latest: 100)
        #expect(!mirror.accepts(old, scope))
        mirror.join(generation: "2-a", [], latest: 100)
        #expect(mirror.stamp(scope).scope == 0 && !mirror.accepts(old, scope))
    }
}
