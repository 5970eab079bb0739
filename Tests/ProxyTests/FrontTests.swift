import Gateway
import NIOCore
import NIOPosix
import NIOTestSupport
import PageCache
import TestSupport
import Testing

@testable import JobsProxy

@Suite("The gateway's door", .timeLimit(.minutes(1)))
struct FrontTests {
    /// A request that must not get in, and the status it gets.
    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: String
        let status: Int
    }

    private static let start = "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListDomains\r\n"
    private static let refused: [Refused] = [
        Refused(
            testDescription: "both lengths",
            request: start + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", status: 400),
        Refused(testDescription: "bare line feeds", request: "POST / HTTP/1.1\nHost: localhost\n\n{}", status: 400),
        Refused(
            testDescription: "101 fields",
            request: start + (0..<99).map { "A\($0): b\r\n" }.joined() + "Content-Length: 2\r\n\r\n{}", status: 431),
        Refused(
            testDescription: "65 KiB of content",
            request: start + "Content-Length: 66560\r\n\r\n" + String(repeating: "x", count: 66_560), status: 413),
        Refused(testDescription: "no host", request: "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", status: 400),
        Refused(
            testDescription: "two targets", request: start + "X-Amz-Target: VoiceID.X\r\nContent-Length: 2\r\n\r\n{}",
            status: 400),
        Refused(
            testDescription: "another host in the target",
            request: "POST http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", status: 400
        ),
        Refused(testDescription: "a tunnel", request: "CONNECT x:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 405),
    ]

    @Test(
        "what is ambiguous or too large gets its answer and the end of the connection, and goes no further",
        arguments: refused)
    func refuses(refused: Refused) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await gateway.client()
                let behind = Self.start + "Content-Length: 2\r\n\r\n{}"
                let reply = try await client.send(refused.request + behind)
                #expect(reply.status == refused.status)
                #expect(reply.fields["connection"] == "close")
                #expect(reply.fields["cache-status"]?.hasPrefix("jobs-proxy; detail=") == true)
                #expect(reply.text.hasPrefix("{\"__type\":"))
                await #expect(throws: (any Error).self) { try await client.get("/healthz") }
                #expect(origin.requests.isEmpty)
            }
        }
    }

    @Test("each path has its methods")
    func routes() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await gateway.client()
                #expect(
                    try await client.get("/metrics?name=x").text.contains("# TYPE jobsproxy_requests_total counter"))
                #expect(try await client.get("/healthz").status == 200)
                #expect(try await client.get("/readyz").status == 200)
                #expect(try await client.get("/nothing").fields["cache-status"] == "jobs-proxy; detail=not-found")
                let get = try await client.get("/")
                #expect(get.status == 405)
                #expect(get.fields["allow"] == "POST")
                #expect(get.fields["cache-status"] == "jobs-proxy; detail=method-not-allowed")
                #expect(try await client.post("ListDomains", "{}", path: "/metrics").status == 405)
                let absolute =
                    "POST http://127.0.0.1/ HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListDomains\r\n"
                #expect(try await client.send(absolute + "Content-Length: 2\r\n\r\n{}").status == 200)
                try await client.close()
            }
        }
    }

    @Test(
        "a call that names no operation of a service is told so",
        arguments: [nil, "", "Nonsense", "DynamoDB_20120810.ListTables", "VoiceID.", "VoiceID.A b"])
    func targets(target: String?) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let field = target.map { "X-Amz-Target: \($0)\r\n" } ?? ""
                let client = try await gateway.client()
                let reply = try await client.send(
                    "POST / HTTP/1.1\r\nHost: localhost\r\n\(field)Content-Length: 2\r\n\r\n{}")
                #expect(reply.status == 400)
                #expect(reply.fields["x-amzn-errortype"] == "UnknownOperationException")
                #expect(origin.requests.isEmpty)
                try await client.close()
            }
        }
    }

    @Test("a body that cannot be read, or violates the model, goes no further")
    func bodies() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for body in [" ", "[]", "{\"DomainId\":1}", query(more: ",\"MaxResults\":\"7\""), query() + "x"] {
                    let reply = try await gateway.page(body)
                    #expect(reply.status == 400)
                    #expect(reply.fields["x-amzn-errortype"] == "SerializationException")
                }
                let reply = try await gateway.page("{\"DomainId\":\"x\",\"MaxResults\":0}")
                #expect(reply.fields["cache-status"] == "jobs-proxy; detail=validation")
                #expect(reply.fields["x-amzn-errortype"] == "ValidationException")
                #expect(reply.text.contains("3 validation errors detected: Value 'x' at 'domainId' failed"))
                #expect(
                    reply.text.contains(
                        "Value '0' at 'maxResults' failed to satisfy constraint: Member must have value"))
                #expect(origin.requests.isEmpty)
                // It may be a whole number to the service.
                let other = query(more: ", \"MaxResults\":7.0")
                for _ in 0..<2 { #expect(try await gateway.page(other).status == 200) }
                #expect(origin.requests.map(\.text) == [other, other])
            }
        }
    }

    @Test("nobody without a key is served where anonymous callers are denied")
    func denied() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + "anonymous: deny\n") { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 403)
                #expect(reply.fields["x-amzn-errortype"] == "MissingAuthenticationTokenException")
                #expect(origin.requests.isEmpty)
            }
        }
    }

    @Test("a request that wants nothing but the cache is never fetched for")
    func onlyIfCached() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await gateway.client()
                let request =
                    "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListDomains\r\n"
                    + "Cache-Control: max-age=5, Only-If-Cached\r\nContent-Length: 2\r\n\r\n{}"
                let missing = try await client.send(request)
                #expect(missing.status == 504)
                #expect(missing.fields["x-amzn-errortype"] == "GatewayTimeout")
                #expect(origin.requests.isEmpty)
                #expect(try await client.post("ListDomains", "{}").status == 200)
                #expect(try await client.send(request).fields["cache-status"]?.contains("hit") == true)
                try await client.close()
            }
        }
    }

    @Test("an operator's purge removes what it names, and says how much it was")
    func purge() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for domain in "ABC" {
                    for more in ["", ",\"JobStatus\":\"FAILED\"", ",\"JobStatus\":\"COMPLETED\""] {
                        #expect(try await gateway.page(query(domain: domain, more: more)).status == 200)
                    }
                    #expect(try await gateway.call("ListSpeakers", query(domain: domain)).status == 200)
                }
                let jobs = "operation=ListFraudsterRegistrationJobs"
                let orders = [
                    ("?\(jobs)&status=FAILED&domain=" + String(repeating: "A", count: 22), 1),
                    ("?domain=" + String(repeating: "%41", count: 22), 3), ("?\(jobs)&soft=true", 6),
                    ("?service=nothing", 0),
                ]
                for (order, count) in orders {
                    let reply = try await gateway.admin("POST", "/purge\(order)")
                    #expect(reply.text == "{\"purged\":\(count)}\n", "\(order)")
                }
                let stale = try await gateway.page(query(domain: "B"))
                #expect(stale.fields["cache-status"]?.hasPrefix("jobs-proxy; hit; ttl=-") == true)
                #expect(try await gateway.admin("POST", "/purge?domian=x").status == 400)
                #expect(try await gateway.admin("GET", "/purge").status == 405)
                let all = try await gateway.admin("POST", "/purge")
                #expect(all.text == "{\"purged\":8}\n")
                #expect(gateway.assembly.gate.cache.figures.pages == 0)
            }
        }
    }
}
