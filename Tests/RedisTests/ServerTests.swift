import Foundation
import Glibc
import TestSupport
import Testing

@testable import Redis

@Suite("A client and redis-server", .enabled(if: RedisServer.program != nil), .serialized)
struct ServerTests {
    private let observer = Observer()

    /// A client that is up.
    private func client(_ settings: RedisSettings) throws -> RedisClient {
        let client = RedisClient.started(settings, observer)
        guard observer.waitForUp() else { throw RedisServer.Failure(log: "\(client.state)") }
        return client
    }

    @Test("over a unix socket: values, order, database, name, blocking reads")
    func basics() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket + "?db=3"))
        defer { client.close() }
        #expect(client.call("PING").text == "PONG")
        let binary = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(client.call(RedisCommand("SET", [[0, 13, 10], binary])).text == "OK")
        #expect(client.call(RedisCommand("GET", [[0, 13, 10]])).value == .bulk(binary))
        #expect(client.call("GET", "none").value == .null)
        #expect(client.call("LPUSH", "l", "a", "b").value == .integer(2))
        #expect(client.call("GET", "l").code == "WRONGTYPE" && client.call("NO").error?.kind == .refused)
        let listed = client.call("CLIENT", "LIST").text ?? ""
        #expect(listed.contains("name=test") && listed.contains("db=3"))

        let replies = Observer()
        for _ in 0..<1_000 { client.send(RedisCommand(text: "INCR", "n"), timeout: 5_000_000_000, replies.note) }
        #expect(replies.waitForReplies(1_000))
        #expect(replies.allReplies.compactMap { $0.value?.integer } == Array(1...1_000))

        let log = try RedisClient.connected(.quick(server.socket + "?db=3"))
        defer { log.close() }
        let read = RedisCommand(text: "XREAD", "BLOCK", "20", "STREAMS", "log", "$")
        #expect(log.call(read).value == .null)
        log.send(
            RedisCommand(text: "XREAD", "BLOCK", "4000", "STREAMS", "log", "0"), timeout: 5_000_000_000, replies.note)
        #expect(client.call("XADD", "log", "*", "k", "v").text != nil)
        #expect(replies.waitForReplies(1_001))
        #expect(replies.allReplies.last?.value?.array?.first?.array?.first?.text == "log")
        #expect(client.counters.connections == 1 && client.state == .up)
    }

    @Test("with a password, and with users of few rights")
    func users() throws {
        let server = try RedisServer(
            "--requirepass sesame --user app on >tahini ~* +@all -role --user poor on >p ~* +get +client"
                .split(separator: " ").map(String.init))
        defer { server.stop() }
        let path = server.socket.dropFirst("unix://".count)
        let client = try client(.quick("unix://:sesame@\(path)"))
        #expect(client.call("PING").text == "PONG")
        client.close()
        for (user, password, what) in [
            ("", "wrong", "WRONGPASS"), ("poor", "p", "+role"), ("nobody", "sesame", "WRONGPASS"),
        ] {
            let refused = RedisClient.started(try .quick("unix://\(user):\(password)@\(path)"))
            #expect(refused.waitForReason { $0.kind == .configuration && "\($0)".contains(what) }, "\(refused.state)")
            refused.close()
        }
        let anonymous = RedisClient.started(try .quick(server.socket))
        #expect(
            anonymous.waitForReason { $0.kind == .configuration && "\($0)".contains("NOAUTH") }, "\(anonymous.state)")
        anonymous.close()

        let app = Observer()
        let second = RedisClient.started(try .quick(server.socket, username: "app", password: "tahini"), app)
        defer { second.close() }
        #expect(app.waitForUp())
        #expect(second.call("ROLE").error?.kind == .configuration)
        #expect(second.call("PING").text == "PONG", "a refused command leaves the connection as it is")
        #expect(second.counters == RedisCounters(connections: 1))
    }

    @Test("over TLS: the authority, the name and the client's certificate are verified")
    func tls() throws {
        let files = try RedisCertificates()
        let port = try RedisServer.freePort()
        let arguments = { (name: String, port: Int) in
            [
                "--tls-port", "\(port)", "--tls-cert-file", files.certificate(name), "--tls-key-file", files.key(name),
                "--tls-ca-cert-file", files.authority, "--tls-auth-clients", "yes",
            ]
        }
        let server = try RedisServer(arguments("server", port))
        defer { server.stop() }
        let full = RedisTLS(
            caBundle: files.authority, certificate: files.certificate("client"), key: files.key("client"))
        let url = "rediss://127.0.0.1:\(port)"
        let client = try client(.quick(url, tls: full))
        defer { client.close() }
        #expect(client.call("PING").text == "PONG")
        let large = [UInt8](repeating: 7, count: 1 << 20)
        #expect(client.call(RedisCommand("SET", [[1], large])).text == "OK")
        #expect(client.call(RedisCommand("GET", [[1]])).value == .bulk(large))

        var named = full
        named.serverName = "redis.test"
        let second = Observer()
        let secondClient = RedisClient.started(try .quick(url, tls: named), second)
        #expect(second.waitForUp())
        secondClient.close()

        var stranger = full
        stranger.caBundle = files.certificate("other")
        var misnamed = full
        misnamed.serverName = "elsewhere.test"
        var missing = full
        missing.caBundle = files.directory + "/none.pem"
        let anonymous = RedisTLS(caBundle: files.authority)
        for (tls, what) in [
            (stranger, "its certificate is not trusted"), (misnamed, "not for the name 'elsewhere.test'"),
            (anonymous, "it wants a client certificate"),
            (missing, "none.pem: cannot be opened"),
        ] {
            let observer = Observer()
            let refused = RedisClient.started(try .quick(url, tls: tls), observer)
            #expect(refused.waitForReason { "\($0)".contains(what) }, "\(refused.state)")
            #expect(!observer.allStates.contains(.up))
            refused.close()
        }
        let plain = RedisClient.started(try .quick("redis://127.0.0.1:\(port)"))
        #expect(plain.waitForReason { _ in true }, "\(plain.state)")
        plain.close()
    }

    @Test("a killed server is down, and up again when it is back")
    func restart() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket))
        defer { client.close() }
        for round in 1...3 {
            let replies = Observer()
            client.send(RedisCommand(text: "BLPOP", "k", "0"), timeout: 60_000_000_000, replies.note)
            #expect(client.state == .up)
            server.kill()
            #expect(replies.waitForReplies(1) && observer.waitForDown(round))
            // The loop may learn of the end before it sends the command.
            switch replies.allReplies[0].error {
            case .connectionLost, .notConnected: break
            default: Issue.record("\(replies.allReplies)")
            }
            #expect(client.call("GET", "a").error == .notConnected)
            try server.start()
            #expect(observer.waitForUp(round + 1))
            #expect(client.call("PING").text == "PONG")
        }
        #expect(client.counters == RedisCounters(connections: 4, losses: 3))
    }

    @Test("a stopped server is down after one timeout, and up again when it goes on")
    func stopped() throws {
        let server = try RedisServer(usesPort: true)
        defer { server.stop() }
        let client = try client(.quick(server.url) { $0.connectTimeout = 50_000_000 })
        defer { client.close() }
        server.signal(SIGSTOP)
        let replies = Observer()
        for _ in 0..<5 { client.send(RedisCommand(text: "INCR", "n"), timeout: 100_000_000, replies.note) }
        #expect(replies.waitForReplies(5))
        #expect(replies.allReplies.map(\.error) == [RedisError?](repeating: .timeout, count: 5))
        #expect(observer.waitForDown() && client.call("PING").error == .notConnected)
        #expect(client.waitForReason { "\($0)".contains("no reply in time") })
        server.signal(SIGCONT)
        #expect(observer.waitForUp(2))
        #expect(client.call("PING").text == "PONG")
        #expect(client.counters.losses == 1)
    }

    @Test("a primary that becomes a replica is left, and found again as a primary")
    func replica() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket))
        defer { client.close() }
        let lax = try RedisClient.connected(.quick(server.socket) { $0.requiresPrimary = false })
        defer { lax.close() }
        // Its primary is a port that nothing listens at.
        #expect(client.call("REPLICAOF", "127.0.0.1", "1").text == "OK")
        #expect(client.call("SET", "a", "b").code == "READONLY")
        #expect(observer.waitForDown() && client.waitForReason { $0 == .notPrimary("replica") })
        #expect(lax.call("REPLICAOF", "NO", "ONE").text == "OK")
        #expect(observer.waitForUp(2))
        #expect(client.call("SET", "a", "b").text == "OK")
    }

    @Test("a full server refuses what needs memory, also within scripts, and stays connected")
    func memory() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket))
        defer { client.close() }
        let script = RedisScript("return redis.call('set', KEYS[1], ARGV[1])")
        #expect(client.run(script, keys: ["a"], arguments: ["1"]).text == "OK")
        #expect(client.call("CONFIG", "SET", "maxmemory", "1").text == "OK")
        for reply in [client.call("SET", "a", "b"), client.run(script, keys: ["a"], arguments: ["2"])] {
            #expect(reply.code == "OOM" && reply.error?.isDown == true)
        }
        #expect(client.call("GET", "a").text == "1" && client.counters.connections == 1)
    }

    @Test("scripts are sent by their digest, and whole when the server has forgotten them")
    func scripts() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket))
        defer { client.close() }
        let script = RedisScript("return {KEYS[1], ARGV[1], redis.call('incr', 'n')}")
        for number in 1...3 {
            #expect(
                client.run(script, keys: ["k"], arguments: ["v"]).value
                    == .array([.bulk([0x6b]), .bulk([0x76]), .integer(Int64(number))]))
            if number == 2 { #expect(client.call("SCRIPT", "FLUSH").text == "OK") }
        }
        let statistics = client.call("INFO", "commandstats").text ?? ""
        #expect(statistics.contains("cmdstat_eval:calls=2,") && statistics.contains("cmdstat_evalsha:calls=3,"))
        #expect(client.run(RedisScript("return redis.call('get')")).error?.kind == .refused)
        #expect(client.run(RedisScript("syntax error")).error?.kind == .refused)
    }

    @Test("a script that hangs makes the server busy, which is down")
    func busy() throws {
        let server = try RedisServer(["--lua-time-limit", "1"])
        defer { server.stop() }
        let client = try client(.quick(server.socket) { $0.pauses = 0...1_000_000 })
        defer { client.close() }
        #expect(
            client.call(RedisCommand(text: "EVAL", "while true do end", "0"), timeout: 50_000_000).error == .timeout)
        #expect(client.waitForReason { if case .server(let error) = $0 { error.code == "BUSY" } else { false } })
        let admin = try #require(RawConnection(server.directory + "/socket"))
        #expect(admin.call("SCRIPT", "KILL") == "+OK\r\n")
        #expect(observer.waitForUp(2))
    }

    @Test("an unconfigured cluster is down; a configured one is used like a server")
    func cluster() throws {
        let server = try RedisServer(["--cluster-enabled", "yes"], usesPort: true, below: 55_536)
        defer { server.stop() }
        let client = try client(.quick(server.url))
        defer { client.close() }
        #expect(client.call("SET", "{a}1", "x").code == "CLUSTERDOWN")
        #expect(observer.waitForUp(2))
        #expect(client.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383").text == "OK")
        // It tells that it is up a moment later, and the client connects anew after each refusal.
        let end = Date(timeIntervalSinceNow: 8)
        while client.call("SET", "{a}1", "x").text != "OK", Date() < end {}
        let script = RedisScript("return redis.call('get', KEYS[1]) .. (redis.call('get', KEYS[2]) or '-')")
        #expect(client.run(script, keys: ["{a}1", "{a}2"]).text == "x-")
        #expect(client.run(script, keys: ["{a}1", "{b}2"]).error?.kind == .refused)
    }

    @Test("a thousand reconnections leave no descriptor behind")
    func reconnections() throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = try client(.quick(server.socket) { $0.pauses = 0...0 })
        let before = openDescriptors()
        for round in 1...1_000 {
            _ = client.call("QUIT")
            guard observer.waitForUp(round + 1) else {
                Issue.record("not up after round \(round)")
                return
            }
        }
        #expect(client.counters.connections == 1_001)
        // Clients of other tests may still be closing theirs.
        #expect(openDescriptors() <= before + 1, "\(before)")
        client.close()
    }
}
