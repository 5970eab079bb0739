import Foundation
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Callers with certificates", .timeLimit(.minutes(1)))
struct CertificateTests {
    private static let domain = String(repeating: "A", count: 22)

    private func run(_ body: (TestGateway, (String) async throws -> String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try await Python.run("make_certificates.py", [directory])
        let listen = """
            listen:
              address: "127.0.0.1:0"
              tls: {certificate: \(directory)/server.pem, key: \(directory)/server.key, clientCA: \(directory)/authority.pem}

            """
        let callers = """
            callers:
              - {name: dashboard, certificate: {subject: "CN=dashboard,O=Example"}}
              - {name: report, certificate: {san: report.example}, domains: ["B*"]}

            """
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{\"JobSummaries\":[]}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + callers, listen: listen) { gateway in
                try await body(gateway) { client in
                    try await Python.run(
                        "mutual_tls.py", [directory, "\(gateway.assembly.address.port)", client, Self.domain])
                }
            }
        }
    }

    @Test("are known by their certificate's subject or other name, and held to what they may do")
    func known() async throws {
        try await run { gateway, call in
            let answer = try await call("dashboard")
            #expect(answer == "200 good\n")
            #expect(try await call("report") == "400 AccessDeniedException\n")
            #expect(gateway.assembly.registry.shows("caller=\"dashboard\",outcome=\"miss\"} 1"))
            #expect(gateway.assembly.registry.shows("caller=\"report\",outcome=\"denied\"} 1"))
            let expiry = "jobsproxy_certificate_expiry_timestamp_seconds{listener=\"callers\"}"
            #expect(try await gateway.metric(expiry, admin: true) ?? 0 > Date.now.timeIntervalSince1970)
        }
    }

    @Test("cannot connect to a listener whose files are not there, and check says so")
    func missingFiles() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        let text = "listen:\n  tls:\n    certificate: /nonexistent.pem\n    key: /nonexistent.key\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let failure = #expect(throws: CommandFailure.self) { try ConfigurationFile.load(file) }
        #expect(failure?.description.hasPrefix("\(file):3: listen.tls: /nonexistent.pem: ") == true)
    }

    @Test("are nobody without one, with one that nobody has, or with one of a stranger's")
    func unknown() async throws {
        try await run { _, call in
            let answer = try await call("-")
            #expect(answer == "403 MissingAuthenticationTokenException\n")
            #expect(try await call("nobody") == "403 MissingAuthenticationTokenException\n")
            #expect(try await call("forged") == "refused\n")
        }
    }
}
