import AWSProtocol
import Foundation
import NIOPosix
import NIOTestSupport
import Primitives
import Testing

@testable import JobsProxy

@Suite("Signatures, with botocore for an oracle", .timeLimit(.minutes(3)))
struct SignatureOracleTests {
    private struct Signed: Decodable {
        struct Mutation: Decodable {
            let kind: String
            let raw: Data
        }

        let raw: Data
        let body: Data
        let token: String?
        let timestamp: String
        let headers: [[String]]
        let authorization: String
        let mutations: [Mutation]
    }

    private static let secret = "canary-caller-00000000000000000000"
    private static let callers = """
        callers: [{name: tester, keys: [{accessKeyId: GWTEST1, secretAccessKey: {env: CALLER_SECRET}}]}]
        limits: {caller: {rate: 1000000, burst: 1000000}}
        drain: 1s

        """

    private func requests(_ count: Int, _ host: String) async throws -> [Signed] {
        let output = try await Python.run("signed_requests.py", ["\(count)", "7", host, Self.secret])
        return try output.split(separator: "\n").map { try JSONDecoder().decode(Signed.self, from: Data($0.utf8)) }
    }

    @Test("what botocore signs is signed alike")
    func signing() async throws {
        var signer = RequestSigner(scope: SigningScope(region: "us-east-1", service: "voiceid"))
        var compared = 0
        for request in try await requests(2000, "127.0.0.1:8080") {
            // Of a field that is there several times the signer is given the values together.
            var fields: [(name: String, value: String)] = []
            for header in request.headers {
                let name = header[0].lowercased()
                let value = header[1].split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
                if let place = fields.firstIndex(where: { $0.name == name }) {
                    fields[place].value += ",\(value)"
                } else {
                    fields.append((name, value))
                }
            }
            let added = signer.sign(
                method: "POST", path: "/", query: "", fields: fields, body: [UInt8](request.body),
                with: AWSCredentials(
                    accessKeyID: "GWTEST1", secretAccessKey: Self.secret, sessionToken: request.token),
                at: WallInstant(seconds: try #require(AWSTime.basic(request.timestamp))))
            #expect(added.last?.value == request.authorization)
            compared += 1
        }
        #expect(compared == 2000)
    }

    @Test("what botocore signed is let in, and nothing of it changed")
    func verifying() async throws {
        try await TestGateway.run(Self.callers) { gateway in
            let host = "\(gateway.assembly.address.host):\(gateway.assembly.address.port)"
            // Before the client connects: a connection that sends nothing for five seconds ends.
            let signed = try await requests(2000, host)
            let client = try await gateway.client()
            var mutations = 0
            for request in signed {
                let reply = try await client.send(String(decoding: request.raw, as: UTF8.self))
                #expect(!Self.isDenied(reply), "\(reply.text) \(String(decoding: request.raw, as: UTF8.self))")
                for mutation in request.mutations {
                    let reply = try await client.send(String(decoding: mutation.raw, as: UTF8.self))
                    #expect(Self.isDenied(reply), "\(mutation.kind): \(String(decoding: mutation.raw, as: UTF8.self))")
                    mutations += 1
                }
            }
            try await client.close()
            #expect(mutations == 10_000)
        }
    }

    private static func isDenied(_ reply: HTTPReply) -> Bool {
        let codes: Set<String> = [
            "InvalidSignatureException", "IncompleteSignatureException", "UnrecognizedClientException",
            "MissingAuthenticationTokenException",
        ]
        return codes.contains(reply.fields["x-amzn-errortype"] ?? "")
    }
}
