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
        let metric = "jobsproxy_request_duration_seconds_count"
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let miss = try await gateway.page(query())
                #expect(miss.status == 200)
                // What shows the metrics is a request too, counted after it has been answered.
                let afterMiss = try await gateway.metric(metric)
                #expect(afterMiss == 1)
                let hit = try await gateway.page(query())
                #expect(hit.fields["cache-status"]?.contains("hit") == true)
                let afterHit = try await gateway.metric(metric)
                #expect(afterHit == 3)
            }
        }
    }
}
