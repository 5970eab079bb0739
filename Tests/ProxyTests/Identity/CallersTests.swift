import AWSProtocol
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Callers", .timeLimit(.minutes(1)))
struct CallersTests {
    private static let mine = String(repeating: "A", count: 22)
    private static let theirs = String(repeating: "B", count: 22)
    private static let callers = """
        callers:
          - {name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}},
                                  {accessKeyId: GWTEST2, secretAccessKey: {env: OTHER_SECRET}}], noCache: true}
          - name: narrow
            keys: [{accessKeyId: GWNARROW, secretAccessKey: {env: OTHER_SECRET}}]
            domains: ["AAAA*"]
            operations: ["List*"]
            limit: {rate: 0.01, burst: 3}

        """

    /// Runs with an origin that answers every call with the same page.
    private func run(
        _ more: String = "", _ body: (TestGateway, SignedClient, ScriptedOrigin) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + Self.callers + more) { gateway in
                let client = try await SignedClient(gateway)
                try await body(gateway, client, origin)
                try await client.close()
            }
        }
    }

    @Test("are known by each of their keys, and share pages")
    func keys() async throws {
        try await run { gateway, client, origin in
            let first = try await client.page(query())
            #expect(first.status == 200)
            let other = client.with(key: "GWTEST2", secret: "OTHER_SECRET")
            #expect(try await other.page(query()).fields["cache-status"]?.contains("hit") == true)
            #expect(origin.requests.count == 1)
            let labels = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"tester\""
            #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"miss\"}") == 1)
            #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"hit\"}") == 1)
        }
    }

    @Test("are refused with AWS's codes when their signature is not right")
    func refusals() async throws {
        try await run { gateway, client, origin in
            let unsigned = try await client.client.post("ListFraudsterRegistrationJobs", query())
            #expect(unsigned.status == 403)
            #expect(unsigned.errorCode == "MissingAuthenticationTokenException")

            let unknown = try await client.with(key: "GWNOBODY", secret: "CALLER_SECRET").page(query())
            #expect(unknown.status == 403)
            #expect(unknown.errorCode == "UnrecognizedClientException")

            let wrong = try await client.with(key: "GWTEST1", secret: "OTHER_SECRET").page(query())
            #expect(wrong.status == 403)
            #expect(wrong.errorCode == "InvalidSignatureException")

            let old = try await client.post("ListFraudsterRegistrationJobs", query(), signedAt: 310)
            #expect(old.status == 403)
            #expect(old.errorCode == "InvalidSignatureException")
            #expect(old.text.contains("is now earlier than"))

            let early = try await client.post("ListFraudsterRegistrationJobs", query(), signedAt: -310)
            #expect(early.status == 403)
            #expect(early.errorCode == "InvalidSignatureException")
            #expect(early.text.contains("is still later than"))

            let malformed = try await client.post("ListFraudsterRegistrationJobs", query()) { fields in
                fields.map { $0.name == "Authorization" ? ($0.name, "AWS4-HMAC-SHA256 nonsense") : $0 }
            }
            #expect(malformed.status == 403)
            #expect(malformed.errorCode == "IncompleteSignatureException")

            for names in ["host;host", "x-amz-target;host", "Host", String(repeating: "host;", count: 2000) + "host"] {
                let unordered = try await client.post("ListFraudsterRegistrationJobs", query()) { fields in
                    fields.map {
                        let value = $0.value.replacing("host;x-amz-date;x-amz-target", with: names)
                        return $0.name == "Authorization" ? ($0.name, value) : $0
                    }
                }
                #expect(unordered.status == 403)
                #expect(unordered.errorCode == "IncompleteSignatureException")
            }

            var foreign = client
            foreign.scope = .init(region: "eu-west-1", service: "voiceid")
            #expect(try await foreign.page(query()).errorCode == "InvalidSignatureException")

            #expect(origin.requests.isEmpty)
            let labels =
                "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"unknown\",outcome=\"denied\""
            #expect(try await gateway.metric("jobsproxy_requests_total{\(labels)}") == 11)
        }
    }

    @Test("need not sign what SDKs do not agree on, and must sign what decides what a request does")
    func signedFields() async throws {
        try await run { _, client, _ in
            let added = try await client.post("ListFraudsterRegistrationJobs", query()) {
                $0 + [("Content-Type", "application/x-amz-json-1.0"), ("amz-sdk-request", "attempt=1; max=3")]
            }
            #expect(added.status == 200)
            let token = try await client.post("ListFraudsterRegistrationJobs", query()) {
                $0 + [("X-Amz-Security-Token", "t")]
            }
            #expect(token.errorCode == "InvalidSignatureException")
            #expect(token.text.contains("x-amz-security-token"))
        }
    }

    @Test("may spell field names in any case, and put blanks where AWS takes them away")
    func spelling() async throws {
        try await run { _, client, _ in
            let reply = try await client.post(
                "ListFraudsterRegistrationJobs", query(), more: [("X-Custom", "a b")]
            ) { fields in
                fields.map { $0.name == "X-Custom" ? ("x-CUSTOM", "  a    b ") : $0 }
            }
            #expect(reply.status == 200)
        }
    }

    @Test("get nothing of a domain or an operation that is not theirs, cached or not")
    func permissions() async throws {
        try await run { _, client, origin in
            let narrow = client.with(key: "GWNARROW", secret: "OTHER_SECRET")
            #expect(try await client.page(query(domain: "B")).status == 200)
            let cached = try await narrow.page(query(domain: "B"))
            let uncached = try await narrow.page(query(domain: "C"))
            for reply in [cached, uncached] {
                #expect(reply.status == 400)
                #expect(reply.errorCode == "AccessDeniedException")
                #expect(reply.fields["cache-status"] == "jobs-proxy; detail=not-authorized")
                #expect(reply.fields["age"] == nil)
            }
            #expect(
                cached.text.replacing(Self.theirs, with: "")
                    == uncached.text.replacing(
                        String(repeating: "C", count: 22), with: ""))
            #expect(try await narrow.page(query(domain: "A")).status == 200)
            #expect(origin.requests.count == 2)
        }
    }

    @Test("with some domains may not ask for operations that name none, and for no others than theirs")
    func operations() async throws {
        try await run { _, client, origin in
            let narrow = client.with(key: "GWNARROW", secret: "OTHER_SECRET")
            #expect(try await narrow.post("ListDomains", "{}").errorCode == "AccessDeniedException")
            let describe = try await narrow.post("DescribeDomain", query(domain: "A"))
            #expect(describe.errorCode == "AccessDeniedException")
            let arn = "arn:aws:voiceid:us-east-1:123456789012:domain/\(Self.mine)"
            let tags = try await client.with(key: "GWNARROW", secret: "OTHER_SECRET")
                .post("ListTagsForResource", "{\"ResourceArn\":\"\(arn)\"}")
            #expect(tags.errorCode == "AccessDeniedException")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test("with some domains may not send members that nobody here knows")
    func unknownMembers() async throws {
        try await run { _, client, origin in
            let narrow = client.with(key: "GWNARROW", secret: "OTHER_SECRET")
            let body = query(domain: "A", more: ",\"domainId\":\"\(Self.theirs)\"")
            let reply = try await narrow.page(body)
            #expect(reply.errorCode == "AccessDeniedException")
            #expect(origin.requests.isEmpty)
            #expect(try await client.page(body).status == 200)
        }
    }

    @Test("have limits of their own, which refused calls use up too")
    func limits() async throws {
        try await run { _, client, _ in
            let narrow = client.with(key: "GWNARROW", secret: "OTHER_SECRET")
            for _ in 0..<3 { #expect(try await narrow.page(query(domain: "B")).errorCode == "AccessDeniedException") }
            let throttled = try await narrow.page(query(domain: "A"))
            #expect(throttled.errorCode == "ThrottlingException")
            #expect(throttled.text.contains("caller narrow"))
            #expect(try await client.page(query()).status == 200)
        }
    }

    @Test("get a new page for no-cache only if that is granted")
    func noCache() async throws {
        try await run { _, client, origin in
            let fresh: [(name: String, value: String)] = [("Cache-Control", "no-cache")]
            for _ in 0..<2 { _ = try await client.post("ListFraudsterRegistrationJobs", query(), more: fresh) }
            #expect(origin.requests.count == 2)
            let narrow = client.with(key: "GWNARROW", secret: "OTHER_SECRET")
            let reply = try await narrow.post("ListFraudsterRegistrationJobs", query(), more: fresh)
            #expect(reply.fields["cache-status"]?.contains("hit") == true)
            #expect(origin.requests.count == 2)
        }
    }

    @Test("without a name are served beside them if that is allowed, and only if they do not sign")
    func anonymous() async throws {
        try await run("anonymous: loopback\n") { _, client, _ in
            #expect(try await client.client.post("ListFraudsterRegistrationJobs", query()).status == 200)
            #expect(try await client.page(query()).status == 200)
            let unknown = try await client.with(key: "GWNOBODY", secret: "CALLER_SECRET").page(query())
            #expect(unknown.errorCode == "UnrecognizedClientException")
        }
    }

    @Test("are all the same to a gateway that knows none, whatever they sign with")
    func noCallers() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await SignedClient(gateway)
                #expect(try await client.with(key: "ANY", secret: "any").page(query()).status == 200)
                try await client.close()
                let labels =
                    "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"anonymous\",outcome=\"miss\""
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels)}") == 1)
            }
        }
    }

    @Test("of nobody are let in with 'anonymous: deny' alone", arguments: [true, false])
    func deny(isSigned: Bool) async throws {
        try await TestGateway.run("anonymous: deny\n") { gateway in
            let client = try await SignedClient(gateway)
            let reply =
                try await isSigned
                ? client.page(query()) : client.client.post("ListFraudsterRegistrationJobs", query())
            #expect(
                reply.errorCode == (isSigned ? "UnrecognizedClientException" : "MissingAuthenticationTokenException"))
            try await client.close()
        }
    }
}
