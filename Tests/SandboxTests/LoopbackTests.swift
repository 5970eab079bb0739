import AWSProtocol
import NIOCore
import NIOPosix
import NIOTestSupport
import Primitives
import Testing

@testable import Sandbox

@Suite("Over a socket", .timeLimit(.minutes(1)))
struct LoopbackTests {
    /// A sandbox on one event loop, and two connections to it.
    private func withSandbox(
        _ options: SandboxOptions, _ body: (Sandbox, LoopbackClient, LoopbackClient) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let sandbox = try await Sandbox(
            options: options, group: group, wallClock: { WallInstant(seconds: 1_700_000_000) })
        let address = try await sandbox.listen(host: "127.0.0.1", port: 0)
        #expect(address.host == "127.0.0.1")
        #expect(address.port > 0)
        let first = try await LoopbackClient(host: address.host, port: address.port, group: group)
        let second = try await LoopbackClient(host: address.host, port: address.port, group: group)
        try await body(sandbox, first, second)
        try? await first.close()
        try? await second.close()
        await sandbox.shutDown()
        try await group.shutdownGracefully()
    }

    @Test("a page comes with the head of the real service's answers")
    func page() async throws {
        try await withSandbox(SandboxOptions()) { sandbox, client, other in
            let domain = try #require(sandbox.domainIDs.first)
            let page = try await client.post(
                "ListFraudsterRegistrationJobs", #"{"DomainId":"\#(domain)","MaxResults":3}"#)
            #expect(page.status == 200)
            #expect(page.fields["content-type"] == "application/x-amz-json-1.0")
            #expect(page.fields["date"] == "Tue, 14 Nov 2023 22:13:20 GMT")
            #expect(page.fields["x-amzn-requestid"]?.count == 36)
            #expect(page.fields["x-amzn-errortype"] == nil)
            #expect(try JSONValue(page.body)["JobSummaries"]?.array?.count == 3)
            let domains = try await other.post("ListDomains", "{}")
            #expect(
                try JSONValue(domains.body)["DomainSummaries"]?.array?.compactMap { $0["DomainId"]?.string }
                    == sandbox.domainIDs)
            #expect(domains.fields["x-amzn-requestid"] != page.fields["x-amzn-requestid"])
        }
    }

    @Test("an error says its code in the head and in the body")
    func error() async throws {
        try await withSandbox(SandboxOptions()) { _, client, _ in
            let reply = try await client.post("ListFraudsterRegistrationJobs", "{}")
            #expect(reply.status == 400)
            #expect(reply.fields["content-type"] == "application/x-amz-json-1.0")
            #expect(reply.fields["x-amzn-errortype"] == "ValidationException")
            #expect(reply.fields["x-amzn-requestid"]?.count == 36)
            #expect(try JSONValue(reply.body)["__type"]?.string == "com.amazonaws.voiceid#ValidationException")
        }
    }

