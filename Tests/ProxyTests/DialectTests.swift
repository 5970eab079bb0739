import Foundation
import CatalogImport
import Gateway
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

/// A catalog in a file for as long as a test takes.
private struct CatalogOnDisk: ~Copyable {
    let path: String

    init(_ text: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("catalog-\(UUID().uuidString).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        path = file.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func service(_ url: String) -> String {
        """
        services: [{catalog: \(path), name: things, endpoint: "\(url)", credentials: \(TestGateway.credentials)}]
        cache: {negative: {GoneException: 5s, QueueDoesNotExist: 5s}}
        drain: 1s

        """
    }
}

private func catalog(_ protocolKeys: String, rate: Int = 1000) -> String {
    """
    name: things
    signingName: things
    targetPrefix: Things
    errorNamespace: com.amazonaws.things
    \(protocolKeys)
    quotas: { default: { rate: \(rate) } }
    operations:
      ListThings: { kind: page, quota: default, input: { Id: Id } }
      DoThing: { kind: write, quota: default, input: { Id: Id! } }
      SignUp: { kind: write, quota: default, auth: none, input: { Id: Id! } }
      GetId: { kind: live, quota: default, auth: none }
    shapes: { Id: { type: string, max: 9 } }

    """
}

extension TestGateway {
    fileprivate func thing(_ operation: String, _ body: String, more: String = "Host: localhost\r\n") async throws
        -> HTTPReply
    {
        let client = try await client()
        let reply = try await client.send(
            "POST / HTTP/1.1\r\n\(more)X-Amz-Target: Things.\(operation)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }
}

@Suite("A service's version of awsJson", .timeLimit(.minutes(1)))
struct VersionTests {
    @Test(
        "is that of requests to it and of all answers for it",
        arguments: [("awsJson1_0", "1.0", "com.amazonaws.things#"), ("awsJson1_1", "1.1", "")])
    func version(_ name: String, _ version: String, _ namespace: String) async throws {
        let type = "application/x-amz-json-\(version)"
        let file = try CatalogOnDisk(catalog("protocol: \(name)"))
        try await ScriptedOrigin.run({ request, _ in
            request.text.contains("gone")
                ? .reply(status: 400, body: "{\"__type\":\"GoneException\"}") : .reply(body: "{\"a\":1}")
        }) { origin in
            try await TestGateway.run(file.service(origin.url)) { gateway in
                let bodies = ["{}", "{}", "{\"Id\":\"gone\"}", "{\"Id\":\"gone\"}", "{\"Id\":\"0123456789\"}", "x"]
                for (body, status) in zip(bodies, [200, 200, 400, 400, 400, 400]) {
                    let reply = try await gateway.thing("ListThings", body)
                    #expect(reply.status == status, "\(body)")
                    #expect(reply.fields["content-type"] == type, "\(body)")
                    #expect(reply.fields["x-amzn-query-error"] == nil)
                }
                #expect(origin.requests.map { $0["content-type"] } == [type, type])
                #expect(origin.requests.allSatisfy { $0["x-amzn-query-mode"] == nil })
                let invalid = try await gateway.thing("DoThing", "{}")
                #expect(invalid.text.hasPrefix("{\"__type\":\"\(namespace)ValidationException\""), "\(invalid.text)")
            }
        }
    }

    @Test("is that of throttles")
    func throttle() async throws {
        let file = try CatalogOnDisk(catalog("protocol: awsJson1_1"))
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let limits = "limits: {caller: {rate: 0.01, burst: 1}}\n"
            try await TestGateway.run(file.service(origin.url) + limits) { gateway in
                _ = try await gateway.thing("ListThings", "{}")
                let reply = try await gateway.thing("ListThings", "{}")
                #expect(reply.errorCode == "ThrottlingException")
                #expect(reply.fields["content-type"] == "application/x-amz-json-1.1")
                #expect(reply.text.hasPrefix("{\"__type\":\"ThrottlingException\",\"Message\":"), "\(reply.text)")
                #expect(reply.text.hasSuffix(" ms.\"}"), "\(reply.text)")
            }
        }
    }
}

@Suite("A service that once had the query protocol", .timeLimit(.minutes(1)))
struct QueryCompatibleTests {
    private static let keys =
        "protocol: awsJson1_0\nqueryCompatible: true\nqueryErrors: {GoneException: 'Things.Gone;Receiver'}"

