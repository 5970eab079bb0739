import AWSProtocol
import NIOTestSupport
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Many services in one gateway", .timeLimit(.minutes(1)))
struct ServicesTests {
    /// Step Functions at a name that only the origin knows, which is its proxy.
    private static func stepFunctions(_ origin: ScriptedOrigin, more: String = "") -> String {
        """
        services:
          - {catalog: voice-id, endpoint: "\(origin.url)", credentials: \(TestGateway.credentials)}
          - {catalog: stepfunctions, endpoint: "http://states.example", proxy: "\(origin.url)", http2: "off",
             credentials: \(TestGateway.credentials)\(more)}

        """
    }

    private static let start = "{\"stateMachineArn\":\"arn:aws:states:us-east-1:123456789012:stateMachine:m\"}"

    private func call(
        _ gateway: TestGateway, _ target: String, _ body: String, host: String = "localhost", more: String = ""
    ) async throws -> HTTPReply {
        let client = try await gateway.client()
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: \(host)\r\nX-Amz-Target: \(target)\r\n\(more)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }

    @Test("An operation's word stands before the host that is called, signed for and named by SDKs")
    func hostPrefix() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(Self.stepFunctions(origin)) { gateway in
                for host in ["localhost", "sync-localhost", "sync-states.example", "states.example"] {
                    let reply = try await call(gateway, "AWSStepFunctions.StartSyncExecution", Self.start, host: host)
                    #expect(reply.status == 200, "\(host): \(reply.text)")
                }
                #expect(try await call(gateway, "AWSStepFunctions.ListActivities", "{}").status == 200)
                #expect(
                    try await call(gateway, "AWSStepFunctions.ListActivities", "{}", host: "sync.example").status == 403
                )
                let hosts = origin.requests.map { $0["host"] ?? "" }
                #expect(hosts == Array(repeating: "sync-states.example", count: 4) + ["states.example"])
                #expect(origin.requests.first?.target == "http://sync-states.example/")
            }
        }
    }

    @Test("A signature that is passed on may be for the host with the word before it")
    func passedOn() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let services = Self.stepFunctions(origin).replacing(
                "{catalog: stepfunctions,", with: "{catalog: stepfunctions, signing: passthrough,"
            ).replacing("\"off\",\n     credentials: \(TestGateway.credentials)", with: "\"off\"")
            try await TestGateway.run(services) { gateway in
                let signed =
                    "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/states/aws4_request, "
                    + "SignedHeaders=host, Signature=\(String(repeating: "0", count: 64))\r\n"
                let target = "AWSStepFunctions.StartSyncExecution"
                for host in ["sync-states.example", "states.example"] {
                    let reply = try await call(gateway, target, Self.start, host: host, more: signed)
                    #expect(reply.status == 200, "\(reply.text)")
                }
                let other = try await call(gateway, target, Self.start, host: "data-states.example", more: signed)
                #expect(other.status == 400)
                #expect(origin.requests.map { $0["host"] } == ["sync-states.example", "states.example"])
            }
        }
    }

    @Test("Requests are counted and logged by service")
    func labels() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(Self.stepFunctions(origin), access: "all") { gateway in
                for target in [
                    "AWSStepFunctions.ListActivities", "VoiceID.ListDomains", "AWSStepFunctions.New", "Other.New",
                ] {
                    _ = try await call(gateway, target, "{}")
                }
                let names = [
                    ("stepfunctions", "ListActivities", "miss"), ("voice-id", "ListDomains", "miss"),
                    ("stepfunctions", "other", "pass"), ("other", "other", "invalid"),
                ]
                let lines = String(decoding: gateway.assembly.accessLog?.buffer.take() ?? [], as: UTF8.self)
                for (service, operation, outcome) in names {
                    let labels = "service=\"\(service)\",operation=\"\(operation)\",caller=\"anonymous\""
                    let count = try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"\(outcome)\"}")
                    #expect(count == 1, "\(labels)")
                    #expect(lines.contains("\"service\":\"\(service)\",\"operation\":\"\(operation)\""))
                }
            }
        }
    }

    @Test("Limits and times to live are of one service's operations")
    func limits() async throws {
        let more = """
            limits: {operation: {"stepfunctions:List*": {rate: 0.001, burst: 1}}}
            cache: {ttl: {default: 9s, operation: {"voice-id:List*": 100s, "List*": 50s, "stepfunctions:ListActivities": 70s}}}

            """
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(Self.stepFunctions(origin) + more) { gateway in
                for _ in 0..<2 { _ = try await call(gateway, "VoiceID.ListDomains", "{}") }
                let page = try await call(gateway, "VoiceID.ListDomains", "{}")
                #expect(
                    page.fields["cache-status"] == "jobs-proxy; hit; ttl=99"
                        || page.fields["cache-status"] == "jobs-proxy; hit; ttl=100")
                #expect(try await call(gateway, "AWSStepFunctions.ListActivities", "{}").status == 200)
                let refused = try await call(gateway, "AWSStepFunctions.ListStateMachines", "{}")
                #expect(refused.errorCode == "ThrottlingException")
                #expect(refused.text.contains("stepfunctions:List*"))
            }
        }
    }
}
