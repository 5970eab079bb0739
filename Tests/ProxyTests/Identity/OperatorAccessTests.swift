import Foundation
import NIOPosix
import NIOTestSupport
import Testing

@testable import JobsProxy

@Suite("The operator's listener", .timeLimit(.minutes(1)))
struct OperatorAccessTests {
    private func get(_ gateway: TestGateway, _ path: String, token: String? = nil) async throws -> HTTPReply {
        let client = try await LoopbackClient(
            host: gateway.assembly.adminAddress.host, port: gateway.assembly.adminAddress.port,
            group: MultiThreadedEventLoopGroup.singleton)
        let field = token.map { "Authorization: \($0)\r\n" } ?? ""
        let reply = try await client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n")
        try await client.close()
        return reply
    }

    @Test("asks for its token, but not who looks after health")
    func token() async throws {
        let admin = "admin: {address: \"127.0.0.1:0\", token: {env: ADMIN_TOKEN}}\n"
        try await TestGateway.run("drain: 1s\n", admin: admin) { gateway in
            let token = try #require(TestGateway.secrets["ADMIN_TOKEN"])
            for path in ["/metrics", "/state", "/purge", "/nothing"] {
                for wrong in [
                    nil, "Bearer ", "Bearer \(token)x", "Bearer \(token.dropLast())x", "Basic \(token)", token,
                ] {
                    let reply = try await get(gateway, path, token: wrong)
                    #expect(reply.status == 401)
                    #expect(reply.fields["www-authenticate"] == "Bearer")
                }
            }
            #expect(try await get(gateway, "/metrics", token: "Bearer \(token)").status == 200)
            #expect(try await get(gateway, "/state", token: "bearer \(token)").status == 200)
            #expect(try await get(gateway, "/healthz").status == 200)
            #expect(try await get(gateway, "/readyz").status == 200)
        }
    }

    @Test("takes a target in absolute form for its own hosts only, whatever Host says")
    func absoluteForm() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            var statuses: [Int] = []
            for authority in ["localhost", "127.0.0.1:9090", "evil.example"] {
                statuses.append(try await get(gateway, "http://\(authority)/state").status)
            }
            #expect(statuses == [200, 200, 400])
        }
    }

    @Test("shows the gateway's state, without secrets")
    func state() async throws {
        let callers = """
            callers: [{name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}]

            """
        try await TestGateway.run(TestGateway.service("http://127.0.0.1:1/") + callers) { gateway in
            let text = try await get(gateway, "/state").text
            let state = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(state["serving"] as? Bool == true)
            #expect(state["callers"] as? [String] == ["anonymous", "tester"])
            #expect(state["anonymous"] as? String == "deny")
            let service = try #require((state["services"] as? [[String: Any]])?.first)
            #expect(service["endpoint"] as? String == "http://127.0.0.1:1")
            #expect(service["credentials"] as? String == "ready: UPSTREAM1")
            #expect(service["breaker"] as? String == "closed")
            let quotas = try #require(service["quotas"] as? [[String: Any]])
            #expect(quotas.contains { $0["name"] as? String == "batch" })
            #expect(!text.contains("canary"))
        }
    }

    @Test("does not show its state to callers")
    func callers() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let client = try await gateway.client()
            #expect(try await client.get("/state").status == 404)
            try await client.close()
        }
    }
}