    @Test("is asked for its codes, and they are in relayed, kept and local errors")
    func codes() async throws {
        let file = try CatalogOnDisk(catalog(Self.keys))
        try await ScriptedOrigin.run({ request, _ in
            if request.text.contains("gone") { return .reply(status: 400, body: "{\"__type\":\"x#GoneException\"}") }
            if request.text.contains("own") {
                let fields = [("x-amzn-query-error", "Its.Own;Sender")]
                return .reply(status: 400, fields: fields, body: "{\"__type\":\"x#GoneException\"}")
            }
            return request.text.contains("odd")
                ? .reply(status: 501, body: "{\"__type\":\"OddException\"}") : .reply(body: "{}")
        }) { origin in
            let limits = "limits: {caller: {rate: 0.01, burst: 9}}\n"
            try await TestGateway.run(file.service(origin.url) + limits) { gateway in
                let expected: [(String, String?)] = [
                    ("{}", nil), ("{}", nil), ("{\"Id\":\"gone\"}", "Things.Gone;Receiver"),
                    ("{\"Id\":\"gone\"}", "Things.Gone;Receiver"), ("{\"Id\":\"own\"}", "Its.Own;Sender"),
                    ("{\"Id\":\"own\"}", "Its.Own;Sender"), ("{\"Id\":\"odd\"}", "OddException;Receiver"),
                    ("{\"Id\":\"0123456789\"}", "ValidationException;Sender"), ("{", "SerializationException;Sender"),
                    ("{}", "ThrottlingException;Sender"),
                ]
                for (body, value) in expected {
                    let reply = try await gateway.thing("ListThings", body)
                    #expect(reply.fields["x-amzn-query-error"] == value, "\(body)")
                }
                // A page, and three errors of which two are kept.
                #expect(origin.requests.count == 4)
                #expect(origin.requests.allSatisfy { $0["x-amzn-query-mode"] == "true" })
                #expect(
                    origin.requests.allSatisfy {
                        $0["authorization"]?.contains("x-amz-target;x-amzn-query-mode,") == true
                    })
            }
        }
    }

    @Test("has the same exceptions in botocore with the gateway and without")
    func botocore() async throws {
        let model = try await Python.run("service_model.py", ["sqs"])
        let file = try CatalogOnDisk(try CatalogImporter().catalog(ofModel: Array(model.utf8)))
        let body = "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"The queue does not exist.\"}"
        try await ScriptedOrigin.run({ _, _ in
            let fields = [("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")]
            return .reply(status: 400, fields: fields, body: body)
        }) { origin in
            let limits = "limits: {caller: {rate: 0.01, burst: 2}}\n"
            try await TestGateway.run(file.service(origin.url) + limits) { gateway in
                let output = try await Python.run("query_errors.py", [gateway.url, origin.url])
                #expect(output == "same\nThrottlingException Sender\n")
                // One of them straight.
                #expect(origin.requests.count == 2)
            }
        }
    }
}

@Suite("A call in rpc-v2-cbor", .timeLimit(.minutes(1)))
struct OtherProtocolTests {
    @Test("gets an error that its client can read")
    func botocore() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let output = try await Python.run("other_protocol.py", [gateway.url])
            #expect(output.hasPrefix("415 UnsupportedMediaTypeException\nThis gateway speaks awsJson"), "\(output)")
        }
    }

    @Test(
        "is one by its path and its field",
        arguments: [
            ("/service/A/operation/B", "Smithy-Protocol: rpc-v2-cbor\r\n", 415),
            ("/prefix/service/A/operation/B", "smithy-protocol: rpc-v2-cbor\r\n", 415),
            ("/service/A/operation/B", "", 404), ("/service/A/operation/B", "Smithy-Protocol: rpc-v2-json\r\n", 404),
            ("/service/A", "Smithy-Protocol: rpc-v2-cbor\r\n", 404),
        ])
    func path(_ path: String, _ field: String, _ status: Int) async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let client = try await gateway.client()
            let reply = try await client.send(
                "POST \(path) HTTP/1.1\r\nHost: localhost\r\n\(field)Content-Length: 1\r\n\r\n\u{20}")
            #expect(reply.status == status)
            #expect((reply.fields["content-type"] == "application/cbor") == (status == 415))
            #expect((reply.body.first == 0xa2) == (status == 415))
            try await client.close()
        }
    }
}

@Suite("An operation that its service asks no signature for", .timeLimit(.minutes(1)))
struct UnsignedOperationTests {
    private static let keys = """
        callers:
          - {name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}

        """

    @Test("is called without a signature, and sent on without one, each time")
    func unsigned() async throws {
        let file = try CatalogOnDisk(catalog("protocol: awsJson1_1"))
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(file.service(origin.url) + Self.keys) { gateway in
                let fields = ["Host: localhost\r\n", "Host: gateway.example\r\nX-Forwarded-For: 192.0.2.1\r\n"]
                for (operation, body) in [("GetId", "{}"), ("GetId", "{}"), ("SignUp", "{\"Id\":\"a\"}")] {
                    for more in fields {
                        let reply = try await gateway.thing(operation, body, more: more)
                        #expect(reply.status == 200 && reply.fields["cache-status"] == "jobs-proxy; fwd=bypass")
                        let request = try #require(origin.requests.last)
                        #expect(request["authorization"] == nil && request["x-amz-date"] == nil && request.text == body)
                        #expect(request["content-type"] == "application/x-amz-json-1.1")
                    }
                }
                #expect(origin.requests.count == 6)
                let labels = "service=\"things\",operation=\"GetId\",caller=\"anonymous\",outcome=\"pass\""
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels)}") == 4)
                // What it is not.
                let others = [
                    ("ListThings", "{}", ""), ("NewThing", "{}", ""), ("GetId", "{}", "Origin: https://a.example\r\n"),
                ]
                for (operation, body, more) in others {
                    let reply = try await gateway.thing(operation, body, more: "Host: localhost\r\n\(more)")
                    #expect(reply.status == 403, "\(operation)")
                }
                let foreign =
                    "Authorization: AWS4-HMAC-SHA256 Credential=GWNOBODY/20300101/us-east-1/things/aws4_request\r\n"
                #expect(try await gateway.thing("GetId", "{}", more: "Host: localhost\r\n\(foreign)").status >= 400)
                #expect(origin.requests.count == 6)
            }
        }
    }
}
