import AWSProtocol
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A Region that is not configured", .timeLimit(.minutes(1)))
struct RegionTests {
    private static let callers =
        "callers: [{name: c, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}]\n"

    private static func services(_ url: String, _ regions: [String]) -> String {
        let services = regions.map {
            "{catalog: voice-id, name: \($0), region: \($0), endpoint: \"\(url)\", "
                + "credentials: \(TestGateway.credentials)}"
        }
        return "services: [\(services.joined(separator: ", "))]\n"
    }

    private func reply(_ gateway: TestGateway, region: String) async throws -> HTTPReply {
        var client = try await SignedClient(gateway)
        client.scope = SigningScope(region: region, service: "voiceid")
        let reply = try await client.page(query())
        try await client.close()
        return reply
    }

    @Test(
        "is refused with those that are, whether or not the signature is verified",
        arguments: ["", callers],
        [(["us-east-1"], "us-east-1"), (["us-east-1", "eu-west-2"], "us-east-1, eu-west-2")])
    func refused(_ callers: String, _ configured: (regions: [String], text: String)) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            try await TestGateway.run(Self.services(origin.url, configured.regions) + callers) { gateway in
                for region in ["eu-north-1", "us-east-11", "us-east"] {
                    let reply = try await reply(gateway, region: region)
                    #expect(reply.status == 403)
                    #expect(reply.errorCode == "InvalidSignatureException")
                    #expect(reply.text.contains("valid Region: \(configured.text)"), "\(reply.text)")
                }
                #expect(origin.requests.isEmpty)
                for region in configured.regions {
                    #expect(try await reply(gateway, region: region).status == 200)
                }
            }
        }
    }

    @Test("is the first for a request that is not signed", arguments: [["us-east-1"], ["us-east-1", "eu-west-2"]])
    func unsigned(_ regions: [String]) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            try await TestGateway.run(Self.services(origin.url, regions)) { gateway in
                let reply = try await gateway.page(query())
                #expect(reply.status == 200)
                #expect(origin.requests.first?["authorization"]?.contains("/us-east-1/voiceid/") == true)
            }
        }
    }
}
