import Foundation
import Glibc
import TestSupport
import Testing

@testable import Redis

@Suite("The way to the primary", .serialized)
struct PrimaryTests {
    private let observer = Observer()

    private static func reply(_ words: String...) -> String {
        "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
    }

    /// A server that answers `GET` with its name.
    private static func named(_ name: String, role: String = "master") throws -> FakeRedis {
        try FakeRedis { peer in
            guard peer.greet(as: role) else { return }
            while peer.command() != nil { peer.send("+\(name)\r\n") }
        }
    }

    @Test("sentinels are asked in turn: one that is silent, one that knows nothing, one that refuses, one that knows")
    func sentinels() throws {
        let primary = try Self.named("primary")
        defer { primary.stop() }
        let port = "\(primary.port)"
        let silent = try FakeRedis { $0.waitForEnd() }
        let ignorant = try FakeRedis { peer in
            while peer.command() != nil { peer.send("*-1\r\n") }
        }
        let refusing = try FakeRedis { peer in
            while peer.command() != nil { peer.send("-NOAUTH Authentication required.\r\n") }
        }
        let knowing = try FakeRedis { peer in
            while let words = peer.command() {
                switch words {
                case ["AUTH", "watch", "sesame"]: peer.send("+OK\r\n")
                case ["SENTINEL", "get-master-addr-by-name", "m"]: peer.send(Self.reply("127.0.0.1", port))
                default: peer.send("-ERR \(words)\r\n")
                }
            }
        }
        let all = [silent, ignorant, refusing, knowing]
        defer { for fake in all { fake.stop() } }
        let client = RedisClient.started(
            try .quick(
                silent.url, ignorant.url, refusing.url, "redis://watch:sesame@127.0.0.1:\(knowing.port)", master: "m",
                change: { $0.connectTimeout = 50_000_000 }), observer)
        defer { client.close() }
        #expect(observer.waitForUp())
        #expect(client.call("GET").text == "primary")
        for fake in all { #expect(fake.waitForEnds(1), "a sentinel's connection is closed") }
    }

    @Test("that no sentinel knows is told")
    func unknown() throws {
        let ignorant = try FakeRedis { peer in
            while peer.command() != nil { peer.send("*-1\r\n") }
        }
        defer { ignorant.stop() }
        let client = RedisClient.started(try .quick(ignorant.url, master: "m"), observer)
        defer { client.close() }
        #expect(client.waitForReason { $0.kind == .configuration && "\($0)".contains("knows no master 'm'") })
    }

    @Test("a sentinel that still names a replica is asked again")
    func failover() throws {
        let old = try Self.named("old", role: "slave")
        let new = try Self.named("new")
        let (first, second) = ("\(old.port)", "\(new.port)")
        let sentinel = try FakeRedis { peer in
            while peer.command() != nil { peer.send(Self.reply("127.0.0.1", peer.number < 3 ? first : second)) }
        }
        defer { for fake in [old, new, sentinel] { fake.stop() } }
        let client = RedisClient.started(try .quick(sentinel.url, master: "m"), observer)
        defer { client.close() }
        #expect(observer.waitForUp())
        #expect(client.call("GET").text == "new")
        #expect(observer.allStates.map(\.isUp) == [false, true])
        guard case .down(_, .notPrimary("replica")) = observer.allStates[0] else {
            Issue.record("\(observer.allStates)")
            return
        }
    }

    @Test("MOVED leads to another node until that is lost")
    func moved() throws {
        let node = try FakeRedis { peer in
            guard peer.greet(), peer.command() != nil else { return }
            peer.send("+node\r\n")
            _ = peer.command()
        }
        let port = node.port
        let seed = try FakeRedis { peer in
            guard peer.greet() else { return }
            while peer.command() != nil { peer.send(peer.number == 0 ? "-MOVED 3999 :\(port)\r\n" : "+seed\r\n") }
        }
        defer { for fake in [node, seed] { fake.stop() } }
        let client = RedisClient.started(try .quick(seed.url), observer)
        defer { client.close() }
        #expect(observer.waitForUp())
        let reply = client.call("GET")
        #expect(reply.code == "MOVED" && reply.error?.isDown == true)
        #expect(observer.waitForUp(2))
        #expect(client.call("GET").text == "node")
        guard case .connectionLost = client.call("GET").error else {
            Issue.record("no loss")
            return
        }
        #expect(observer.waitForUp(3))
        #expect(client.call("GET").text == "seed")
    }

    @Test("a name that is not found is a failed attempt")
    func name() throws {
        let client = RedisClient.started(try .quick("redis://nowhere.invalid") { $0.connectTimeout = 300_000_000 })
        defer { client.close() }
        #expect(client.call("GET").error == .notConnected)
        #expect(
            client.waitForReason {
                if case .unreachable(let text) = $0 { text.contains("nowhere.invalid") } else { false }
            })
    }

    @Test("redis-sentinel's failover is followed", .enabled(if: RedisServer.program != nil))
    func realFailover() throws {
        let primary = try RedisServer(["--repl-diskless-sync-delay", "0"], usesPort: true)
        defer { primary.stop() }
        let replica = try RedisServer(["--replicaof", "127.0.0.1", "\(primary.port)"], usesPort: true)
        defer { replica.stop() }
        // The sentinel learns of the replica from the primary, once.
        let setUp = try RedisClient.connected(.quick(primary.url))
        defer { setUp.close() }
        let end = Date(timeIntervalSinceNow: 8)
        while setUp.call("WAIT", "1", "100").value?.integer != 1, Date() < end {}
        let sentinel = try RedisServer(
            ["--sentinel"], usesPort: true,
            configuration: [
                "sentinel monitor m 127.0.0.1 \(primary.port) 1", "sentinel down-after-milliseconds m 100",
                "sentinel failover-timeout m 3000", "requirepass watch",
            ])
        defer { sentinel.stop() }
        let client = RedisClient.started(
            try .quick("redis://:watch@127.0.0.1:\(sentinel.port)", master: "m"), observer)
        defer { client.close() }
        #expect(observer.waitForUp(), "\(client.state) \(sentinel.log)")
        #expect(client.call("SET", "a", "b").text == "OK" && client.call("WAIT", "1", "1000").value == .integer(1))
        let admin = RedisClient.started(try .quick("redis://:watch@127.0.0.1:\(sentinel.port)"))
        #expect(
            admin.waitForReason { "\($0)".contains("is a sentinel") }, "a sentinel's URL without the primary's name")
        admin.close()
        // Shorter periods (version 7): everything else waits for seconds.
        let raw = try #require(RawConnection(sentinel.directory + "/socket"))
        _ = raw.call("AUTH", "watch")
        _ = raw.call(
            "SENTINEL", "DEBUG", "INFO-PERIOD", "50", "PING-PERIOD", "50", "ASK-PERIOD", "50", "PUBLISH-PERIOD", "50",
            "ELECTION-TIMEOUT", "100")
        let known = Date(timeIntervalSinceNow: 8)
        while !sentinel.log.contains("+slave"), Date() < known { usleep(5_000) }
        primary.kill()
        #expect(observer.waitForDown() && observer.waitForUp(2, seconds: 20), "\(client.state) \(sentinel.log)")
        #expect(client.call("GET", "a").text == "b")
        #expect(client.call("CONFIG", "GET", "port").value?.array?.last?.text == "\(replica.port)")
    }
}
