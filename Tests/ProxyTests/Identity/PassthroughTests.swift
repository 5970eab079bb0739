import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Signatures that are passed on", .timeLimit(.minutes(1)))
struct PassthroughTests {
    private static let page = "{\"JobSummaries\":[]}"

    private func run(
        trusted: Bool = false, _ body: (TestGateway, SignedClient, ScriptedOrigin) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: Self.page) }) { origin in
            let service = TestGateway.service(origin.url, credentials: "default", more: ", signing: passthrough")
            let listen = trusted ? "listen: {address: \"127.0.0.1:0\", trusted: true}\n" : ""
            try await TestGateway.run(service, listen: listen) { gateway in
                var client = try await SignedClient(gateway)
                client.host = "127.0.0.1:\(origin.port)"
                try await body(gateway, client, origin)
                try await client.close()
            }
        }
    }

    @Test("reach the service byte for byte, with every field but those of the connection")
    func untouched() async throws {
        try await run { _, client, origin in
            let body = "{ \"MaxResults\":100,  \"DomainId\" : \"AAAAAAAAAAAAAAAAAAAAAA\" }"
            let reply = try await client.post(
                "ListFraudsterRegistrationJobs", body, more: [("X-Custom", "a  b"), ("User-Agent", "theirs")]
            ) {
                $0 + [
                    ("Connection", "keep-alive, X-Hop, Authorization, X-Amz-Date, X-\u{212a}iosk"), ("X-Hop", "1"),
                    ("X-Kiosk", "2"),
                    ("Proxy-Connection", "keep-alive"), ("Keep-Alive", "timeout=5"), ("TE", "trailers"),
                ]
            }
            #expect(reply.status == 200)
            let sent = try #require(origin.requests.first)
            #expect(sent.text == body)
            #expect(sent["authorization"]?.contains("Credential=GWTEST1/") == true)
            #expect(sent["x-amz-date"] != nil)
            #expect(sent["x-custom"] == "a  b")
            // What only looks like its name has not named it.
            #expect(sent["x-kiosk"] == "2")
            #expect(sent["user-agent"] == "theirs")
            for name in ["connection", "x-hop", "proxy-connection", "keep-alive", "te"] { #expect(sent[name] == nil) }
        }
    }

    @Test("are refused if they name more fields of the connection than there can be")
    func manyOptions() async throws {
        try await run { _, client, origin in
            let options = (0..<1000).map { "a\($0)" }.joined(separator: ",")
            let reply = try await client.post("ListDomains", "{}") { $0 + [("Connection", options)] }
            #expect(reply.status == 400)
            #expect(reply.fields["cache-status"] == "jobs-proxy; detail=not-forwardable")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test("share nothing between requests, at the same time neither")
    func nothingShared() async throws {
        try await run { gateway, client, origin in
            let host = client.host
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var other = try await SignedClient(gateway)
                        other.host = host
                        let status = try await other.page(query()).status
                        try await other.close()
                        return status
                    }
                }
                for try await status in group { #expect(status == 200) }
            }
            #expect(origin.requests.count == 4)
            for _ in 0..<2 {
                let reply = try await client.page(query())
                #expect(reply.fields["cache-status"] == "jobs-proxy; fwd=bypass")
            }
            #expect(origin.requests.count == 6)
        }
    }

    @Test("share pages behind a trusted listener, but only those of one access key")
    func trusted() async throws {
        try await run(trusted: true) { _, client, origin in
            for _ in 0..<2 {
                let reply = try await client.page(query())
                #expect(reply.status == 200)
            }
            #expect(origin.requests.count == 1)
            let other = client.with(key: "GWTEST2", secret: "OTHER_SECRET")
            for _ in 0..<2 { #expect(try await other.page(query()).status == 200) }
            #expect(origin.requests.count == 2)
            let coded = try await other.post(
                "ListFraudsterRegistrationJobs", query(), more: [("Accept-Encoding", "gzip")])
            #expect(coded.fields["cache-status"] == "jobs-proxy; fwd=bypass")
            #expect(try await client.client.post("ListFraudsterRegistrationJobs", query()).status == 400)
        }
    }

    @Test("that name no access key share nothing with each other")
    func unsigned() async throws {
        try await run(trusted: true) { _, client, origin in
            let request =
                "POST / HTTP/1.1\r\nHost: \(client.host)\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n"
                + "Content-Length: \(query().utf8.count)\r\n\r\n\(query())"
            for _ in 0..<2 {
                let reply = try await client.client.send(request)
                #expect(reply.fields["cache-status"] == "jobs-proxy; fwd=bypass")
            }
            #expect(origin.requests.count == 2)
        }
    }

    @Test("that would not arrive as they were signed are refused")
    func notForwardable() async throws {
        try await run { _, client, origin in
            let request =
                "POST /?a=1 HTTP/1.1\r\nHost: \(client.host)\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n"
                + "Content-Length: \(query().utf8.count)\r\n\r\n\(query())"
            let reply = try await client.client.send(request)
            #expect(reply.status == 400)
            #expect(reply.errorCode == "BadRequestException")
            #expect(origin.requests.isEmpty)
        }
    }

    @Test("go to the configured endpoint and nowhere else", arguments: ["sandbox", "127.0.0.1:1", "127.0.0.1"])
    func host(_ host: String) async throws {
        try await run { _, client, origin in
            var foreign = client
            foreign.host = host
            let reply = try await foreign.page(query())
            #expect(reply.status == 400)
            #expect(origin.requests.isEmpty)
        }
    }

    @Test("of boto3 go through the gateway as its HTTP proxy")
    func proxy() async throws {
        try await run { gateway, _, origin in
            let output = try await Python.run(
                "through_proxy.py", [origin.url, String(repeating: "A", count: 22)],
                environment: ["HTTP_PROXY": gateway.url, "http_proxy": gateway.url])
            #expect(output == "[]\n")
            let sent = try #require(origin.requests.first)
            #expect(sent.target == "/")
            #expect(sent["host"] == "127.0.0.1:\(origin.port)")
            #expect(sent["authorization"]?.contains("Credential=any/") == true)
        }
    }
}
