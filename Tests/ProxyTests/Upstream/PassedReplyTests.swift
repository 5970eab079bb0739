import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A reply that becomes no page is passed on", .timeLimit(.minutes(1)))
struct PassedReplyTests {
    private static let write = query(more: ",\"Name\":\"n\",\"ClientToken\":\"t-1\"")
    private static let session = query(more: ",\"SessionNameOrId\":\"s\"")

    @Test(
        "a good one to a write whatever its body is but an error, once, and the service stays healthy",
        arguments: ["null", "", "done", "[]", "{", "{\"__type\":7}"])
    func writes(_ body: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: body) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for count in 1...7 {
                    let reply = try await gateway.call("CreateWatchlist", Self.write)
                    #expect(reply.status == 200)
                    #expect(reply.text == body)
                    #expect(origin.requests.count == count)
                }
                #expect(try await gateway.metric("jobsproxy_breaker_state{service=\"voice-id\"}") == 0)
            }
        }
    }

    @Test(
        "to a live read and to an operation outside the catalog, unless it is an error",
        arguments: ["EvaluateSession", "SomethingNew"],
        [("null", 200), ("", 200), ("text", 200), ("[1]", 200), ("{\"__type\":\"Odd\"}", 500)])
    func live(_ operation: String, _ reply: (body: String, status: Int)) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: reply.body) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let answer = try await gateway.call(operation, Self.session)
                #expect(answer.status == reply.status)
                #expect(answer.text == reply.body)
                #expect(origin.requests.count == 1)
            }
        }
    }

    @Test("a page must be a whole JSON object", arguments: ["null", "", "[]", "{"])
    func pages(_ body: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: body) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 500)
            }
        }
    }
}

@Suite("A reply above maxReplyBytes", .timeLimit(.minutes(1)))
struct LargeReplyTests {
    @Test(
        "is an error at once that names the limit, and the service stays healthy",
        arguments: ["ListFraudsterRegistrationJobs", "EvaluateSession"], [true, false])
    func large(_ operation: String, _ isFramed: Bool) async throws {
        let body = "{\"a\":\"\(String(repeating: "x", count: 70_000))\"}"
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
        try await ScriptedOrigin.run({ _, _ in isFramed ? .reply(body: body) : .raw(chunked) }) { origin in
            let service = TestGateway.service(origin.url, more: ", maxReplyBytes: 64KiB")
            try await TestGateway.run(service) { gateway in
                let input = operation == "EvaluateSession" ? query(more: ",\"SessionNameOrId\":\"s\"") : query()
                for count in 1...7 {
                    let reply = try await gateway.call(operation, input)
                    #expect(reply.status == 500)
                    #expect(reply.errorCode == "InternalServerException")
                    #expect(reply.text.contains("maxReplyBytes (65536 bytes)"), "\(reply.text)")
                    #expect(reply.fields["cache-status"] == "jobs-proxy; detail=large-reply")
                    #expect(origin.requests.count == count)
                }
                #expect(try await gateway.metric("jobsproxy_breaker_state{service=\"voice-id\"}") == 0)
                let labels = "service=\"voice-id\",operation=\"\(operation)\",result=\"client_error\""
                #expect(try await gateway.metric("jobsproxy_upstream_attempts_total{\(labels)}") == 7)
            }
        }
    }

    @Test("is one above 16 MiB by default")
    func byDefault() async throws {
        let body = "{\"a\":\"\(String(repeating: "x", count: 12 << 20))\"}"
        try await ScriptedOrigin.run({ _, _ in .reply(body: body) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 200)
                #expect(reply.body.count == body.utf8.count)
            }
        }
    }
}
