import Foundation
import Locking
import NIOTestSupport
import Primitives
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Credentials across a reload", .timeLimit(.minutes(1)))
struct CredentialReloadTests {
    private static let expiry = "jobsproxy_credentials_expiry_timestamp_seconds{service=\"voice-id\"}"

    private static func fetches(_ result: String) -> String {
        "jobsproxy_credentials_refreshes_total{service=\"voice-id\",result=\"\(result)\"}"
    }

    /// The directory of a profile whose credentials a command prints: the file `credentials.json`.
    private func withProfile(_ body: (_ directory: String, _ environment: [String: String]) async throws -> Void)
        async throws
    {
        let directory = NSTemporaryDirectory() + "profile-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try "[default]\ncredential_process = /bin/cat \(directory)/credentials.json\n".write(
            toFile: directory + "/config", atomically: true, encoding: .utf8)
        try await body(
            directory,
            [
                "AWS_CONFIG_FILE": directory + "/config", "AWS_SHARED_CREDENTIALS_FILE": directory + "/none",
                "AWS_EC2_METADATA_DISABLED": "true",
            ])
    }

    private func write(_ directory: String, lifetime: TimeInterval) throws {
        let end = Date(timeIntervalSinceNow: lifetime).ISO8601Format()
        try """
        {"Version":1,"AccessKeyId":"AKIATEST","SecretAccessKey":"canary-process","SessionToken":"t","Expiration":"\(end)"}
        """.write(toFile: directory + "/credentials.json", atomically: true, encoding: .utf8)
    }

    private func service(_ origin: ScriptedOrigin, _ credentials: String) -> String {
        TestGateway.service(origin.url, credentials: credentials)
    }

    @Test("show the metrics of those that are in use, and of no others")
    func metrics() async throws {
        try await withProfile { directory, environment in
            try write(directory, lifetime: 3600)
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                let keys = service(origin, TestGateway.credentials)
                try await TestGateway.run(keys, environment: environment) { gateway in
                    let before = try await gateway.metric(Self.expiry)
                    #expect(before == nil)
                    #expect(try await gateway.reload(service(origin, "default")).status == 200)
                    #expect(try await eventually { try await gateway.metric(Self.expiry) ?? 0 > 1_700_000_000 })
                    #expect(try await gateway.metric(Self.fetches("ok")) == 1)
                    #expect(try await gateway.reload(keys).status == 200)
                    #expect(try await eventually { try await gateway.metric(Self.expiry) == nil })
                }
            }
        }
    }

    @Test("are fetched anew ahead of their end though nobody calls")
    func idle() async throws {
        try await withProfile { directory, environment in
            // They are renewed a third of their life ahead: eight seconds from now.
            try write(directory, lifetime: 12)
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                try await TestGateway.run(service(origin, "default"), environment: environment) { gateway in
                    #expect(try await eventually { try await gateway.metric(Self.fetches("ok")) ?? 0 >= 1 })
                    let first = try #require(try await gateway.metric(Self.expiry))
                    try write(directory, lifetime: 3600)
                    let end = ContinuousClock.now + .seconds(30)
                    while try await gateway.metric(Self.expiry) == first, ContinuousClock.now < end {
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    #expect(try await gateway.metric(Self.expiry) ?? 0 > first + 60)
                    #expect(origin.requests.isEmpty)
                }
            }
        }
    }

    @Test("tell the readiness that is in use that they have come")
    func readiness() async throws {
        try await withProfile { directory, environment in
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                // Not of this machine, where calls may go unsigned.
                let yaml = service(origin, "default").replacing("http://127.0.0.1", with: "https://127.0.0.1")
                try await TestGateway.run(yaml, environment: environment) { gateway in
                    #expect(try await gateway.reload(yaml + "retry: {maxAttempts: 2}\n").status == 200)
                    let parts = gateway.assembly.running.parts
                    #expect(parts.readiness.lastReady.withLock { $0 } == nil)
                    try write(directory, lifetime: 3600)
                    #expect(
                        await eventually {
                            // As calls do; nobody asks for readiness.
                            parts.credentials.keepFresh(parts.configuration.services)
                            return parts.readiness.lastReady.withLock { $0 } != nil
                        })
                }
            }
        }
    }
}
