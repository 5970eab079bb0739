import AWSProtocol
import Foundation
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("What a service says of an error", .timeLimit(.minutes(1)))
struct ServiceErrorTests {
    private static let page = "{\"JobSummaries\":[]}"
    private static let noPages = "cache: {ttl: {default: 0ms}, staleWhileRevalidate: 0ms, staleIfError: 0ms}\n"

    private static func error(_ code: String) -> String { "{\"__type\":\"x#\(code)\",\"message\":\"m\"}" }

    @Test(
        "a throttle by any of the SDKs' codes leaves the older page in place", arguments: ErrorCode.throttling.sorted())
    func throttles(code: String) async throws {
        let cache = "cache: {ttl: {default: 0ms}, staleWhileRevalidate: 0ms}\n"
        try await ScriptedOrigin.run({ _, index in
            index == 0 ? .reply(body: Self.page) : .reply(status: 400, body: Self.error(code))
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + cache) { gateway in
                for _ in 0..<3 {
                    let reply = try await gateway.page(query())
                    #expect(reply.status == 200)
                }
                #expect(origin.requests.count > 1)
            }
        }
    }

    private static let disguises = [
        error("InternalServerException"), error("SomethingElse"), "{\"code\":\"Odd\",\"message\":\"m\"}",
    ]

    @Test(
        "under a good status reaches the client as an error, and no page is made of it", arguments: disguises,
        ["ListFraudsterRegistrationJobs", "DescribeDomain", "DeleteDomain"])
    func disguised(body: String, operation: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: body) }) { origin in
            let retry = "retry: {maxAttempts: 1}\n"
            try await TestGateway.run(TestGateway.service(origin.url) + retry) { gateway in
                for _ in 0..<2 {
                    let reply = try await gateway.call(operation, query())
                    #expect(reply.status == 500)
                    #expect(reply.text == body)
                    #expect(reply.fields["x-amzn-errortype"] != nil)
                    #expect(reply.fields["age"] == nil)
                    #expect(reply.fields["cache-status"]?.hasSuffix("; fwd-status=200") == true)
                }
                #expect(origin.requests.count == 2)
                let labels = "service=\"voice-id\",operation=\"\(operation)\",caller=\"anonymous\""
                #expect(try await gateway.metric("jobsproxy_requests_total{\(labels),outcome=\"failed\"}") == 2)
            }
        }
    }

    @Test("when to come back is passed on, and our own next attempt does not come before", arguments: [400, 503])
    func retryAfter(status: Int) async throws {
        let times = Times()
        let code = status == 400 ? "SlowDown" : "ServiceUnavailable"
        try await ScriptedOrigin.run({ _, index in
            times.note()
            let fields = [("Retry-After", "0"), ("x-amz-retry-after", "400")]
            return index == 0 ? .reply(status: status, fields: fields, body: Self.error(code)) : .reply(body: Self.page)
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + Self.noPages) { gateway in
                let first = try await gateway.page(query())
                if status == 400 {
                    #expect(first.status == 400)
                    #expect(first.fields["retry-after"] == "0")
                    #expect(first.fields["x-amz-retry-after"] == "400")
                    // Another page of the same quota group has to wait as long.
                    #expect(try await gateway.page(query(domain: "B")).status == 200)
                } else {
                    #expect(first.status == 200)
                }
                let gap = try #require(times.gaps.first)
                #expect(gap >= .milliseconds(400))
                #expect(origin.requests.count == 2)
            }
        }
    }

    @Test("a wait that is longer than the call's time ends the call with the service's own error")
    func longWait() async throws {
        try await ScriptedOrigin.run({ _, _ in
            .reply(status: 503, fields: [("Retry-After", "86400")], body: Self.error("ServiceUnavailable"))
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 503)
                #expect(reply.fields["retry-after"] == "86400")
                #expect(origin.requests.count == 1)
            }
        }
    }

    @Test("no field of 60 KB is passed on")
    func longField() async throws {
        let long = String(repeating: "E", count: 60_000)
        try await ScriptedOrigin.run({ _, _ in
            .reply(status: 400, fields: [("x-amzn-ErrorType", long)], body: Self.error("Odd"))
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 400)
                #expect(reply.errorCode == "Odd")
                let longest = reply.fields.values.map(\.utf8.count).max() ?? 0
                #expect(longest < 200)
            }
        }
    }

    @Test("the code for clients of services that once had another protocol is passed on, and kept with the error")
    func queryError() async throws {
        let code = "AWS.SimpleQueueService.NonExistentQueue;Sender"
        try await ScriptedOrigin.run({ _, _ in
            .reply(status: 400, fields: [("x-amzn-query-error", code)], body: Self.error("ResourceNotFoundException"))
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for _ in 0..<2 {
                    let reply = try await gateway.page(query())
                    #expect(reply.fields["x-amzn-query-error"] == code)
                }
                #expect(origin.requests.count == 1)
            }
        }
    }

    @Test("an answer of status 204 has neither content nor a length")
    func noContent() async throws {
        try await ScriptedOrigin.run({ _, _ in .raw("HTTP/1.1 204 No Content\r\n\r\n") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await gateway.client()
                for _ in 0..<2 {
                    let reply = try await client.post("DeleteDomain", query())
                    #expect(reply.status == 204)
                    #expect(reply.fields["content-length"] == nil)
                    #expect(reply.body.isEmpty)
                }
                try await client.close()
            }
        }
    }
}

