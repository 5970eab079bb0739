import Gateway
import NIOTestSupport
import PageCache
import TestSupport
import Testing

@testable import JobsProxy

@Suite("When the service stumbles", .timeLimit(.minutes(1)))
struct UpstreamFaultTests {
    private static let page = "{\"JobSummaries\":[]}"
    private static let failure = "{\"__type\":\"InternalServerException\",\"Message\":\"try again\"}"

    @Test("an error that is answered twice and then not is seen by nobody")
    func retries() async throws {
        try await ScriptedOrigin.run({ _, index in
            index < 2 ? .reply(status: 500, body: Self.failure) : .reply(body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 200)
                #expect(reply.text == Self.page)
                #expect(origin.requests.count == 3)
                #expect(Set(origin.requests.map(\.text)) == [query()])
                let labels = "{service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\"}"
                #expect(try await gateway.metric("jobsproxy_retries_total\(labels)") == 2)
            }
        }
    }

    @Test("a write is repeated only with the token by which the service recognises it", arguments: [true, false])
    func writes(hasToken: Bool) async throws {
        try await ScriptedOrigin.run({ _, index in
            index == 0 ? .reply(status: 500, body: Self.failure) : .reply(body: "{}")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let token = hasToken ? ",\"ClientToken\":\"t-1\"" : ""
                let reply = try await gateway.call("CreateWatchlist", query(more: ",\"Name\":\"n\"\(token)"))
                #expect(reply.status == (hasToken ? 200 : 500))
                #expect(origin.requests.count == (hasToken ? 2 : 1))
                #expect(Set(origin.requests.map(\.text)).count == 1)
            }
        }
    }

    @Test("its own last error reaches the client unchanged", arguments: [(400, 1), (403, 1), (503, 3)])
    func errors(status: Int, attempts: Int) async throws {
        let body = "{\"__type\":\"com.amazonaws.voiceid#SomethingElse\",\"Message\":\"said so\",\"More\":1}"
        try await ScriptedOrigin.run({ _, _ in
            .reply(
                status: status, fields: [("x-amzn-ErrorType", "SomethingElse:http://x/"), ("x-amzn-RequestId", "abc")],
                body: body)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == status)
                #expect(reply.text == body)
                #expect(reply.fields["x-amzn-errortype"] == "SomethingElse:http://x/")
                #expect(reply.fields["x-jobsproxy-upstream-request-id"] == "abc")
                #expect(reply.fields["x-amzn-requestid"] != "abc")
                #expect(origin.requests.count == attempts)
            }
        }
    }

    /// What an origin does wrong.
    enum Fault: String, CaseIterable, Sendable {
        case stall, reset, close, cutShort, stallAfterHead, tooLong, garbage

        var step: ScriptedOrigin.Step {
            switch self {
            case .stall: .stall
            case .reset: .reset
            case .close: .close
            case .cutShort: .cutShort(after: 10, body: UpstreamFaultTests.page)
            case .stallAfterHead: .stallAfterHead(body: UpstreamFaultTests.page)
            case .tooLong: .reply(body: String(repeating: "x", count: 17 << 20))
            case .garbage: .raw("HTTP/1.1 banana\r\n\r\n")
            }
        }
    }

    @Test(
        "no usable answer becomes an error in time; nothing is kept, nothing lost, and the next call is served",
        arguments: Fault.allCases)
    func faults(fault: Fault) async throws {
        try await ScriptedOrigin.run({ request, _ in
            request.text.contains("BBBB") ? .reply(body: Self.page) : fault.step
        }) { origin in
            let timeouts = "{connect: 200ms, attempt: 300ms, call: 1s}"
            try await TestGateway.run(TestGateway.service(origin.url, timeouts: timeouts)) { gateway in
                let start = ContinuousClock.now
                let reply = try await gateway.page(query())
                #expect(ContinuousClock.now - start < .seconds(3))
                #expect(reply.status == 500)
                #expect(
                    reply.text.hasPrefix("{\"__type\":\"com.amazonaws.voiceid#InternalServerException\",\"Message\":\"")
                )
                #expect(gateway.assembly.gate.cache.figures.pages == 0)
                #expect(gateway.assembly.gate.cache.figures.flights == 0)
                #expect(try await gateway.page(query(domain: "B")).text == Self.page)
                // The connections of failed attempts are gone: at most the one that served the last call is left.
                #expect(origin.waitForOpenConnections(atMost: 1))
            }
        }
    }

    @Test("an origin that is not there becomes an error in time, and loses no descriptor")
    func refused() async throws {
        let origin = try ScriptedOrigin { _, _ in .close }
        let url = origin.url
        origin.stop()
        try await TestGateway.run(TestGateway.service(url)) { gateway in
            for domain in "ABCDE" {
                let reply = try await gateway.page(query(domain: domain))
                #expect(reply.status == 500)
                #expect(reply.fields["x-amzn-errortype"] == "InternalServerException")
            }
            let labels = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\""
            let attempts = try await gateway.metric(
                "jobsproxy_upstream_attempts_total{\(labels),result=\"connect_error\"}")
            // The breaker opens at the fifth failure in a row.
            #expect(attempts == 5)
            #expect(try await gateway.metric("jobsproxy_breaker_state{service=\"voice-id\"}") == 2)
        }
    }

    @Test("a call that is under way gets its answer while the gateway stops")
    func stop() async throws {
        try await ScriptedOrigin.run({ _, _ in .trickle(body: Self.page, bytes: 5, milliseconds: 50) }) { origin in
            let reply = try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let call = Task { try await gateway.page(query()) }
                #expect(origin.waitForRequests(1))
                return call
            }
            #expect(try await reply.value.text == Self.page)
        }
    }
}
