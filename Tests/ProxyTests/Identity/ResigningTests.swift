import AWSProtocol
import Foundation
import NIOTestSupport
import Primitives
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Requests to the service", .timeLimit(.minutes(1)))
struct ResigningTests {
    private static let page = "{\"JobSummaries\":[]}"

    /// Writes down what an origin got, for botocore to judge.
    private func verdict(_ requests: [ScriptedOrigin.Request], secret: String) async throws -> String {
        let lines = try requests.map { request in
            let object: [String: Any] = [
                "method": request.method, "target": request.target,
                "headers": request.fields.map { [$0.name, $0.value] },
                "body": Data(request.body).base64EncodedString(),
            ]
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("requests-\(UUID().uuidString)")
        try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await Python.run("verify_requests.py", [file.path, "us-east-1", "voiceid", "UPSTREAM1", secret])
    }

    @Test("are signed so that botocore would have signed them alike, retries too")
    func botocore() async throws {
        let failure = "{\"__type\":\"InternalServerException\",\"Message\":\"again\"}"
        try await ScriptedOrigin.run({ _, index in
            index % 3 == 0 ? .reply(status: 500, body: failure) : .reply(body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for letter in "ABCDEFGH" { #expect(try await gateway.page(query(domain: letter)).status == 200) }
                let more = ",\"Name\":\"n\",\"Description\":\"é漢\",\"ClientToken\":\"t-1\""
                #expect(try await gateway.call("CreateWatchlist", query(more: more)).status == 200)
                let client = try await SignedClient(gateway)
                let packed = gzipped(Array(query(domain: "I").utf8))
                let coding: [(name: String, value: String)] = [("Content-Encoding", "gzip")]
                #expect(try await client.post("ListSpeakers", packed, more: coding).status == 200)
                try await client.close()
                #expect(origin.requests.last?["content-encoding"] == "gzip")
                #expect(origin.requests.count > 9)
                let secret = try #require(TestGateway.secrets["UPSTREAM_SECRET"])
                #expect(try await verdict(origin.requests, secret: secret) == "\(origin.requests.count) good\n")
                // An oracle that says yes to everything would be none.
                #expect(try await verdict(origin.requests, secret: "another") == "0 good\n")
            }
        }
    }

    @Test("are signed alike over HTTP/2, retries too")
    func http2() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("h2-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try await Python.run("make_certificates.py", [directory])
        let output = try await Python.run(
            "http2_signatures.py", [TestProgram.path, directory], environment: TestGateway.secrets)
        // Every third request fails, and is sent again: of 45 all but 15 are the answers to 30 calls.
        #expect(output.hasSuffix("\n45 requests, 45 good\n") || output == "45 requests, 45 good\n", "\(output)")
    }

    @Test("carry nothing of what the caller sent but the target and the body")
    func hygiene() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: Self.page) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await SignedClient(gateway)
                let reply = try await client.post(
                    "ListFraudsterRegistrationJobs", query(),
                    more: [
                        ("Via", "1.1 a.example"), ("Cookie", "a=b"), ("X-Amz-Security-Token", "theirs"),
                        ("amz-sdk-request", "attempt=1"), ("Connection", "x-amz-target, authorization"),
                    ])
                #expect(reply.status == 200)
                let sent = try #require(origin.requests.first)
                #expect(
                    Set(sent.fields.map { $0.name.lowercased() }) == [
                        "host", "content-type", "x-amz-target", "x-amz-date", "authorization", "user-agent", "accept",
                        "content-length",
                    ])
                #expect(sent["authorization"]?.contains("Credential=UPSTREAM1/") == true)
                #expect(sent["host"] == "127.0.0.1:\(origin.port)")
                try await client.close()
            }
        }
    }

    @Test("bring back no field that the gateway does not know")
    func replyHygiene() async throws {
        let fields = [
            ("Set-Cookie", "a=b"), ("Server", "origin"), ("X-Internal", "secret"), ("Via", "1.1 x"),
            ("x-amzn-RequestId", "theirs"),
        ]
        try await ScriptedOrigin.run({ _, _ in .reply(fields: fields, body: Self.page) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.call(
                    "EvaluateSession", query(more: ",\"SessionNameOrId\":\"s-123456789012345678901234567890\""))
                #expect(reply.status == 200)
                #expect(
                    Set(reply.fields.keys).isSubset(of: [
                        "content-type", "content-length", "date", "cache-status", "x-amzn-requestid",
                        "x-jobsproxy-upstream-request-id",
                    ]), "\(reply.fields)")
            }
        }
    }

    @Test("are signed by the service's clock if that is far from ours, and sent again then", arguments: [-1000, 1000])
    func clock(offset: Int) async throws {
        let refusal = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}"
        try await ScriptedOrigin.run({ request, _ in
            let theirs = Process.wallClock().seconds + Int64(offset)
            let date = [("Date", Self.httpDate(theirs))]
            let signedAt = request["x-amz-date"].flatMap(AWSTime.basic) ?? 0
            return abs(signedAt - theirs) < 300
                ? .reply(fields: date, body: Self.page) : .reply(status: 400, fields: date, body: refusal)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let first = try await gateway.page(query(domain: "A"))
                #expect(first.status == 200)
                #expect(origin.requests.count == 2)
                #expect(try await gateway.page(query(domain: "B")).status == 200)
                #expect(origin.requests.count == 3)
            }
        }
    }

    @Test(
        "that were denied are signed by the service's clock if that is far from ours",
        arguments: ["AccessDeniedException", "AuthFailure"])
    func deniedForTheirTime(code: String) async throws {
        try await ScriptedOrigin.run({ request, _ in
            let theirs = Process.wallClock().seconds + 4000
            let date = [("Date", Self.httpDate(theirs))]
            let signedAt = request["x-amz-date"].flatMap(AWSTime.basic) ?? 0
            return abs(signedAt - theirs) < 300
                ? .reply(fields: date, body: Self.page)
                : .reply(status: 403, fields: date, body: "{\"__type\":\"\(code)\"}")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for letter in "AB" {
                    let reply = try await gateway.page(query(domain: letter))
                    #expect(reply.status == 200)
                }
                #expect(origin.requests.count == 3)
            }
        }
    }

    @Test(
        "are never signed for a time that is more than a day away",
        arguments: [
            "Thu, 01 Jan 2099 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT",
        ])
    func impossibleDate(date: String) async throws {
        try await ScriptedOrigin.run({ _, index in
            index == 0
                ? .reply(status: 403, fields: [("Date", date)], body: "{\"__type\":\"InvalidSignatureException\"}")
                : .reply(body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                #expect(try await gateway.page(query(domain: "A")).status == 403)
                #expect(try await gateway.page(query(domain: "B")).status == 200)
                let signedAt = try #require(origin.requests.last?["x-amz-date"].flatMap(AWSTime.basic))
                #expect(abs(signedAt - Process.wallClock().seconds) < 60)
                #expect(origin.requests.count == 2)
            }
        }
    }

    @Test(
        "that the service does not accept are signed with newer credentials, once",
        arguments: [
            "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException",
        ])
    func renewedCredentials(code: String) async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: home) }
        let file = home.appendingPathComponent("credentials")
        let write: @Sendable (String) -> Void = { key in
            let text = "[default]\naws_access_key_id = \(key)\naws_secret_access_key = s\n"
            try? text.write(to: file, atomically: true, encoding: .utf8)
        }
        write("OLD")
        let refusal = "{\"__type\":\"\(code)\",\"message\":\"no longer\"}"
        try await ScriptedOrigin.run({ request, _ in
            guard request["authorization"]?.contains("Credential=NEW/") == true else {
                write("NEW")
                return .reply(status: 403, body: refusal)
            }
            return .reply(body: Self.page)
        }) { origin in
            let environment = [
                "AWS_SHARED_CREDENTIALS_FILE": file.path, "AWS_CONFIG_FILE": file.path + "-none",
                "AWS_EC2_METADATA_DISABLED": "true",
            ]
            let service = TestGateway.service(origin.url, credentials: "default")
            try await TestGateway.run(service, environment: environment) { gateway in
                // A write without a token too: what was refused has done nothing.
                let reply = try await gateway.call("DeleteDomain", query())
                #expect(reply.status == 200)
                #expect(origin.requests.count == 2)
                #expect(try await gateway.page(query()).status == 200)
                #expect(origin.requests.count == 3)
            }
        }
    }

    @Test("that are refused with newer credentials too get the service's own answer")
    func uselessRenewal() async throws {
        let refusal = "{\"__type\":\"ExpiredTokenException\",\"message\":\"no longer\"}"
        try await ScriptedOrigin.run({ _, _ in .reply(status: 403, body: refusal) }) { origin in
            let environment = [
                "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true",
            ]
            let service = TestGateway.service(origin.url, credentials: "default")
            try await TestGateway.run(service, environment: environment) { gateway in
                for count in [2, 3] {
                    let reply = try await gateway.page(query())
                    #expect(reply.status == 403)
                    #expect(reply.text == refusal)
                    #expect(origin.requests.count == count)
                }
            }
        }
    }

    @Test("that were refused together for their time are all sent again")
    func clockInParallel() async throws {
        let refusal = "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}"
        try await ScriptedOrigin.run({ request, index in
            let theirs = Process.wallClock().seconds + 1000
            let date = [("Date", Self.httpDate(theirs))]
            let signedAt = request["x-amz-date"].flatMap(AWSTime.basic) ?? 0
            return abs(signedAt - theirs) < 300
                ? .reply(fields: date, body: Self.page) : .reply(status: 400, fields: date, body: refusal)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for letter in "ABCDEFGH" {
                        group.addTask { try await gateway.page(query(domain: letter)).status }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses == [Int](repeating: 200, count: 8))
            }
        }
    }

    @Test("are not signed by the clock of an answer that refuses nothing")
    func foreignDate() async throws {
        try await ScriptedOrigin.run({ _, _ in
            .reply(fields: [("Date", "Thu, 01 Jan 1970 00:00:00 GMT")], body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for letter in "AB" { _ = try await gateway.page(query(domain: letter)) }
                let last = try #require(origin.requests.last)
                let signedAt = try #require(last["x-amz-date"].flatMap(AWSTime.basic))
                #expect(abs(signedAt - Process.wallClock().seconds) < 60)
            }
        }
    }

    @Test("that the service will not accept take no page away")
    func expiredCredentials() async throws {
        let refusal = "{\"__type\":\"ExpiredTokenException\",\"message\":\"The security token is expired\"}"
        let cache = "cache: {ttl: {default: 0ms}, staleWhileRevalidate: 0ms}\n"
        try await ScriptedOrigin.run({ _, index in
            index == 0 ? .reply(body: Self.page) : .reply(status: 403, body: refusal)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + cache) { gateway in
                _ = try await gateway.page(query())
                for _ in 0..<2 {
                    let reply = try await gateway.page(query())
                    #expect(reply.status == 200)
                    #expect(reply.fields["cache-status"]?.contains("fwd-status=403; detail=error") == true)
                }
                #expect(origin.requests.count == 3)
            }
        }
    }

    private static func httpDate(_ seconds: Int64) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
    }
}
