import Foundation
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Answers over HTTP/2", .timeLimit(.minutes(1)))
struct ProtocolTests {
    /// Pages of some size, and one call that fails.
    private func withOrigin(_ body: (ScriptedOrigin) async throws -> Void) async throws {
        let filler = String(repeating: "x", count: 100_000)
        try await ScriptedOrigin.run({ request, _ in
            request["X-Amz-Target"]?.hasSuffix("DescribeDomain") == true
                ? .reply(status: 400, body: "{\"__type\":\"AccessDeniedException\",\"Message\":\"no\"}")
                : .reply(body: "{\"For\":\(request.text),\"x\":\"\(filler)\"}")
        }) { try await body($0) }
    }

    @Test("are those over HTTP/1.1, byte for byte, for a client that knows that the gateway speaks it")
    func clear() async throws {
        try await withOrigin { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                let output = try await Python.run("same_answers.py", ["\(gateway.assembly.address.port)", "-"])
                #expect(output == "15 of 15 the same\n")
            }
        }
    }

    @Test("are those over HTTP/1.1, byte for byte, for a client that agrees on it by TLS")
    func secured() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("alpn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try await Python.run("make_certificates.py", [directory])
        let listen = """
            listen: {address: "127.0.0.1:0", tls: {certificate: \(directory)/server.pem, key: \(directory)/server.key}}

            """
        try await withOrigin { origin in
            try await TestGateway.run(TestGateway.service(origin.url), listen: listen) { gateway in
                let output = try await Python.run("same_answers.py", ["\(gateway.assembly.address.port)", directory])
                #expect(output == "15 of 15 the same\nopenssl too\n")
            }
        }
    }
}
