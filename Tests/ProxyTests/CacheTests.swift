import NIOTestSupport
import TestSupport
import Testing

@Suite("The gateway's cache", .timeLimit(.minutes(1)))
struct CacheTests {
    private static let page = "{\"JobSummaries\":[]}"

    @Test("answers the second equal call, and says so")
    func hit() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: Self.page) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let first = try await gateway.page(query())
                #expect(first.status == 200)
                #expect(first.text == Self.page)
                #expect(first.fields["cache-status"] == "jobs-proxy; fwd=miss")
                let second = try await gateway.page(query())
                #expect(second.text == Self.page)
                #expect(second.fields["cache-status"]?.hasPrefix("jobs-proxy; hit; ttl=") == true)
                #expect(second.fields["age"] == "0")
                #expect(second.fields["x-amzn-requestid"] != first.fields["x-amzn-requestid"])
                #expect(origin.requests.count == 1)
                let labels = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"anonymous\""
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"hit\"}") == 1)
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"miss\"}") == 1)
            }
        }
    }

    @Test(
        "has one page for requests that mean the same",
        arguments: [
            "{ \"DomainId\" : \"AAAAAAAAAAAAAAAAAAAAAA\" }", query(more: ",\"MaxResults\":100"),
            query(more: ",\"JobStatus\":null"),
            "{\"MaxResults\":100,\"NextToken\":null,\"DomainId\":\"AAAAAAAAAAAAAAAAAAAAAA\"}",
            "{\"Domain\\u0049d\":\"\\u0041AAAAAAAAAAAAAAAAAAAAA\"}",
        ])
    func same(body: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: Self.page) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                _ = try await gateway.page(query())
                #expect(try await gateway.page(body).fields["cache-status"]?.contains("hit") == true)
                #expect(origin.requests.map(\.text) == [query()])
            }
        }
    }

    @Test(
        "has another page for requests that mean something else",
        arguments: [
            query(domain: "B"), query(more: ",\"NextToken\":\"\""), query(more: ",\"MaxResults\":99"),
            query(more: ",\"JobStatus\":\"FAILED\""),
        ])
    func different(body: String) async throws {
        try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                _ = try await gateway.page(query())
                let other = try await gateway.page(body)
                #expect(other.fields["cache-status"] == "jobs-proxy; fwd=miss")
                #expect(other.text.contains(body.dropFirst().prefix(10)))
                #expect(origin.requests.count == 2)
            }
        }
    }

    @Test("keeps no error but the one that says that something does not exist")
    func errors() async throws {
        @Sendable func error(_ code: String) -> ScriptedOrigin.Step {
            .reply(status: 400, body: "{\"__type\":\"com.amazonaws.voiceid#\(code)\",\"Message\":\"no\"}")
        }
        try await ScriptedOrigin.run({ request, _ in
            error(request.text.contains("BBBB") ? "ResourceNotFoundException" : "AccessDeniedException")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for _ in 0..<2 { #expect(try await gateway.page(query()).text.contains("AccessDenied")) }
                #expect(origin.requests.count == 2)
                for _ in 0..<2 {
                    let reply = try await gateway.page(query(domain: "B"))
                    #expect(reply.status == 400)
                    #expect(reply.fields["x-amzn-errortype"] == "ResourceNotFoundException")
                }
                #expect(origin.requests.count == 3)
            }
        }
    }

    @Test("is void for a domain before the answer to a write, whatever the answer", arguments: [200, 500])
    func writes(status: Int) async throws {
        try await ScriptedOrigin.run({ request, _ in
            request["X-Amz-Target"]?.contains("Start") == true
                ? .reply(status: status, body: "{}") : .reply(body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                _ = try await gateway.page(query())
                _ = try await gateway.page(query(domain: "B"))
                let uri = "{\"S3Uri\":\"s3://bucket/key\"}"
                let role = "arn:aws:iam::123456789012:role/r"
                let write = query(
                    more: ",\"DataAccessRoleArn\":\"\(role)\",\"InputDataConfig\":\(uri),\"OutputDataConfig\":\(uri)")
                #expect(try await gateway.call("StartFraudsterRegistrationJob", write).status == status)
                #expect(try await gateway.page(query()).fields["cache-status"] == "jobs-proxy; fwd=miss")
                #expect(try await gateway.page(query(domain: "B")).fields["cache-status"]?.contains("hit") == true)
            }
        }
    }

    @Test("is not asked for an operation or a member that the catalog does not know, which go on as they came")
    func unknown() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let body = "{ \"Whatever\": [1, 2] }"
                for _ in 0..<2 {
                    let reply = try await gateway.call("BrandNewOperation", body)
                    #expect(reply.fields["cache-status"] == "jobs-proxy; fwd=bypass")
                }
                let member = query(more: ", \"Brand\" : \"new\"")
                for _ in 0..<2 { #expect(try await gateway.page(member).status == 200) }
                #expect(origin.requests.map(\.text) == [body, body, member, member])
                #expect(origin.requests.first?["X-Amz-Target"] == "VoiceID.BrandNewOperation")
            }
        }
    }

    @Test("serves an older page when no newer one can be had")
    func stale() async throws {
        try await ScriptedOrigin.run({ _, index in index == 0 ? .reply(body: Self.page) : .reply(status: 503) }) {
            origin in
            let cache = "cache: {ttl: {default: 1ms}, staleWhileRevalidate: 0s, staleIfError: 1m}\n"
            let retry = "retry: {maxAttempts: 1}\n"
            try await TestGateway.run(TestGateway.service(origin.url) + cache + retry) { gateway in
                _ = try await gateway.page(query())
                let deadline = ContinuousClock.now + .seconds(10)
                var status = ""
                // The page is fresh for a millisecond; what follows must be the older page.
                while !status.contains("stale"), ContinuousClock.now < deadline {
                    let reply = try await gateway.page(query())
                    #expect(reply.text == Self.page)
                    status = reply.fields["cache-status"] ?? ""
                }
                #expect(status.hasPrefix("jobs-proxy; fwd=stale; ttl=-1; "))
                #expect(status.contains("detail="))
            }
        }
    }
}
