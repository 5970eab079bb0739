import Foundation
import NIOPosix
import NIOTestSupport
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Access lines", .timeLimit(.minutes(1)))
struct AccessLineTests {
    /// So many lines, as soon as they are there.
    private func lines(_ count: Int, of gateway: TestGateway) async throws -> [[String: Any]] {
        let log = try #require(gateway.assembly.accessLog)
        var bytes: [UInt8] = []
        let end = ContinuousClock.now + .seconds(20)
        while bytes.count(where: { $0 == 0x0a }) < count, ContinuousClock.now < end {
            bytes += log.buffer.take()
            await Task.yield()
        }
        return try bytes.split(separator: 0x0a).map {
            try #require(JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])
        }
    }

    private func send(_ gateway: TestGateway, _ body: String, fields: String) async throws -> HTTPReply {
        let client = try await gateway.client()
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n\(fields)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }

    @Test("of a failed call lead from the client's error to the service's own id")
    func failed() async throws {
        let failing = "{\"__type\":\"InternalServerException\",\"Message\":\"oh\"}"
        try await ScriptedOrigin.run({ _, index in
            .reply(status: 500, fields: [("x-amzn-RequestId", "upstream-\(index)")], body: failing)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url), access: "errors") { gateway in
                let fields =
                    "amz-sdk-invocation-id: 3b1c\"\\x\r\namz-sdk-request: attempt=1; max=3\r\n"
                    + "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n"
                let reply = try await send(gateway, query(), fields: fields)
                #expect(reply.status == 500)
                let line = try #require(try await lines(1, of: gateway).first)
                #expect(line["requestId"] as? String == reply.fields["x-amzn-requestid"])
                #expect(line["upstreamRequestId"] as? String == "upstream-2")
                #expect(line["attempts"] as? Int == 3)
                #expect(
                    line["outcome"] as? String == "failed" && line["detail"] as? String == "InternalServerException")
                #expect(line["status"] as? Int == 500)
                #expect(
                    line["region"] as? String == "us-east-1"
                        && line["domain"] as? String == String(repeating: "A", count: 22))
                #expect(line["bytesIn"] as? Int == query().utf8.count && line["bytesOut"] as? Int == failing.utf8.count)
                #expect(line["peer"] as? String == "127.0.0.1")
                #expect(line["cacheStatus"] as? String == reply.fields["cache-status"])
                #expect(line["invocationId"] as? String == "3b1c\"\\x" && line["attempt"] as? Int == 1)
                #expect(line["traceId"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
                let upstream = try #require(line["upstreamUs"] as? Int)
                let queue = try #require(line["queueUs"] as? Int)
                let duration = try #require(line["durationUs"] as? Int)
                #expect(upstream > 0 && queue >= 0 && upstream + queue <= duration)
                #expect((line["time"] as? String)?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
                #expect(line["level"] as? String == "info" && line["message"] as? String == "request")
                #expect(line["cause"] == nil && line["accessKeyId"] == nil && line["ageS"] == nil)
            }
        }
    }

    @Test("tell the cause in words where there is no reply, and hide it from the client")
    func unreachable() async throws {
        let yaml = TestGateway.service("http://127.0.0.1:1") + "retry: {maxAttempts: 1}\n"
        try await TestGateway.run(yaml, access: "errors") { gateway in
            let reply = try await gateway.page(query())
            #expect(reply.status == 500 && !reply.text.contains("127.0.0.1"))
            let line = try #require(try await lines(1, of: gateway).first)
            #expect(line["detail"] as? String == "connect")
            #expect((line["cause"] as? String)?.contains("Failed to connect to 127.0.0.1 port 1") == true)
        }
    }

    @Test("of a service with a certificate of an authority that is not trusted say so")
    func certificate() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let front = try await SecureFront(origin: origin.port, try OriginCertificate())
            let yaml = TestGateway.service(front.url) + "retry: {maxAttempts: 1}\n"
            try await TestGateway.run(yaml, access: "errors") { gateway in
                #expect(try await gateway.page(query()).status == 500)
                let line = try #require(try await lines(1, of: gateway).first)
                #expect(line["cause"] as? String == "certificate is signed by an unknown authority")
            }
            try await front.stop()
        }
    }

    @Test(
        "name the peer of what is refused before it is understood, and of connections that are closed without an answer"
    )
    func peers() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url), access: "errors") { gateway in
                let refused = try await gateway.client()
                let reply = try await refused.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n")
                #expect(reply.status == 400)
                let broken = try await gateway.client()
                await #expect(throws: (any Error).self) {
                    try await broken.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnothing that it could be")
                }
                let lines = try await lines(2, of: gateway)
                #expect(lines.map { $0["detail"] as? String } == ["content_length", "broken_protocol"])
                #expect(lines.allSatisfy { $0["peer"] as? String == "127.0.0.1" })
                #expect(lines.map { $0["outcome"] as? String } == ["invalid", "dropped"])
                #expect(lines.last?["status"] == nil && lines.last?["requestId"] == nil)
            }
        }
    }

    @Test("name the access key of who is refused for its identity, and no other")
    func refused() async throws {
        let callers = "callers: [{name: a, keys: [{accessKeyId: GOODKEY1, secretAccessKey: {env: CALLER_SECRET}}]}]\n"
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + callers, access: "errors") { gateway in
                let authorization =
                    "Authorization: AWS4-HMAC-SHA256 Credential=LOSTKEY1/20260101/us-east-1/voiceid/aws4_request, "
                    + "SignedHeaders=host;x-amz-date;x-amz-target, Signature=\(String(repeating: "0", count: 64))\r\n"
                    + "X-Amz-Date: 20260101T000000Z\r\n"
                #expect(try await send(gateway, query(), fields: authorization).status == 403)
                let line = try #require(try await lines(1, of: gateway).first)
                #expect(line["outcome"] as? String == "denied" && line["accessKeyId"] as? String == "LOSTKEY1")
                #expect(line["caller"] as? String == "unknown")
                #expect(!"\(line)".contains("Signature") && !"\(line)".contains("00000000000000"))
            }
        }
    }

    @Test("of pages tell their age, and of the rest no more than there is")
    func pages() async throws {
        try await ScriptedOrigin.run({ _, _ in
            .reply(fields: [("x-amzn-RequestId", "upstream-1")], body: "{\"JobSummaries\":[]}")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url), access: "all") { gateway in
                _ = try await gateway.page(query())
                let hit = try await gateway.page(query())
                let lines = try await lines(2, of: gateway)
                #expect(lines.map { $0["outcome"] as? String } == ["miss", "hit"])
                #expect(lines.map { $0["upstreamRequestId"] as? String } == ["upstream-1", nil])
                #expect(lines.map { $0["ageS"] as? Int } == [0, 0])
                #expect(lines.map { $0["bytesOut"] as? Int } == [19, 19])
                #expect(lines.last?["cacheStatus"] as? String == hit.fields["cache-status"])
                #expect(lines.allSatisfy { $0["traceId"] == nil && $0["cause"] == nil })
            }
        }
    }

    /// What the process writes to standard error while it is asked for what is not there, and then told to end.
    private func log(_ section: String) async throws -> [Substring] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\nlog: \(section)\ndrain: 0s\n"
            .write(to: file, atomically: true, encoding: .utf8)
        let program = try TestProgram.start("serve", "--config", file.path, keepsErrors: true)
        let output = try #require(await program.output(upTo: "Operator:"))
        let address = try #require(output.split(separator: "\n").first { $0.hasPrefix("Callers:") })
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        let client = try await LoopbackClient(
            host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
        #expect(try await client.get("/nothing").status == 404)
        try await client.close()
        program.terminate()
        let text = try #require(await program.errors(upTo: "not-found"))
        await program.kill()
        return text.split(separator: "\n")
    }

    @Test("are in the format of all other lines", arguments: ["{access: errors}", "{access: errors, format: json}"])
    func json(section: String) async throws {
        let lines = try await log(section)
        #expect(lines.count >= 2)
        for line in lines {
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["time"] is String && object?["level"] is String && object?["message"] is String, "\(line)")
        }
        #expect(lines.contains { $0.contains("\"message\":\"serving\",\"address\":\"127.0.0.1:") })
    }

    @Test("are pairs of names and values like all other lines, where that is the format")
    func text() async throws {
        let lines = try await log("{access: errors, format: text}")
        #expect(lines.count >= 2)
        for line in lines { #expect(line.prefixMatch(of: /time=\S+Z level=\w+ message=/) != nil, "\(line)") }
        #expect(
            lines.contains {
                $0.contains("message=request service=other operation=other caller=unknown outcome=invalid")
            })
    }
}
