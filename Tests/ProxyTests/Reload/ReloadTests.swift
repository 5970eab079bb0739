import Foundation
import GatewayFront
import NIOTestSupport
import Sandbox
import Synchronization
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A reload", .timeLimit(.minutes(2)))
struct ReloadTests {
    private static func callers(_ more: String...) -> String {
        (["callers:"] + more).joined(separator: "\n  - ") + "\n"
    }

    private static let first = "{name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}"
    private static let second = "{name: tester, keys: [{accessKeyId: GWTEST2, secretAccessKey: {env: OTHER_SECRET}}]}"
    private static let other = "{name: other, keys: [{accessKeyId: GWOTHER, secretAccessKey: {env: OTHER_SECRET}}]}"

    private func run(
        _ yaml: String = callers(first), log: LogLines = LogLines(),
        _ body: (TestGateway, SignedClient, ScriptedOrigin, String) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            let service = TestGateway.service(origin.url)
            try await TestGateway.run(service + yaml, log: log) { gateway in
                let client = try await SignedClient(gateway)
                try await body(gateway, client, origin, service)
                try await client.close()
            }
        }
    }

    @Test("knows a new caller at once and a removed one no more; pages stay, and counters go on")
    func callers() async throws {
        try await run { gateway, client, origin, service in
            let stranger = client.with(key: "GWOTHER", secret: "OTHER_SECRET")
            #expect(try await client.page(query()).status == 200)
            #expect(try await stranger.page(query()).status == 403)
            let answer = try await gateway.reload(service + Self.callers(Self.first, Self.other))
            #expect(answer.status == 200)
            #expect(answer.text == "{\"applied\":true,\"changed\":[\"callers.other\"],\"needsRestart\":[]}\n")
            #expect(try await stranger.page(query()).fields["cache-status"]?.contains("hit") == true)
            #expect(try await client.page(query()).fields["cache-status"]?.contains("hit") == true)
            #expect(try await gateway.reload(service + Self.callers(Self.other)).text.contains("callers.tester"))
            #expect(try await client.page(query()).status == 403)
            #expect(try await stranger.page(query()).status == 200)
            #expect(origin.requests.count == 1, "no page was lost")
            let labels = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller="
            func count(_ caller: String) async throws -> Double? {
                try await gateway.metric("jobsproxy_requests_total{\(labels)\"\(caller)\",outcome=\"hit\"}")
            }
            #expect(try await count("tester") == 1)
            #expect(try await count("other") == 2)
            // Who comes back is who it was.
            _ = try await gateway.reload(service + Self.callers(Self.other, Self.first))
            #expect(try await client.page(query()).status == 200)
            #expect(try await count("tester") == 2)
            #expect(try await count("other") == 2)
        }
    }

    @Test("loses no call of busy clients while keys are replaced, a faulty file in between")
    func rotation() async throws {
        let log = LogLines()
        try await run(log: log) { gateway, _, _, service in
            let both = """
                {name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}},
                                      {accessKeyId: GWTEST2, secretAccessKey: {env: OTHER_SECRET}}]}
                """
            let load = Load()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        let own = try await SignedClient(gateway)
                        var failed = 0
                        while true {
                            let (key, isOver) = load.state.withLock { ($0.key, $0.isOver) }
                            if isOver { break }
                            let signer = own.with(key: key, secret: key == "GWTEST1" ? "CALLER_SECRET" : "OTHER_SECRET")
                            let domain = Character(UnicodeScalar(UInt8(65 + number)))
                            if try await signer.page(query(domain: domain)).status != 200 { failed += 1 }
                            load.state.withLock { $0.used[number] = key }
                        }
                        try await own.close()
                        return failed
                    }
                }
                for _ in 0..<5 {
                    for (yaml, key) in [
                        (both, "GWTEST2"), (Self.second, "GWTEST2"), (both, "GWTEST1"), (Self.first, "GWTEST1"),
                    ] {
                        let answer = try await gateway.reload(service + Self.callers(yaml))
                        #expect(answer.status == 200)
                        load.state.withLock { $0.key = key }
                        // Calls that were signed with the other key have been answered then.
                        #expect(await eventually { load.state.withLock { $0.used.count { $0.value == key } } == 16 })
                        #expect(try await gateway.reload("nonsense: [").status == 400)
                    }
                }
                load.state.withLock { $0.isOver = true }
                #expect(try await group.reduce(0, +) == 0)
            }
            // Not the client of the start, whose connection has sent nothing for longer than it may.
            let last = try await SignedClient(gateway)
            #expect(try await last.page(query()).status == 200)
            try await last.close()
            #expect(try await gateway.metric("jobsproxy_config_reloads_total{result=\"ok\"}") == 20)
            #expect(try await gateway.metric("jobsproxy_config_reloads_total{result=\"failed\"}") == 20)
        }
    }

    @Test("of a file with faults changes nothing, and says all of them to everybody")
    func faults() async throws {
        let log = LogLines()
        try await run(log: log) { gateway, client, _, service in
            #expect(try await gateway.metric("jobsproxy_config_last_reload_successful") == 1)
            let answer = try await gateway.reload(
                service + Self.callers(Self.second) + "retry: {maxAttempts: 0}\nlogg: 1\n")
            #expect(answer.status == 400)
            #expect(answer.text.contains("retry.maxAttempts: "))
            #expect(answer.text.contains("logg: unknown key"))
            #expect(log.all.contains { $0.contains("stays as it was") && $0.contains("maxAttempts") })
            #expect(try await gateway.metric("jobsproxy_config_last_reload_successful") == 0)
            #expect(try await client.page(query()).status == 200)
            // A secret that is not there is a fault like another.
            let lost = Self.second.replacing("OTHER_SECRET", with: "NO_SUCH_SECRET")
            #expect(try await gateway.reload(service + Self.callers(lost)).text.contains("'NO_SUCH_SECRET' is not set"))
            #expect(try await client.page(query()).status == 200)
            #expect(try await gateway.reload(service + Self.callers(Self.first)).status == 200)
            #expect(try await gateway.metric("jobsproxy_config_last_reload_successful") == 1)
        }
    }

    @Test("takes all callers away only where the file says so: one that was half written may lack them")
    func lostCallers() async throws {
        try await run { gateway, client, _, service in
            let stranger = try await gateway.client()
            for lost in ["", "callers:\n", "callers: null\n", "anonymous:\n"] {
                let answer = try await gateway.reload(service + lost)
                #expect(answer.status == 400)
                #expect(answer.text.contains("callers: [] "))
                #expect(try await client.page(query()).status == 200)
                #expect(try await stranger.post("ListFraudsterRegistrationJobs", query()).status == 403)
            }
            #expect(try await gateway.reload(service + "anonymous: deny\n").status == 200)
            #expect(try await client.page(query()).status == 403)
            #expect(try await gateway.reload(service + Self.callers(Self.first)).status == 200)
            let answer = try await gateway.reload(service + "callers: []\n")
            #expect(
                answer.text
                    == "{\"applied\":true,\"changed\":[\"callers.tester\",\"anonymous\"],\"needsRestart\":[]}\n")
            #expect(try await stranger.post("ListFraudsterRegistrationJobs", query()).status == 200)
            try await stranger.close()
        }
    }

    @Test("that hangs in a file holds up neither orders of operators nor the end")
    func hanging() async throws {
        let latch = Latch()
        let (isReading, hasRead) = (LockedFlag(), LockedFlag())
        defer { latch.open() }
        try await TestGateway.run("drain: 1s\n") { gateway in
            gateway.file.beforeReading {
                isReading.value = true
                latch.wait()
                hasRead.value = true
            }
            let order = Task { try await gateway.reload("drain: 1s\n") }
            #expect(await eventually { isReading.value })
            let override = try await gateway.admin("POST", "/override?group=batch&rate=1&for=1s")
            #expect(override.status == 200)
            #expect(gateway.assembly.running.parts.overrides.nextEnd != nil)
            #expect(await eventually { gateway.assembly.running.parts.overrides.nextEnd == nil })
            _ = order
        }
        #expect(!hasRead.value, "nothing has waited for the file")
    }

    @Test("applies what it can and names what needs a restart")
    func restart() async throws {
        let log = LogLines()
        try await run(log: log) { gateway, client, _, service in
            let wanted = service.replacing("call: 5s", with: "call: 4s")
            let more = "http: {maxFields: 50}\ncache: {snapshot: /nowhere, ttl: {default: 20s}}\n"
            let answer = try await gateway.reload(wanted + Self.callers(Self.first) + more)
            #expect(
                answer.text == """
                    {"applied":true,"changed":["services.voice-id.timeouts.call","cache.ttl.default"],\
                    "needsRestart":["http.maxFields","cache.snapshot"]}

                    """)
            #expect(log.all.contains { $0.contains("need a restart keys=http.maxFields cache.snapshot") })
            #expect(try await client.page(query()).fields["cache-status"]?.contains("miss") == true)
            let time = try await client.page(query()).fields["cache-status"]?.split(separator: "ttl=").last
            #expect(time.flatMap { Int($0) } ?? 0 > 10)
        }
    }

    @Test("answers requests that wait meanwhile, and counts them")
    func waiting() async throws {
        let latch = Latch()
        try await ScriptedOrigin.run({ _, _ in
            .sequence([.run { latch.wait() }, .reply(body: "{\"JobSummaries\":[]}")])
        }) { origin in
            let service = TestGateway.service(origin.url)
            try await TestGateway.run(service) { gateway in
                async let reply = gateway.page(query())
                #expect(await eventually { origin.requests.count == 1 })
                #expect(try await gateway.reload(service + "cache: {ttl: {default: 1s}}\n").status == 200)
                latch.open()
                let answer = try await reply
                #expect(answer.status == 200)
                let labels = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"anonymous\""
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"miss\"}") == 1)
            }
        }
    }

    @Test("changes the rates of callers and keeps their debts")
    func debts() async throws {
        let limited =
            "callers:\n  - {name: tester, limit: {rate: 0.01, burst: BURST}, "
            + "keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}\n"
        try await run(limited.replacing("BURST", with: "3")) { gateway, client, _, service in
            for _ in 0..<3 { #expect(try await client.page(query()).status == 200) }
            #expect(try await client.page(query()).errorCode == "ThrottlingException")
            let answer = try await gateway.reload(service + limited.replacing("BURST", with: "9"))
            #expect(answer.status == 200)
            #expect(try await client.page(query()).errorCode == "ThrottlingException")
            #expect(try await gateway.reload(service + Self.callers(Self.first)).status == 200)
            #expect(try await eventually { try await client.page(query()).status == 200 })
        }
    }

    @Test("fifty times under load sends the service nothing beyond its quota, and loses no page")
    func quotas() async throws {
        func yaml(_ rate: Double, _ burst: Int, _ depth: Int) -> String {
            "services: [{quotas: {batch: {rate: \(rate), burst: \(burst)}}}]\n"
                + "limits: {caller: {rate: 100000}, queue: {maxWait: 500ms, maxDepth: \(depth)}}\ndrain: 1s\n"
        }
        try await TestGateway.run(yaml(2, 2, 256)) { gateway in
            let sandbox = try #require(gateway.assembly.sandbox?.server)
            let domain = try #require(sandbox.domainIDs.first)
            // A page that is there stays there.
            let kept = "{\"DomainId\":\"\(domain)\"}"
            #expect(try await eventually { try await gateway.page(kept).status == 200 })
            let isOver = LockedFlag()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        var failed = 0
                        let client = try await gateway.client()
                        var size = number
                        while !isOver.value {
                            let reply = try await client.post("ListFraudsterRegistrationJobs", kept)
                            if reply.status != 200 { failed += 1 }
                            size = size % 100 + 1
                            _ = try await client.post(
                                "ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(domain)\",\"MaxResults\":\(size)}")
                        }
                        try await client.close()
                        return failed
                    }
                }
                for round in 0..<50 {
                    let text =
                        round % 10 == 5
                        ? "services: 5\n" : yaml([2, 1, 0.5, 1.5][round % 4], 1 + round % 2, 200 + round)
                    #expect(try await gateway.reload(text).status == (round % 10 == 5 ? 400 : 200))
                    try await Task.sleep(for: .milliseconds(100))
                }
                isOver.value = true
                #expect(try await group.reduce(0, +) == 0)
            }
            #expect(sandbox.throttled.values.allSatisfy { $0 == 0 })
            #expect(sandbox.served["ListFraudsterRegistrationJobs"] ?? 0 > 3)
        }
    }

    @Test("answers later requests with other credentials, and forgets the pages of another key")
    func credentials() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            let other = "{accessKeyId: UPSTREAM2, secretAccessKey: {env: UPSTREAM_SECRET}}"
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                #expect(try await gateway.page(query()).status == 200)
                let answer = try await gateway.reload(TestGateway.service(origin.url, credentials: other))
                #expect(answer.text.contains("\"changed\":[\"services.voice-id.credentials\"]"))
                #expect(
                    try await eventually {
                        try await gateway.page(query()).fields["cache-status"]?.contains("miss") == true
                    })
                #expect(origin.requests.last?["Authorization"]?.contains("UPSTREAM2/") == true)
            }
        }
    }

    @Test("names a catalog whose file was edited, which the start has read")
    func editedCatalog() async throws {
        let file = NSTemporaryDirectory() + "catalog-\(UUID().uuidString).yaml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = try String(contentsOfFile: "Config/catalogs/voice-id.yaml", encoding: .utf8)
        func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
        try write(text)
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url).replacing(
                "catalog: voice-id", with: "catalog: \"\(file)\", name: voice-id")
            try await TestGateway.run(yaml) { gateway in
                let nothing = "{\"applied\":true,\"changed\":[],\"needsRestart\":[]}\n"
                #expect(try await gateway.reload(yaml).text == nothing)
                try write(text)
                #expect(try await gateway.reload(yaml).text == nothing, "another file with the same content")
                try write(text + "# edited\n")
                #expect(
                    try await gateway.reload(yaml).text.contains("\"needsRestart\":[\"services.voice-id.catalog\"]"))
            }
        }
    }

    @Test("is refused where it would open a listener that the restart has not moved yet")
    func exposure() async throws {
        let listen = "listen: {address: \"0.0.0.0:0\"}\n"
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url) + Self.callers(Self.first)
            let running = try #require(configuration(listen + yaml))
            let file = try #require(configuration("listen: {address: \"127.0.0.1:0\"}\nanonymous: allow\n" + yaml))
            #expect(running.reloaded(as: file).effectiveAnonymous == .deny)
            let none = try #require(configuration("listen: {address: \"127.0.0.1:0\"}\n"))
            #expect(running.reloaded(as: none).reloadProblems.map(\.key) == ["listen.address"])
        }
    }
}

/// What busy clients do, and what they have done.
private final class Load: Sendable {
    struct State {
        var key = "GWTEST1"
        var isOver = false
        /// By the client, the key of its last call.
        var used: [Int: String] = [:]
    }

    let state = Mutex(State())
}
