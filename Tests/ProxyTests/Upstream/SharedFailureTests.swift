import Gateway
import NIOTestSupport
import PageCache
import Synchronization
import TestSupport
import Testing

@testable import JobsProxy

/// One cause is one failure, however many calls it meets.
@Suite("A lost connection", .timeLimit(.minutes(1)))
struct LostConnectionTests {
    private static let state = "jobsproxy_breaker_state{service=\"voice-id\"}"

    /// An origin that speaks HTTP/2, answers the first call, and resets its connection when four more have come.
    private static func origin(_ page: String) throws -> ScriptedOrigin {
        try ScriptedOrigin(
            onAccept: { _ in
                .http2 { stream, _, index in
                    switch index {
                    case 1...3: .sequence([])
                    case 4: .reset
                    default: .bytes(ScriptedFrame.reply(page, stream: stream))
                    }
                }
            }, script: { _, _ in .close })
    }

    @Test("with four reads in flight is one failure, paid for once, and all four are answered")
    func reads() async throws {
        let origin = try Self.origin("{\"JobSummaries\":[]}")
        defer { origin.stop() }
        // Four failures would open the breaker, and four retries would not be paid.
        let yaml =
            TestGateway.service(origin.url, more: ", http2: prior-knowledge") + "breaker: {failures: 2, openFor: 1m}\n"
            + "retry: {maxAttempts: 2, budget: {ratio: 0, reserve: 1}}\n"
        try await TestGateway.run(yaml) { gateway in
            let first = try await gateway.page(query(domain: "E"))
            #expect(first.status == 200)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for domain in "ABCD" { group.addTask { try await gateway.page(query(domain: domain)).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200, 200])
            #expect(origin.connectionCount == 2)
            #expect(origin.requests.count == 9)
            let state = try await gateway.metric(Self.state)
            #expect(state == 0)
        }
    }

    @Test("ends a write whose fate is not known, and it is not sent again")
    func write() async throws {
        let origin = try ScriptedOrigin(onAccept: { _ in .http2 { _, _, _ in .reset } }, script: { _, _ in .close })
        defer { origin.stop() }
        try await TestGateway.run(TestGateway.service(origin.url, more: ", http2: prior-knowledge")) { gateway in
            let reply = try await gateway.call("CreateWatchlist", query(more: ",\"Name\":\"n\""))
            #expect(reply.status == 500)
            #expect(origin.requests.count == 1)
        }
    }
}

@Suite("A domain that always fails", .timeLimit(.minutes(1)))
struct SickDomainTests {
    @Test("among others that do not: not one healthy call is refused, and the breaker stays closed")
    func quarter() async throws {
        let script: @Sendable (ScriptedOrigin.Request, Int) -> ScriptedOrigin.Step = { request, _ in
            request.text.contains("AAAAAAAA") ? .reply(status: 500, body: "{}") : .reply(body: "{\"JobSummaries\":[]}")
        }
        try await ScriptedOrigin.run(script) { origin in
            let yaml = TestGateway.service(origin.url) + "retry: {baseDelay: 1ms, maxDelay: 2ms}\n"
            try await TestGateway.run(yaml) { gateway in
                let client = try await gateway.client()
                for round in 0..<60 {
                    for domain in "AABCDAAE" {
                        let more = ",\"MaxResults\":\(round + 1)"
                        let reply = try await client.post(
                            "ListFraudsterRegistrationJobs", query(domain: domain, more: more))
                        #expect(reply.status == (domain == "A" ? 500 : 200))
                        #expect(reply.fields["cache-status"]?.contains("breaker") == false)
                    }
                }
                try await client.close()
                let state = try await gateway.metric("jobsproxy_breaker_state{service=\"voice-id\"}")
                #expect(state == 0)
            }
        }
    }
}

@Suite("A proxy between the gateway and the service", .timeLimit(.minutes(1)))
struct ProxyRefusalTests {
    @Test("that refuses to connect is named with its status, and asked once", arguments: [403, 407, 503])
    func refusal(status: Int) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(status: status, body: "no") }) { proxy in
            let more = ", proxy: \"http://127.0.0.1:\(proxy.port)\""
            let yaml = TestGateway.service("https://origin.invalid", more: more) + Chaos.settings
            try await TestGateway.run(yaml) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 500)
                #expect(reply.text.contains("the proxy refused the connection with status \(status)"))
                #expect(reply.fields["cache-status"] == "jobs-proxy; detail=connect")
                #expect(proxy.requests.map(\.method) == ["CONNECT"])
            }
        }
    }
}
