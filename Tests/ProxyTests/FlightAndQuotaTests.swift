import Gateway
import Glibc
import NIOTestSupport
import PageCache
import Sandbox
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Flights and quotas", .timeLimit(.minutes(1)))
struct FlightAndQuotaTests {
    @Test("a hundred callers that miss the same page make one request, and each has an id of its own")
    func oneFlight() async throws {
        try await ScriptedOrigin.run({ _, _ in
            .trickle(body: "{\"JobSummaries\":[]}", bytes: 5, milliseconds: 30)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    for _ in 0..<100 { group.addTask { try await gateway.page(query()) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.allSatisfy { $0.status == 200 && $0.text == "{\"JobSummaries\":[]}" })
                #expect(Set(replies.compactMap { $0.fields["x-amzn-requestid"] }).count == 100)
                #expect(origin.requests.count == 1)
            }
        }
    }

    @Test("a flight's failure reaches all who wait for it, as it is")
    func failedFlight() async throws {
        let body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}"
        try await ScriptedOrigin.run({ _, _ in .reply(status: 400, body: body) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                    for _ in 0..<20 { group.addTask { try await gateway.page(query()) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(replies.allSatisfy { $0.status == 400 && $0.text == body })
            }
        }
    }

    @Test("fifty different pages at once never overrun the quota of the service; those without a token are told when")
    func quota() async throws {
        try await TestGateway.run("limits: {caller: {rate: 1000}}\ndrain: 1s\n") { gateway in
            let sandbox = try #require(gateway.assembly.sandbox?.server)
            let domain = try #require(sandbox.domainIDs.first)
            let replies = try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                for size in 1...50 {
                    group.addTask { try await gateway.page("{\"DomainId\":\"\(domain)\",\"MaxResults\":\(size)}") }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(sandbox.throttled.values.allSatisfy { $0 == 0 })
            let refused = replies.filter { $0.status != 200 }
            // A bucket that starts empty fills at 1.96 a second, and nobody waits longer than two seconds.
            #expect(refused.count >= 44)
            #expect(sandbox.served["ListFraudsterRegistrationJobs"] == UInt64(50 - refused.count))
            for reply in refused {
                #expect(reply.status == 400)
                #expect(
                    reply.text.hasPrefix("{\"__type\":\"com.amazonaws.voiceid#ThrottlingException\",\"Message\":\""))
                #expect(reply.fields["x-amzn-errortype"] == "ThrottlingException")
                let milliseconds = try #require(reply.fields["x-amz-retry-after"].flatMap { Int($0) })
                let seconds = try #require(reply.fields["retry-after"].flatMap { Int($0) })
                #expect(milliseconds > 0)
                #expect(seconds == max(1, (milliseconds + 999) / 1000))
            }
            let throttled = try await gateway.metric("jobsproxy_throttled_total{scope=\"quota\"}")
            #expect(throttled == Double(refused.count))
        }
    }

    @Test("a caller that asks too often is told which limit it was, and when to come back")
    func caller() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
                .replacing(
                    "limits: {caller: {rate: 100000, burst: 100000}}", with: "limits: {caller: {rate: 1, burst: 2}}")
            try await TestGateway.run(yaml) { gateway in
                for _ in 0..<2 { #expect(try await gateway.page(query()).status == 200) }
                let refused = try await gateway.page(query())
                #expect(refused.status == 400)
                #expect(refused.text.contains("caller anonymous is limited to 1 request a second"))
                #expect(refused.fields["retry-after"] == "1")
                #expect(try await gateway.metric("jobsproxy_throttled_total{scope=\"caller\"}") == 1)
            }
        }
    }

    @Test(
        "a service that throttles below its quota is asked less, and then by and by more; the log has a line each way")
    func feedback() async throws {
        let body = "{\"__type\":\"com.amazonaws.voiceid#ThrottlingException\",\"Message\":\"Rate exceeded\"}"
        let log = LogLines()
        try await ScriptedOrigin.run({ _, index in
            index == 0 ? .reply(status: 400, body: body) : .reply(body: "{}")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url), log: log) { gateway in
                let rate = "jobsproxy_quota_rate{service=\"voice-id\",group=\"batch\"}"
                let full = try #require(try await gateway.metric(rate))
                #expect(try await gateway.page(query()).text == body)
                #expect(
                    log.all.contains {
                        $0.contains("throttles a quota group below its quota: slowing down group=batch")
                    })
                let slow = try #require(try await gateway.metric(rate))
                #expect(slow <= full)
                // At ten thousand a second a thousandth comes each tenth of a millisecond.
                let deadline = ContinuousClock.now + .seconds(20)
                let restored = "is back at its full rate group=batch service=voice-id"
                while !log.all.contains(where: { $0.contains(restored) }) {
                    try #require(ContinuousClock.now < deadline)
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(try await gateway.metric(rate) == full)
            }
        }
    }

    @Test("limits in shadow mode refuse nothing, and are counted")
    func shadow() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
                .replacing(
                    "limits: {caller: {rate: 100000, burst: 100000}}",
                    with: "limits: {caller: {rate: 1, shadow: true}, domain: {rate: 0.001, shadow: true}}")
            try await TestGateway.run(yaml) { gateway in
                for size in 1...5 {
                    let reply = try await gateway.page(query(more: ",\"MaxResults\":\(size)"))
                    #expect(reply.status == 200)
                }
                for scope in ["caller", "domain"] {
                    let count = try await gateway.metric("jobsproxy_shadow_throttled_total{scope=\"\(scope)\"}")
                    #expect(count == 4, "\(scope)")
                }
            }
        }
    }

    @Test("a domain that is asked about too often is told so, and others are not concerned")
    func domain() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
                .replacing(
                    "limits: {caller: {rate: 100000, burst: 100000}}",
                    with: "limits: {caller: {rate: 1000}, domain: {rate: 0.01, burst: 1}}")
            try await TestGateway.run(yaml) { gateway in
                #expect(try await gateway.page(query()).status == 200)
                let refused = try await gateway.page(query(more: ",\"MaxResults\":1"))
                #expect(refused.text.contains("domain AAAAAAAAAAAAAAAAAAAAAA is limited to 0.01 requests a second"))
                let seconds = try #require(Int(refused.fields["retry-after"] ?? ""))
                #expect(seconds > 90)
                #expect(try await gateway.page(query(domain: "B")).status == 200)
                #expect(try await gateway.metric("jobsproxy_throttled_total{scope=\"domain\"}") == 1)
            }
        }
    }

    @Test("a client that will have given up by its turn is refused at once")
    func deadline() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url)
                .replacing("{batch: {rate: 10000, burst: 10000}", with: "{batch: {rate: 0.2, burst: 1}")
                .replacing("limits: {", with: "limits: {queue: {maxWait: 1m}, ")
            try await TestGateway.run(yaml) { gateway in
                let client = try await gateway.client()
                // A second from now by its own clock, and two for the difference between clocks; a token takes five.
                var time = time(nil) + 1
                var parts = tm()
                gmtime_r(&time, &parts)
                var text = [CChar](repeating: 0, count: 20)
                strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
                let ttl = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let body = query()
                let reply = try await client.send(
                    "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n"
                        + "amz-sdk-request: ttl=\(ttl); attempt=1; max=3\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
                #expect(reply.fields["x-amzn-errortype"] == "ThrottlingException")
                #expect(origin.requests.isEmpty)
                #expect(gateway.assembly.gate.cache.figures.flights == 0)
                try await client.close()
            }
        }
    }
}
