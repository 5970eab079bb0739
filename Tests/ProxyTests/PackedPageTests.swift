import AWSProtocol
import NIOTestSupport
import TestSupport
import Testing

@Suite("Pages in gzip", .timeLimit(.minutes(1)))
struct PackedPageTests {
    private static let jobs = (0..<40).map { "{\"JobId\":\"abcdefghijABCDEFGHIJ\($0)\",\"JobStatus\":\"COMPLETED\"}" }
    private static let page = "{\"JobSummaries\":[\(jobs.joined(separator: ","))]}"

    /// Asks with a value of `Accept-Encoding`; `nil` for a request without the field.
    private func ask(
        _ gateway: TestGateway, _ body: String = query(), accept: String?
    ) async throws -> HTTPReply {
        let client = try await gateway.client()
        let more = accept.map { "Accept-Encoding: \($0)\r\n" } ?? ""
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n\(more)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }

    private func run(
        page: String = page, cache: String = "cache: {gzip: true}\n",
        _ body: (TestGateway, ScriptedOrigin) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: page) }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + cache) { try await body($0, origin) }
        }
    }

    @Test("are for clients that accept it, when they are fetched and when they are stored")
    func accepted() async throws {
        try await run { gateway, origin in
            for accept in ["gzip", "deflate, GZIP;q=0.5", "br , gzip ; q=1", "gzip"] {
                let reply = try await ask(gateway, accept: accept)
                #expect(reply.status == 200)
                #expect(reply.fields["content-encoding"] == "gzip")
                #expect(reply.fields["vary"] == "Accept-Encoding")
                #expect(reply.fields["content-type"] == "application/x-amz-json-1.0")
                #expect(reply.body.count < Self.page.utf8.count / 2)
                #expect(try Gzip.unpacked(reply.body.span, atMost: 1 << 20) == Array(Self.page.utf8))
            }
            #expect(origin.requests.count == 1)
        }
    }

    @Test(
        "are not for others, who hear that it depends on what they accept",
        arguments: [nil, "identity", "gzip;q=0", "br, x-gzip", ""])
    func others(accept: String?) async throws {
        try await run { gateway, _ in
            for _ in 0..<2 {
                let reply = try await ask(gateway, accept: accept)
                #expect(reply.text == Self.page)
                #expect(reply.fields["content-encoding"] == nil)
                #expect(reply.fields["vary"] == "Accept-Encoding")
            }
        }
    }

    @Test("are made of nothing small, and of nothing at all if it is not wanted")
    func untouched() async throws {
        let small = "{\"JobSummaries\":[]}"
        for (page, cache) in [(small, "cache: {gzip: true}\n"), (Self.page, "")] {
            try await run(page: page, cache: cache) { gateway, _ in
                for _ in 0..<2 {
                    let reply = try await ask(gateway, accept: "gzip")
                    #expect(reply.text == page)
                    #expect(reply.fields["content-encoding"] == nil)
                    #expect(reply.fields["vary"] == nil)
                }
            }
        }
    }

    @Test("come when a reload asks for them")
    func reload() async throws {
        try await run(cache: "cache: {ttl: {default: 0s}}\n") { gateway, origin in
            let before = try await ask(gateway, accept: "gzip")
            #expect(before.text == Self.page)
            let wanted = TestGateway.service(origin.url) + "cache: {ttl: {default: 0s}, gzip: true}\n"
            let order = try await gateway.reload(wanted)
            #expect(order.status == 200)
            let after = try await ask(gateway, query(domain: "B"), accept: "gzip")
            #expect(after.fields["content-encoding"] == "gzip")
        }
    }
}