    @Test("calls are counted by operation and result")
    func counts() async throws {
        try await withSandbox(SandboxOptions(burst: 2)) { sandbox, client, other in
            _ = try await client.post("ListDomains", "{}")
            _ = try await other.post("ListDomains", "[]")
            _ = try await client.post("ListDomains", "{}")
            _ = try await client.post("DeleteFraudster", "{}")
            _ = try await client.post(nil, "{}")
            #expect(sandbox.served["ListDomains"] == 1)
            #expect(sandbox.throttled["ListDomains"] == 1)
            #expect(sandbox.served["ListFraudsterRegistrationJobs"] == 0)
            #expect(sandbox.requests == 5)
            let metrics = try await other.get("/metrics?x")
            #expect(metrics.status == 200)
            #expect(metrics.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            for line in [
                #"sandbox_requests_total{operation="ListDomains",result="ok"} 1"#,
                #"sandbox_requests_total{operation="ListDomains",result="throttled"} 1"#,
                #"sandbox_requests_total{operation="ListDomains",result="client_error"} 1"#,
                #"sandbox_requests_total{operation="other",result="client_error"} 2"#,
                #"sandbox_requests_total{operation="ListSpeakerEnrollmentJobs",result="server_error"} 0"#,
            ] {
                #expect(metrics.text.contains(line + "\n"))
            }
        }
    }

    @Test("other paths and methods are refused, and the connection goes on")
    func routes() async throws {
        try await withSandbox(SandboxOptions()) { sandbox, client, _ in
            let unknown = try await client.post("ListDomains", "{}", path: "/x")
            #expect(unknown.status == 404)
            #expect(unknown.fields["x-amzn-errortype"] == "UnknownOperationException")
            #expect(unknown.fields["content-type"] == "application/x-amz-json-1.0")
            let get = try await client.get("/")
            #expect(get.status == 405)
            #expect(get.fields["allow"] == "POST")
            #expect(try await client.post("ListDomains", "{}", method: "PUT").status == 405)
            let metrics = try await client.post("ListDomains", "{}", path: "/metrics")
            #expect(metrics.status == 405)
            #expect(metrics.fields["allow"] == "GET, HEAD")
            #expect(try await client.get("/healthz").text == "ok\n")
            #expect(try await client.post("ListDomains", "{}", path: "/?x=y").status == 200)
            #expect(try await client.post("ListDomains", "{}", path: "http://sandbox").status == 200)
            #expect(sandbox.requests == 6)
            #expect(sandbox.served["ListDomains"] == 2)
        }
    }

    @Test("what is no request is refused in awsJson, and the connection closed")
    func refusal() async throws {
        try await withSandbox(SandboxOptions()) { sandbox, client, _ in
            let reply = try await client.send("POST / HTTP/1.1\r\nHost: sandbox\r\nContent-Length: x\r\n\r\n")
            #expect(reply.status == 400)
            #expect(reply.fields["x-amzn-errortype"] == "SerializationException")
            #expect(reply.fields["connection"] == "close")
            #expect(sandbox.requests == 1)
        }
    }

    @Test("latency delays each answer and keeps no thread busy")
    func latency() async throws {
        let latency: Int64 = 500_000_000
        try await withSandbox(SandboxOptions(latency: latency)) { sandbox, client, other in
            let clock = ContinuousClock()
            let start = clock.now
            async let slow = Self.timed(client)
            // The only event loop shows the call as counted while the call's own answer is not there.
            var metrics = try await other.get("/metrics").text
            while !metrics.contains(#"{operation="ListDomains",result="ok"} 1"#) {
                metrics = try await other.get("/metrics").text
            }
            let seen = clock.now
            let (reply, end) = try await slow
            #expect(reply.status == 200)
            #expect(end - start >= .nanoseconds(latency))
            #expect(seen < end)
        }
    }

    private static func timed(_ client: LoopbackClient) async throws -> (HTTPReply, ContinuousClock.Instant) {
        let reply = try await client.post("ListDomains", "{}")
        return (reply, ContinuousClock.now)
    }

    /// The status of a call's answer; nothing if the connection ended without one.
    private static func outcome(_ client: LoopbackClient) async -> Int? {
        try? await client.post("ListDomains", "{}").status
    }

    @Test("a call that waits is answered before the sandbox shuts down, a client that has gone disturbs nobody")
    func shutDown() async throws {
        try await withSandbox(SandboxOptions(latency: 1_000_000_000)) { sandbox, client, other in
            async let gone = Self.outcome(other)
            async let reply = client.post("ListDomains", "{}")
            while sandbox.requests < 2 { await Task.yield() }
            try await other.close()
            await sandbox.shutDown()
            #expect(try await reply.status == 200)
            #expect(await gone == nil)
        }
    }

    @Test("several calls in one packet are answered in their order, latency or not", arguments: [0, 20_000_000])
    func pipelining(latency: Int64) async throws {
        try await withSandbox(SandboxOptions(burst: 1, latency: latency)) { _, client, _ in
            async let first = client.post("ListDomains", "{}")
            async let second = client.post("ListDomains", "{}")
            let statuses = try await [first.status, second.status].sorted()
            #expect(statuses == [200, 400])
        }
    }

    @Test("a sandbox with an option out of range does not come to be")
    func options() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        await #expect(throws: SandboxOptionError.self) {
            _ = try await Sandbox(
                options: SandboxOptions(jobs: -1), group: group, wallClock: { WallInstant(seconds: 0) })
        }
    }
}