@Suite("What a caller sends", .timeLimit(.minutes(1)))
struct CallerContentTests {
    @Test("an empty body is the empty object", arguments: ["ListDomains", "SomethingNew"])
    func empty(operation: String) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let reply = try await gateway.call(operation, "")
                #expect(reply.status == 200)
                #expect(origin.requests.map(\.text) == ["{}"])
            }
        }
    }

    @Test("a body in a coding goes on as it came, each time", arguments: ["ListDomains", "SomethingNew"])
    func coded(operation: String) async throws {
        let packed = gzipped(Array("{}".utf8))
        let codings: [(fields: [String], sent: String?, body: [UInt8])] = [
            (["gzip"], "gzip", packed), (["identity", "X-Gzip"], "X-Gzip", packed), (["br"], "br", [1, 2, 3]),
            (["gzip, gzip"], "gzip, gzip", packed), (["deflate", " gzip"], "deflate, gzip", packed),
            (["identity, "], nil, Array("{}".utf8)),
        ]
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let client = try await SignedClient(gateway)
                for (fields, sent, body) in codings {
                    for _ in 0..<(sent == nil ? 1 : 2) {
                        let more = fields.map { (name: "Content-Encoding", value: $0) }
                        #expect(try await client.post(operation, body, more: more).status == 200)
                        #expect(origin.requests.last?.body == body)
                        #expect(origin.requests.last?["content-encoding"] == sent)
                    }
                }
                #expect(origin.requests.count == 11)
                for coding in ["g zip;q=1", "(x)", String(repeating: "a", count: 33)] {
                    let reply = try await client.post(operation, packed, more: [("Content-Encoding", coding)])
                    #expect(reply.status == 415 && reply.errorCode == "UnsupportedMediaTypeException")
                }
                #expect(origin.requests.count == 11)
                try await client.close()
            }
        }
    }

    @Test("a body in gzip is as large as it is unpacked")
    func bombs() async throws {
        let bomb: [UInt8] = [
            31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 86, 24, 5, 163, 96, 20, 12, 123, 0, 0, 68, 15, 28, 231, 233, 3, 0, 0,
        ]
        let gzip: [(name: String, value: String)] = [("Content-Encoding", "gzip")]
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let limit = "http: {maxBodyBytes: 1000}\n"
            try await TestGateway.run(TestGateway.service(origin.url) + limit) { gateway in
                let client = try await SignedClient(gateway)
                let packed = try await client.post("ListDomains", bomb, more: gzip)
                let broken = try await client.post("ListDomains", Array("{}".utf8), more: gzip)
                #expect(broken.status == 400 && broken.errorCode == "SerializationException")
                let plain = try await client.post("ListDomains", [UInt8](repeating: 32, count: 1001))
                #expect(plain.status == 413 && packed.status == 413)
                #expect(plain.text == packed.text && plain.errorCode == packed.errorCode)
                #expect(plain.fields["cache-status"] == packed.fields["cache-status"])
                #expect(origin.requests.isEmpty)
                try await client.close()
            }
        }
    }

    @Test("a body in a coding that is signed for the service goes on with its coding")
    func codedAndPassedOn() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let service = TestGateway.service(origin.url, credentials: "default", more: ", signing: passthrough")
            try await TestGateway.run(service) { gateway in
                var client = try await SignedClient(gateway)
                client.host = "127.0.0.1:\(origin.port)"
                let coding: [(name: String, value: String)] = [("Content-Encoding", "gzip")]
                #expect(try await client.post("SomethingNew", "\u{1f}", more: coding).status == 200)
                #expect(origin.requests.first?["content-encoding"] == "gzip")
                #expect(try await client.post("ListDomains", "\u{1f}", more: coding).status == 400)
                #expect(origin.requests.count == 1)
                let packed = gzipped(Array("{}".utf8))
                #expect(try await client.post("ListDomains", packed, more: coding).status == 200)
                #expect(origin.requests.last?.body == packed && origin.requests.last?["content-encoding"] == "gzip")
                // The field is its caller's, whatever stands in it.
                let odd: [(name: String, value: String)] = [("Content-Encoding", "(odd) x=1")]
                #expect(try await client.post("ListDomains", packed, more: odd).status == 200)
                #expect(origin.requests.last?["content-encoding"] == "(odd) x=1")
                try await client.close()
            }
        }
    }
}

/// When something happened, from any thread.
private final class Times: @unchecked Sendable {
    // `@unchecked` because: the times are reached only under the lock.
    private let lock = NSLock()
    private var times: [ContinuousClock.Instant] = []

    func note() { lock.withLock { times.append(.now) } }

    var gaps: [Duration] { lock.withLock { zip(times.dropFirst(), times).map { $0 - $1 } } }
}
