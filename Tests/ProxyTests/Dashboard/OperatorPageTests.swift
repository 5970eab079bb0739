import Foundation
import NIOPosix
import NIOTestSupport
import Testing

@testable import JobsProxy

@Suite("The operator's page and its events", .timeLimit(.minutes(1)))
struct OperatorPageTests {
    private static let admin = "admin: {address: \"127.0.0.1:0\", token: {env: ADMIN_TOKEN}}\n"

    private func get(_ gateway: TestGateway, _ path: String, fields: String = "") async throws -> HTTPReply {
        let client = try await LoopbackClient(
            host: gateway.assembly.adminAddress.host, port: gateway.assembly.adminAddress.port,
            group: MultiThreadedEventLoopGroup.singleton)
        let reply = try await client.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n")
        try await client.close()
        return reply
    }

    /// Begins to watch; HTTP/1.0 has no chunks.
    private func watch(_ gateway: TestGateway, fields: String = "") throws -> StreamClient {
        let client = try StreamClient(port: gateway.assembly.adminAddress.port)
        client.send("GET /events HTTP/1.0\r\nHost: localhost\r\n\(fields)\r\n")
        return client
    }

    /// The next event of this name.
    private func event(_ name: String, of client: StreamClient) async throws -> [String: Any] {
        _ = try await client.text(upTo: "event: \(name)\ndata: ")
        let data = try await client.text(upTo: "\n\n")
        return try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
    }

    @Test("is served to everybody, holds no figures, and may load nothing from elsewhere")
    func page() async throws {
        try await TestGateway.run("drain: 1s\n", admin: Self.admin) { gateway in
            let reply = try await get(gateway, "/")
            #expect(reply.status == 200)
            #expect(reply.fields["content-type"] == "text/html; charset=utf-8")
            let policy = try #require(reply.fields["content-security-policy"])
            #expect(policy.hasPrefix("default-src 'none'; script-src 'sha256-"))
            #expect(!policy.contains("unsafe"))
            #expect(reply.text.contains("data-token=\"asked\""))
            #expect(!reply.text.contains("voice-id"))
        }
    }

    @Test("ends the events of those who began to watch with a token that a reload has replaced")
    func replacedToken() async throws {
        let file = NSTemporaryDirectory() + "token-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "canary-first".write(toFile: file, atomically: true, encoding: .utf8)
        let admin = "admin: {address: \"127.0.0.1:0\", token: {file: \"\(file)\"}}\n"
        try await TestGateway.run("drain: 1s\n", admin: admin) { gateway in
            let client = try watch(gateway, fields: "Authorization: Bearer canary-first\r\n")
            _ = try await event("now", of: client)
            gateway.assembly.reloader.reload(.request)
            _ = try await event("now", of: client)
            try "canary-second".write(toFile: file, atomically: true, encoding: .utf8)
            gateway.assembly.reloader.reload(.request)
            // The connection ends: there are events until then.
            _ = try await client.remainder()
            #expect(try await get(gateway, "/events", fields: "Authorization: Bearer canary-first\r\n").status == 401)
        }
    }

    @Test("shows events only to those who have the token")
    func token() async throws {
        try await TestGateway.run("drain: 1s\n", admin: Self.admin) { gateway in
            #expect(try await get(gateway, "/events").status == 401)
            #expect(try await get(gateway, "/events", fields: "Authorization: Bearer no\r\n").status == 401)
            let token = try #require(TestGateway.secrets["ADMIN_TOKEN"])
            let client = try watch(gateway, fields: "Authorization: Bearer \(token)\r\n")
            #expect(try await client.text(upTo: "\r\n").contains("200 OK"))
            _ = try await event("now", of: client)
        }
    }

    @Test("shows no events to another page of the browser, where there is no token")
    func crossSite() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            for fields in [
                "Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n", "X-Forwarded-For: 192.0.2.1\r\n",
            ] {
                let status = try await get(gateway, "/events", fields: fields).status
                #expect(status == 403)
            }
            let status = try await get(gateway, "/", fields: "Sec-Fetch-Site: cross-site\r\n").status
            #expect(status == 200)
        }
    }

    @Test("has the figures of /metrics, the pages that are asked for, and what was logged")
    func figures() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let client = try watch(gateway)
            let history = try await event("history", of: client)
            #expect((history["counters"] as? [String: Any])?["hit"] as? [Double] != nil)
            for _ in 0..<3 { #expect(try await gateway.call("ListDomains", "{\"MaxResults\":10}").status == 200) }
            var counts: [String: Int] = [:]
            while counts["hit"] != 2 {
                let now = try await event("now", of: client)
                let metrics = try #require(now["metrics"] as? [String: [String: Any]])
                let rows = try #require(metrics["jobsproxy_requests_total"]?["rows"] as? [[Any]])
                counts = Dictionary(uniqueKeysWithValues: rows.map { ("\($0[0])", $0[1] as? Int ?? -1) })
                guard counts["hit"] == 2 else { continue }
                #expect(counts["miss"] == 1)
                let callers = try #require((now["callers"] as? [String: Any])?["rows"] as? [[Any]])
                #expect(callers.first?[0] as? String == "anonymous")
                #expect(callers.first?[2] as? Int == 3)
                let pages = try #require((now["pages"] as? [String: Any])?["rows"] as? [[Any]])
                #expect(pages.first?[2] as? String == "ListDomains")
                #expect(pages.first?[3] as? String == "MaxResults 10")
                #expect(pages.first?[7] as? Int == 2)
                #expect(metrics["jobsproxy_quota_rate"]?["labels"] as? [String] == ["service", "group"])
                #expect(
                    (now["events"] as? [[Any]])?.contains { ($0[2] as? String)?.hasPrefix("serving") == true } == true)
            }
            client.close()
        }
    }

    @Test("refuses one watcher too many, and says how many may")
    func tooMany() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            var clients: [StreamClient] = []
            for _ in 0..<16 {
                let client = try watch(gateway)
                _ = try await event("now", of: client)
                clients.append(client)
            }
            let refused = try await get(gateway, "/events")
            #expect(refused.status == 503)
            #expect(refused.text.contains("16 clients"))
            // Scrapes go on.
            #expect(try await get(gateway, "/metrics").status == 200)
            for client in clients { client.close() }
        }
    }

    @Test("has no page on the callers' listener")
    func callers() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let client = try await LoopbackClient(
                host: "127.0.0.1", port: gateway.assembly.address.port, group: MultiThreadedEventLoopGroup.singleton)
            #expect(try await client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 405)
            #expect(try await client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 404)
            try await client.close()
        }
    }
}
