import Sandbox
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
                #expect(refused.text.contains("caller anonymous is limited to 1 requests a second"))
                #expect(refused.fields["retry-after"] == "1")
                #expect(try await gateway.metric("jobsproxy_throttled_total{scope=\"caller\"}") == 1)
            }
        }
    }
}
