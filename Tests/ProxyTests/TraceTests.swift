import Foundation
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Traces of requests", .timeLimit(.minutes(2)))
struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let caller = "00f067aa0ba902b7"

    private func ask(_ gateway: TestGateway, _ body: String, fields: String) async throws -> HTTPReply {
        let client = try await gateway.client()
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n\(fields)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }

    private func traced(_ flags: String) -> String {
        "traceparent: 00-\(Self.trace)-\(Self.caller)-\(flags)\r\ntracestate: a=1\r\nTraceState: b=2\r\n"
    }

    /// A gateway before an origin, and a collector that keeps what it is sent, in order.
    private func run(
        sample: String = "0", more: String = "",
        origin script: @escaping @Sendable (ScriptedOrigin.Request, Int) -> ScriptedOrigin.Step =
            { _, _ in .reply(fields: [("x-amzn-RequestId", "upstream-1")], body: "{}") },
        collector answer: ScriptedOrigin.Step = .reply(body: "{}"),
        _ body: (TestGateway, ScriptedOrigin, ScriptedOrigin) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in answer }) { collector in
            try await ScriptedOrigin.run(script) { origin in
                let yaml =
                    TestGateway.service(origin.url)
                    + "tracing: {sample: \(sample), endpoint: \"\(collector.url)/v1/traces\"}\n" + more
                try await TestGateway.run(yaml) { try await body($0, origin, collector) }
            }
        }
    }

    private struct Exported: Decodable {
        let resourceSpans: [ResourceSpans]
        struct ResourceSpans: Decodable { let scopeSpans: [ScopeSpans] }
        struct ScopeSpans: Decodable { let spans: [Span] }
    }

    private struct Span: Decodable {
        let traceId: String
        let spanId: String
        let parentSpanId: String?
        let traceState: String?
        let name: String
        let kind: Int
        let startTimeUnixNano: String
        let endTimeUnixNano: String
        let attributes: [Attribute]
        let links: [Link]?
        let status: Status?
        struct Attribute: Decodable { let key: String; let value: Value }
        struct Value: Decodable { let stringValue: String?; let intValue: String? }
        struct Link: Decodable { let traceId: String; let spanId: String }
        struct Status: Decodable { let code: Int; let message: String }

        subscript(key: String) -> String? {
            attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
        }
    }

    /// So many spans, once the collector has them.
    private func spans(_ count: Int, of collector: ScriptedOrigin) async throws -> [Span] {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            let spans = try collector.requests.flatMap { request in
                try JSONDecoder().decode(Exported.self, from: Data(request.body))
                    .resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) }
            }
            if spans.count >= count || ContinuousClock.now > end { return spans }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test(
        "have a span for the request, its queue, each attempt and the reading of each reply; the service gets the attempt's"
    )
    func miss() async throws {
        let failing = "{\"__type\":\"InternalServerException\"}"
        try await run(origin: { _, index in
            index == 0
                ? .reply(status: 500, fields: [("x-amzn-RequestId", "upstream-0")], body: failing)
                : .reply(fields: [("x-amzn-RequestId", "upstream-1")], body: "{}")
        }) { gateway, origin, collector in
            let reply = try await ask(gateway, query(), fields: traced("01"))
            #expect(reply.status == 200)
            let spans = try await spans(7, of: collector)
            #expect(spans.count == 7)
            #expect(spans.allSatisfy { $0.traceId == Self.trace && $0.traceState == "a=1,b=2" })
            let server = try #require(spans.first { $0.kind == 2 })
            #expect(server.parentSpanId == Self.caller && server.name == "voice-id/ListFraudsterRegistrationJobs")
            #expect(server["aws.request_id"] == reply.fields["x-amzn-requestid"])
            #expect(server["http.response.status_code"] == "200" && server["rpc.system"] == "aws-api")
            #expect(server["rpc.method"] == "ListFraudsterRegistrationJobs" && server["jobsproxy.outcome"] == "miss")
            let children = spans.filter { $0.kind != 2 }
            #expect(children.allSatisfy { $0.parentSpanId == server.spanId })
            #expect(children.map(\.name).sorted() == ["attempt", "attempt", "parse", "parse", "queue", "queue"])
            let attempts = children.filter { $0.name == "attempt" }
            #expect(attempts.map { $0["aws.request_id"] } == ["upstream-0", "upstream-1"])
            #expect(attempts.map { $0["http.response.status_code"] } == ["500", "200"])
            #expect(attempts.first?.status?.message == "InternalServerException" && attempts.last?.status == nil)
            for span in spans { #expect(span.startTimeUnixNano <= span.endTimeUnixNano) }
            // The same ids have gone to the service, unsigned.
            for (request, attempt) in zip(origin.requests, attempts) {
                #expect(request["traceparent"] == "00-\(Self.trace)-\(attempt.spanId)-01")
                #expect(request["tracestate"] == "a=1,b=2")
                #expect(request["authorization"]?.contains("trace") == false)
            }
            let end = ContinuousClock.now + .seconds(20)
            let exported = "jobsproxy_traces_total{result=\"exported\"}"
            while try await gateway.metric(exported) != 7, ContinuousClock.now < end {}
            #expect(try await gateway.metric(exported) == 7)
        }
    }

    @Test("of a hit have one span, and none if the caller has not sampled it")
    func hit() async throws {
        try await run { gateway, origin, collector in
            _ = try await ask(gateway, query(), fields: traced("00"))
            _ = try await ask(gateway, query(), fields: traced("00"))
            let reply = try await ask(gateway, query(), fields: traced("01"))
            let spans = try await spans(1, of: collector)
            #expect(spans.map { $0["jobsproxy.outcome"] } == ["hit"])
            #expect(spans.first?["aws.request_id"] == reply.fields["x-amzn-requestid"])
            let parent = try #require(origin.requests.first?["traceparent"])
            #expect(parent.hasPrefix("00-\(Self.trace)-") && parent.hasSuffix("-00") && !parent.contains(Self.caller))
        }
    }

    @Test(
        "begin here for requests that have none, as often as is configured; broken ones are none",
        arguments: [
            "", "traceparent: 00-\(Self.trace)-0000000000000000-00\r\ntracestate: a=1\r\n",
            // Which of two is the client's is not known.
            "traceparent: 00-\(Self.trace)-\(Self.caller)-01\r\nTraceparent: 00-\(Self.trace)-\(Self.caller)-01\r\n",
        ])
    func begun(fields: String) async throws {
        try await run(sample: "1") { gateway, origin, collector in
            _ = try await ask(gateway, query(), fields: fields)
            let spans = try await spans(4, of: collector)
            let server = try #require(spans.first { $0.kind == 2 })
            #expect(server.parentSpanId == nil && server.traceId != Self.trace)
            #expect(origin.requests.first?["traceparent"]?.hasPrefix("00-\(server.traceId)-") == true)
            #expect(origin.requests.first?["tracestate"] == nil)
        }
    }

    @Test("of requests that share a flight are linked")
    func followers() async throws {
        try await run(
            origin: { _, _ in .trickle(body: "{\"JobSummaries\":[]}", bytes: 4, milliseconds: 60) }
        ) { gateway, origin, collector in
            let other = "0123456789abcdef0123456789abcdef"
            async let leader = ask(gateway, query(), fields: traced("01"))
            let end = ContinuousClock.now + .seconds(20)
            while origin.requests.isEmpty, ContinuousClock.now < end { await Task.yield() }
            let follower = try await ask(
                gateway, query(), fields: "traceparent: 00-\(other)-\(Self.caller)-01\r\n")
            #expect(try await leader.status == 200 && follower.status == 200)
            let spans = try await spans(5, of: collector)
            let first = try #require(spans.first { $0.kind == 2 && $0.traceId == Self.trace })
            let second = try #require(spans.first { $0.kind == 2 && $0.traceId == other })
            #expect(second["jobsproxy.outcome"] == "coalesced")
            #expect(second.links?.map { [$0.traceId, $0.spanId] } == [[Self.trace, first.spanId]])
            #expect(first.links == nil)
        }
    }

    @Test("are examples of durations at /metrics, in OpenMetrics as its own library reads it, packed or not")
    func exemplars() async throws {
        try await run { gateway, _, collector in
            let reply = try await ask(gateway, query(), fields: traced("01"))
            #expect(reply.status == 200)
            _ = try await spans(4, of: collector)
            let text = try await Python.run("read_metrics.py", ["\(gateway.url)/metrics"])
            #expect(text == "miss \(Self.trace)\n")
        }
    }

    @Test("go on to the service where none is recorded, and none is begun")
    func off() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                _ = try await ask(gateway, query(), fields: traced("01"))
                _ = try await ask(gateway, query(domain: "B"), fields: "")
                let parents = origin.requests.map { $0["traceparent"] }
                #expect(parents.first??.hasPrefix("00-\(Self.trace)-") == true)
                #expect(parents.first??.contains(Self.caller) == false)
                #expect(parents.last == .some(nil))
            }
        }
    }

    @Test(
        "wait for nobody: a collector that does not answer holds no call",
        arguments: [
            ScriptedOrigin.Step.stall, .reply(status: 503, body: "no"),
        ])
    func dead(answer: ScriptedOrigin.Step) async throws {
        try await run(sample: "1", collector: answer) { gateway, _, collector in
            for size in 1...50 {
                let start = ContinuousClock.now
                #expect(try await ask(gateway, query(more: ",\"MaxResults\":\(size)"), fields: "").status == 200)
                #expect(ContinuousClock.now - start < .seconds(2))
            }
            if case .reply = answer {
                let end = ContinuousClock.now + .seconds(20)
                let failed = "jobsproxy_traces_total{result=\"failed\"}"
                while try await gateway.metric(failed) == 0, ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await gateway.metric(failed) ?? 0 > 0)
            }
        }
    }

    @Test("are what the published definitions of OTLP say")
    func definitions() async throws {
        try await run(origin: { _, index in
            index == 0 ? .reply(status: 500, body: "{\"__type\":\"InternalServerException\"}") : .reply(body: "{}")
        }) { gateway, _, collector in
            _ = try await ask(gateway, query(), fields: traced("01"))
            _ = try await spans(7, of: collector)
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("spans-\(UUID().uuidString).jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            let lines = collector.requests.map { $0.text + "\n" }.joined()
            try Data(lines.utf8).write(to: file)
            #expect(try await Python.run("read_traces.py", [file.path]) == "7 spans of 1 trace, from jobs-proxy\n")
            #expect(collector.requests.allSatisfy { $0["content-type"] == "application/json" && $0.method == "POST" })
        }
    }
}
