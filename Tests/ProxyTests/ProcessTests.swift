import Foundation
import NIOPosix
import NIOTestSupport
import Testing

@testable import JobsProxy

@Suite("The process", .timeLimit(.minutes(1)))
struct ProcessTests {
    @Test("goes on serving when it is told to hang up")
    func hangUp() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("hup-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\n"
            .write(to: file, atomically: true, encoding: .utf8)
        let program = try TestProgram.start("serve", "--config", file.path)
        do {
            let output = try #require(await program.output(upTo: "Operator:"))
            let address = try #require(output.split(separator: "\n").first { $0.hasPrefix("Callers:") })
            let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
            program.hangUp()
            let client = try await LoopbackClient(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            #expect(try await client.get("/healthz").status == 200)
            try await client.close()
        } catch {
            await program.kill()
            throw error
        }
        #expect(program.isRunning)
        await program.kill()
    }

    @Test("is ready without credentials where calls may go unsigned, and only there", arguments: [true, false])
    func readiness(isOnThisMachine: Bool) async throws {
        let url = isOnThisMachine ? "http://127.0.0.1:1" : "https://voiceid.example"
        let yaml = TestGateway.service(url, credentials: "default")
        try await TestGateway.run(yaml, environment: ["AWS_EC2_METADATA_DISABLED": "true"]) { gateway in
            let client = try await gateway.client()
            #expect(try await client.get("/readyz").status == (isOnThisMachine ? 200 : 503))
            try await client.close()
        }
    }

    @Test("is ready where callers' signatures go on")
    func passthrough() async throws {
        let yaml = TestGateway.service(
            "https://voiceid.example", credentials: "default", more: ", signing: passthrough")
        try await TestGateway.run(yaml, environment: ["AWS_EC2_METADATA_DISABLED": "true"]) { gateway in
            let client = try await gateway.client()
            #expect(try await client.get("/readyz").status == 200)
            try await client.close()
        }
    }
}
