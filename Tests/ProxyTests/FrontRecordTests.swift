import Foundation
import NIOPosix
import NIOTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("What the front records of requests", .timeLimit(.minutes(1)))
struct FrontRecordTests {
    private static let quick = "http: {headTimeout: 300ms}\n"

    /// Waits until a sample at `/metrics` is so much.
    private func expect(_ value: Double, _ sample: String, of gateway: TestGateway) async throws {
        let end = ContinuousClock.now + .seconds(20)
        while try await gateway.metric(sample) != value, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await gateway.metric(sample) == value)
    }

    @Test("connections that end without an answer are counted by their reason")
    func dropped() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + Self.quick) { gateway in
                let silent = try await gateway.client()
                try await expect(1, "jobsproxy_rejected_total{reason=\"head_timeout\"}", of: gateway)
                try await silent.close()
                // The preface of HTTP/2, and what is none of its frames behind it.
                let broken = try await gateway.client()
                await #expect(throws: (any Error).self) {
                    try await broken.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnothing that it could be")
                }
                try await expect(1, "jobsproxy_rejected_total{reason=\"broken_protocol\"}", of: gateway)
                #expect(try await gateway.metric("jobsproxy_rejected_total{reason=\"handshake\"}") == 0)
            }
        }
    }

    @Test("the time that a request took is counted once, whether or not it waited")
    func durations() async throws {
        func count(_ outcome: String) -> String {
            "jobsproxy_request_duration_seconds_count{outcome=\"\(outcome)\"}"
        }
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let miss = try await gateway.page(query())
                #expect(miss.status == 200)
                #expect(try await gateway.metric(count("miss")) == 1)
                #expect(try await gateway.metric(count("hit")) == 0)
                let hit = try await gateway.page(query())
                #expect(hit.fields["cache-status"]?.contains("hit") == true)
                try await expect(1, count("hit"), of: gateway)
                #expect(try await gateway.metric(count("miss")) == 1)
            }
        }
    }

    @Test("there are as many times as requests; scrapes and checks of health are none of them")
    func requests() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url).replacing(
                "rate: 100000, burst: 100000", with: "rate: 0.001, burst: 3")
            try await TestGateway.run(yaml) { gateway in
                for _ in 0..<4 { _ = try await gateway.page(query()) }
                let client = try await gateway.client()
                for path in ["/healthz", "/readyz", "/metrics"] { #expect(try await client.get(path).status == 200) }
                _ = try await client.get("/nothing")
                _ = try await client.get("/")
                _ = try await client.send("GET /metrics HTTP/1.1\r\nHost: rebound.example\r\n\r\n")
                for refused in [
                    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n",
                    "POST http://other.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                ] {
                    let client = try await gateway.client()
                    #expect(try await client.send(refused).status == 400)
                }
                func sum(_ name: String) -> Double {
                    String(decoding: gateway.assembly.registry.render(), as: UTF8.self)
                        .split(separator: "\n").filter { $0.hasPrefix(name) }
                        .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
                }
                // A time is counted when the answer has been sent.
                let end = ContinuousClock.now + .seconds(20)
                while sum("jobsproxy_request_duration_seconds_count") < 9, ContinuousClock.now < end {
                    await Task.yield()
                }
                #expect(sum("jobsproxy_requests_total{") == 9)
                #expect(sum("jobsproxy_request_duration_seconds_count") == 9)
                #expect(sum("jobsproxy_probes_total{") == 3)
                try await client.close()
            }
        }
    }

    /// A line of the access log.
    private struct Line: Decodable {
        let operation: String
        let caller: String
        let outcome: String
        let status: Int
        let detail: String
        let requestId: String

        var text: String { "\(operation) \(caller) \(outcome) \(status) \(detail)" }
    }

    /// So many lines, as soon as they are there: the line of a request that waited is written after its answer.
    private func lines(_ count: Int, of gateway: TestGateway) async throws -> [Line] {
        let log = try #require(gateway.assembly.accessLog)
        var bytes: [UInt8] = []
        let end = ContinuousClock.now + .seconds(20)
        while bytes.count(where: { $0 == UInt8(ascii: "\n") }) < count, ContinuousClock.now < end {
            bytes += log.buffer.take()
            await Task.yield()
        }
        return try bytes.split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Line.self, from: Data($0))
        }
    }

    @Test("the access log has each answer, or only those that are errors", arguments: ["all", "errors"])
    func accessLog(access: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
            try await TestGateway.run(yaml, access: access) { gateway in
                _ = try await gateway.page(query())
                let hit = try await gateway.page(query())
                let client = try await gateway.client()
                let nothing = try await client.get("/nothing")
                _ = try await client.get("/")
                _ = try await client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n")
                let refusals = [
                    "other unknown invalid 404 not-found", "other unknown invalid 405 method-not-allowed",
                    "other unknown invalid 400 content_length",
                ]
                let good = access == "all" ? ["miss", "hit"] : []
                let lines = try await lines(good.count + refusals.count, of: gateway)
                let calls = good.map { "ListFraudsterRegistrationJobs anonymous \($0) 200 " }
                #expect(lines.map(\.text) == calls + refusals)
                let ids = lines.suffix(refusals.count).map(\.requestId)
                #expect(ids.first == nothing.fields["x-amzn-requestid"])
                if access == "all" { #expect(lines.dropFirst().first?.requestId == hit.fields["x-amzn-requestid"]) }
            }
        }
    }

    @Test("the access log names the answer of a request that waited, whatever came behind it on its connection")
    func pipelined() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url), access: "all") { gateway in
                let client = try await gateway.client()
                let reply = try await client.send(
                    "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListDomains\r\nContent-Length: 2\r\n\r\n{}"
                        + "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let lines = try await lines(2, of: gateway)
                #expect(
                    lines.first { $0.operation == "ListDomains" }?.requestId == reply.fields["x-amzn-requestid"])
                #expect(Set(lines.map(\.requestId)).count == 2)
                try await client.close()
            }
        }
    }

    @Test("the access log is written while the gateway waits for its last answers")
    func drain() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("drain-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try await ScriptedOrigin.run({ _, _ in .stall }) { origin in
            let service = TestGateway.service(origin.url, timeouts: "{connect: 1s, attempt: 20s, call: 20s}")
            let yaml =
                "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\nlog: {access: errors}\nhttp: {headTimeout: 1m}\n"
                + service.replacing("drain: 1s", with: "drain: 60s")
            try yaml.write(to: file, atomically: true, encoding: .utf8)
            let program = try TestProgram.start("serve", "--config", file.path, keepsErrors: true)
            do {
                try await drain(program, origin)
            } catch {
                await program.kill()
                throw error
            }
            await program.kill()
        }
    }

    private func drain(_ program: TestProgram, _ origin: ScriptedOrigin) async throws {
        let output = try #require(await program.output(upTo: "Operator:"))
        let address = try #require(output.split(separator: "\n").first { $0.hasPrefix("Callers:") })
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        func connect() async throws -> LoopbackClient {
            try await LoopbackClient(host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
        }
        let (waiting, slow) = (try await connect(), try await connect())
        // The start of another request keeps the connection open through the drain.
        let start = "GET /nothing HTTP/1.1\r\n"
        #expect(try await slow.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + start).status == 200)
        let isAnswered = Mutex(false)
        async let answer: Void = {
            _ = try? await waiting.post("ListDomains", "{}")
            isAnswered.withLock { $0 = true }
        }()
        let end = ContinuousClock.now + .seconds(20)
        while origin.requests.isEmpty, ContinuousClock.now < end { await Task.yield() }
        program.terminate()
        // It has begun to drain when nobody gets in any more.
        while let late = try? await connect(), ContinuousClock.now < end { try await late.close() }
        #expect(try await slow.send("Host: localhost\r\n\r\n").status == 404)
        #expect(await program.errors(upTo: "not-found") != nil)
        #expect(!isAnswered.withLock { $0 }, "it came with the last lines")
        try await waiting.close()
        await answer
    }
}
