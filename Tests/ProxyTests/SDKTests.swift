import Foundation
import NIOPosix
import Sandbox
import Testing

@testable import JobsProxy

@Suite("AWS SDKs", .timeLimit(.minutes(2)))
struct SDKTests {
    private func python(_ script: String, _ arguments: String...) async throws -> String {
        try await Python.run(script, arguments)
    }

    /// A sandbox whose quota is out of the way, and a gateway in front of it.
    private func withSandbox(_ body: (Sandbox, String, TestGateway) async throws -> Void) async throws {
        let sandbox = try await Sandbox(
            options: SandboxOptions(rate: 1_000_000), group: MultiThreadedEventLoopGroup.singleton,
            wallClock: Process.coarseWallClock)
        let bound = try await sandbox.listen(host: "127.0.0.1", port: 0)
        let url = "http://\(bound.host):\(bound.port)"
        do {
            try await TestGateway.run(TestGateway.service(url)) { try await body(sandbox, url, $0) }
        } catch {
            await sandbox.shutDown()
            throw error
        }
        await sandbox.shutDown()
    }

    @Test("boto3's paginator finds through the gateway exactly the jobs that there are")
    func paginator() async throws {
        try await withSandbox { sandbox, url, gateway in
            let domain = try #require(sandbox.domainIDs.first)
            let output = try await python("paginate.py", gateway.url, url, domain)
            #expect(output.hasSuffix("same\n"), "\(output)")
        }
    }

    @Test("boto3 raises a local throttle as the service's own exception, with the time to wait")
    func throttle() async throws {
        try await TestGateway.run("limits: {queue: {maxWait: 0ms}}\ndrain: 1s\n") { gateway in
            let domain = try #require(gateway.assembly.sandbox?.server.domainIDs.first)
            let output = try await python("throttle.py", gateway.url, domain)
            #expect(output.hasSuffix("throttled\n"), "\(output)")
        }
    }

    @Test(
        "boto3's own retries get over local throttles, in each of its modes",
        arguments: ["legacy", "standard", "adaptive"])
    func recovery(mode: String) async throws {
        try await TestGateway.run("limits: {queue: {maxWait: 0ms}}\ndrain: 1s\n") { gateway in
            let domain = try #require(gateway.assembly.sandbox?.server.domainIDs.first)
            let output = try await python("recover.py", gateway.url, domain, mode)
            #expect(output.hasPrefix("retries: "), "\(output)")
            #expect(try #require(try await gateway.metric("jobsproxy_throttled_total{scope=\"quota\"}")) > 0)
        }
    }

    @Test("the AWS CLI's own retries get over local throttles")
    func commandLineRecovery() async throws {
        try await TestGateway.run("limits: {queue: {maxWait: 0ms}}\ndrain: 1s\n") { gateway in
            let domain = try #require(gateway.assembly.sandbox?.server.domainIDs.first)
            let output = try await python("recover_command_line.py", gateway.url, domain)
            #expect(output.hasSuffix("answered\n"), "\(output)")
            #expect(try #require(try await gateway.metric("jobsproxy_throttled_total{scope=\"quota\"}")) > 0)
        }
    }

    @Test("the AWS CLI prints jobs, and its second call does not reach the service")
    func commandLine() async throws {
        try await withSandbox { sandbox, _, gateway in
            let domain = try #require(sandbox.domainIDs.first)
            let first = try await python("command_line.py", gateway.url, domain)
            let served = sandbox.served
            let second = try await python("command_line.py", gateway.url, domain)
            #expect(first.contains("JobSummaries"))
            #expect(first == second)
            #expect(sandbox.served == served)
        }
    }
}
