import AWSProtocol
import NIOPosix
import NIOTestSupport
import Primitives

@testable import JobsProxy

/// A client that signs as SDKs do.
struct SignedClient: Sendable {
    let client: LoopbackClient
    var host: String
    var keyID = "GWTEST1"
    var secret = TestGateway.secrets["CALLER_SECRET"] ?? ""
    var scope = SigningScope(region: "us-east-1", service: "voiceid")

    init(_ gateway: TestGateway) async throws {
        host = "\(gateway.assembly.address.host):\(gateway.assembly.address.port)"
        client = try await gateway.client()
    }

    func with(key keyID: String, secret name: String) -> SignedClient {
        var client = self
        client.keyID = keyID
        client.secret = TestGateway.secrets[name] ?? name
        return client
    }

    /// - Parameters:
    ///   - signedAt: seconds before now.
    ///   - more: further fields, which are signed too.
    ///   - change: what is done to the fields after they were signed.
    func post(
        _ operation: String, _ body: String, signedAt age: Int64 = 0, more: [(name: String, value: String)] = [],
        change: ([(name: String, value: String)]) -> [(name: String, value: String)] = { $0 }
    ) async throws -> HTTPReply {
        try await post(operation, Array(body.utf8), signedAt: age, more: more, change: change)
    }

    func post(
        _ operation: String, _ body: [UInt8], signedAt age: Int64 = 0, more: [(name: String, value: String)] = [],
        change: ([(name: String, value: String)]) -> [(name: String, value: String)] = { $0 }
    ) async throws -> HTTPReply {
        var signer = RequestSigner(scope: scope)
        let fields = [(name: "Host", value: host), (name: "X-Amz-Target", value: "VoiceID.\(operation)")] + more
        let added = signer.sign(
            method: "POST", path: "/", query: "", fields: fields, body: body,
            with: AWSCredentials(accessKeyID: keyID, secretAccessKey: secret),
            at: Process.wallClock() - age * 1_000_000_000)
        let lines = change(fields + added).map { "\($0.name): \($0.value)\r\n" }.joined()
        return try await client.send(
            Array("POST / HTTP/1.1\r\n\(lines)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
    }

    func page(_ body: String) async throws -> HTTPReply { try await post("ListFraudsterRegistrationJobs", body) }

    func close() async throws { try await client.close() }
}

extension HTTPReply {
    /// The bare error code.
    var errorCode: String { fields["x-amzn-errortype"] ?? "" }
}
