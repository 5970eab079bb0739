import Foundation
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Metrics that alerts need", .timeLimit(.minutes(1)))
struct AlertMetricTests {
    private static let group = "service=\"voice-id\",group=\"batch\""

    private static func stale(_ reason: String) -> String {
        "jobsproxy_stale_answers_total{service=\"voice-id\",reason=\"\(reason)\"}"
    }

    private static func duration(_ outcome: String) -> String {
        "jobsproxy_request_duration_seconds_count{outcome=\"\(outcome)\"}"
    }

    @Test("are there from the start")
    func fromTheStart() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let text = try await gateway.admin("GET", "/metrics").text
                let samples =
                    ["revalidating", "error", "throttled", "breaker", "quota"].map(Self.stale)
                    + ["hit", "stale", "coalesced", "miss", "pass", "throttled", "denied", "invalid", "failed"]
                    .map(Self.duration)
                    + ["closed", "half_open", "open"].map {
                        "jobsproxy_breaker_transitions_total{service=\"voice-id\",to=\"\($0)\"}"
                    }
                    + [
                        "jobsproxy_quota_throttled_total{\(Self.group)}",
                        "jobsproxy_queue_wait_seconds_count{\(Self.group)}",
                        "jobsproxy_credentials_refreshes_total{service=\"voice-id\",result=\"ok\"}",
                        "jobsproxy_credentials_refreshes_total{service=\"voice-id\",result=\"failed\"}",
                        "jobsproxy_upstream_connections{service=\"voice-id\"}",
                        "jobsproxy_upstream_attempts_total{service=\"voice-id\",operation=\"other\",result=\"timeout\"}",
                        "jobsproxy_requests_total{service=\"other\",operation=\"other\",caller=\"unknown\",outcome=\"failed\"}",
                    ]
                for sample in samples { #expect(text.contains("\n\(sample) 0\n"), "\(sample)") }
                #expect(text.contains("\njobsproxy_connections_limit "))
                let configured = try await gateway.metric("jobsproxy_quota_configured_rate{\(Self.group)}") ?? 0
                #expect(abs(configured - 9800) < 1)
                // There is nothing that could expire.
                #expect(!text.contains("\njobsproxy_credentials_expiry_timestamp_seconds{"))
                #expect(!text.contains("\njobsproxy_certificate_expiry_timestamp_seconds{"))
                #expect(!text.contains("NaN"))
            }
        }
    }

    @Test("tell the outcome of a duration, and why a page past its time was served")
    func staleAnswers() async throws {
        try await ScriptedOrigin.run({ _, index in
            index == 0 ? .reply(body: "{}") : .reply(status: 500, body: "{\"__type\":\"InternalServerException\"}")
        }) { origin in
            let yaml =
                TestGateway.service(origin.url)
                + "cache: {ttl: {default: 0ms}, staleWhileRevalidate: 0ms}\nretry: {maxAttempts: 1}\n"
            try await TestGateway.run(yaml) { gateway in
                let good = try await gateway.page(query())
                #expect(good.status == 200)
                #expect(try await gateway.page(query()).fields["cache-status"]?.contains("detail=error") == true)
                #expect(try await gateway.metric(Self.stale("error")) == 1)
                #expect(try await gateway.metric(Self.stale("revalidating")) == 0)
                #expect(try await gateway.metric(Self.duration("miss")) == 1)
                #expect(try await gateway.metric(Self.duration("stale")) == 1)
                #expect(try await gateway.metric("jobsproxy_upstream_connections{service=\"voice-id\"}") == 1)
                #expect(origin.requests.count == 2)
            }
        }
    }

    @Test("tell which quota group refused, as often as its scope did, and how long others waited for it")
    func quota() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
                .replacing("batch: {rate: 10000, burst: 10000}", with: "batch: {rate: 10, burst: 1}")
                .replacing(
                    "limits: {", with: "limits: {queue: {maxWait: 350ms}, ")
            try await TestGateway.run(yaml) { gateway in
                let statuses = try await withThrowingTaskGroup(of: Int.self) { tasks in
                    for size in 1...8 {
                        tasks.addTask { try await gateway.page(query(more: ",\"MaxResults\":\(size)")).status }
                    }
                    return try await tasks.reduce(into: [Int]()) { $0.append($1) }
                }
                let refused = Double(statuses.count { $0 == 400 })
                let sent = Double(statuses.count { $0 == 200 })
                #expect(refused > 0 && sent > 1)
                #expect(try await gateway.metric("jobsproxy_quota_throttled_total{\(Self.group)}") == refused)
                #expect(try await gateway.metric("jobsproxy_throttled_total{scope=\"quota\"}") == refused)
                #expect(try await gateway.metric("jobsproxy_queue_wait_seconds_count{\(Self.group)}") == sent)
                let wait = try #require(try await gateway.metric("jobsproxy_queue_wait_seconds_sum{\(Self.group)}"))
                #expect(wait > 0 && wait < 0.5 * sent)
            }
        }
    }

    @Test("count each change of a breaker")
    func breaker() async throws {
        try await ScriptedOrigin.run({ _, index in
            index < 2 ? .reply(status: 500, body: "{\"__type\":\"InternalServerException\"}") : .reply(body: "{}")
        }) { origin in
            let yaml =
                TestGateway.service(origin.url)
                + "retry: {maxAttempts: 1}\nbreaker: {failures: 2, openFor: 50ms}\n"
            try await TestGateway.run(yaml) { gateway in
                let end = ContinuousClock.now + .seconds(20)
                var size = 0
                repeat {
                    size = size % 99 + 1
                } while try await gateway.page(query(more: ",\"MaxResults\":\(size)")).status != 200
                    && ContinuousClock.now < end
                for state in ["open", "half_open", "closed"] {
                    let sample = "jobsproxy_breaker_transitions_total{service=\"voice-id\",to=\"\(state)\"}"
                    #expect(try await gateway.metric(sample) == 1, "\(state)")
                }
            }
        }
    }

    @Test("are hidden from callers where they are not to be seen, and never from operators")
    func hidden() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let listen = "listen: {address: \"127.0.0.1:0\", metrics: false}\n"
            try await TestGateway.run(TestGateway.service(origin.url), listen: listen) { gateway in
                let client = try await gateway.client()
                #expect(try await client.get("/metrics").status == 404)
                #expect(try await client.get("/healthz").status == 200)
                try await client.close()
                #expect(try await gateway.admin("GET", "/metrics").status == 200)
            }
        }
    }
}
