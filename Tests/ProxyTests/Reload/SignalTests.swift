import Foundation
import NIOPosix
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

/// `jobs-proxy serve` with a configuration in a folder of its own.
private struct ServedProgram {
    let program: TestProgram
    let folder: URL
    let callers: Int
    let operators: Int

    static func run(
        _ yaml: String, prepare: (URL) throws -> String = { _ in "jobs-proxy.yaml" },
        _ body: (ServedProgram) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(yaml, to: folder.appendingPathComponent("jobs-proxy.yaml"))
        let file = folder.appendingPathComponent(try prepare(folder)).path
        let program = try TestProgram.start("serve", "--config", file)
        do {
            let output = try #require(await program.output(upTo: "/metrics"))
            func port(_ name: String) throws -> Int {
                let line = try #require(output.split(separator: "\n").first { $0.hasPrefix(name) })
                let digits = line.replacing("/metrics", with: "").split(separator: ":").last
                return try #require(digits.flatMap { Int($0) })
            }
            try await body(
                ServedProgram(
                    program: program, folder: folder, callers: try port("Callers:"), operators: try port("Operator:")))
        } catch {
            await program.kill()
            throw error
        }
        await program.kill()
    }

    static let listeners = "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\n"

    static func write(_ yaml: String, to file: URL) throws {
        try (listeners + yaml).write(to: file, atomically: true, encoding: .utf8)
    }

    func client(_ port: Int) async throws -> LoopbackClient {
        try await LoopbackClient(host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
    }

    func get(_ path: String, at port: Int) async throws -> HTTPReply {
        let client = try await client(port)
        let reply = try await client.get(path)
        try await client.close()
        return reply
    }

    /// Good reloads so far, or failed ones.
    func reloads(_ result: String = "ok") async throws -> Int {
        let text = try await get("/metrics", at: operators).text
        let line = text.split(separator: "\n").first {
            $0.hasPrefix("jobsproxy_config_reloads_total{result=\"\(result)\"} ")
        }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? -1
    }
}

@Suite("A gateway that runs for long", .timeLimit(.minutes(1)))
struct SignalTests {
    @Test("reads its file anew when it is told to hang up")
    func hangUp() async throws {
        try await ServedProgram.run("") { served in
            #expect(try await served.reloads() == 0)
            try ServedProgram.write(
                "retry: {maxAttempts: 2}\n", to: served.folder.appendingPathComponent("jobs-proxy.yaml"))
            served.program.hangUp()
            #expect(try await eventually { try await served.reloads() == 1 })
        }
    }

    @Test("sees a change of its file where it watches, by a link that points elsewhere too")
    func watch() async throws {
        try await ServedProgram.run("reload: watch\n") { folder in
            // As Kubernetes has the files of a ConfigMap.
            for name in ["..one", "..two"] {
                let place = folder.appendingPathComponent(name)
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                try ServedProgram.write("reload: watch\n", to: place.appendingPathComponent("map.yaml"))
            }
            let path = folder.path
            try FileManager.default.createSymbolicLink(atPath: path + "/..data", withDestinationPath: "..one")
            try FileManager.default.createSymbolicLink(
                atPath: path + "/map.yaml", withDestinationPath: "..data/map.yaml")
            return "map.yaml"
        } _: { served in
            let path = served.folder.path
            try FileManager.default.createSymbolicLink(atPath: path + "/..new", withDestinationPath: "..two")
            #expect(rename(path + "/..new", path + "/..data") == 0)
            #expect(try await eventually { try await served.reloads() == 1 })
        }
    }

    @Test("that watches sees a secret come that a new file names, though the file had a fault without it")
    func lateSecret() async throws {
        try await ServedProgram.run("reload: watch\n") { served in
            let secret = served.folder.appendingPathComponent("secret")
            let file = served.folder.appendingPathComponent("jobs-proxy.yaml")
            let callers =
                "callers: [{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {file: \"\(secret.path)\"}}]}]\n"
            try ServedProgram.write("reload: watch\n" + callers, to: file)
            #expect(try await eventually { try await served.reloads("failed") == 1 })
            try "canary-of-a-file".write(to: secret, atomically: true, encoding: .utf8)
            #expect(try await eventually { try await served.reloads() == 1 })
        }
    }

    @Test("says that it ends before it stops to accept, and answers meanwhile")
    func lameDuck() async throws {
        try await ServedProgram.run("drain: {total: 10s, lameDuck: 2s}\n") { served in
            let waiting = try await served.client(served.callers)
            #expect(try await waiting.get("/readyz").status == 200)
            served.program.terminate()
            #expect(try await eventually { try await served.get("/readyz", at: served.operators).status == 503 })
            let reply = try await served.get("/readyz", at: served.callers)
            #expect(reply.status == 503)
            #expect(reply.fields["connection"] == "close")
            // So is the next answer of a connection that was there before.
            #expect(try await waiting.get("/healthz").fields["connection"] == "close")
            #expect(await served.program.exitStatus() == 0)
            try await waiting.close()
        }
    }

    @Test("ends at once when it is told a second time")
    func secondSignal() async throws {
        try await ScriptedOrigin.run({ _, _ in .stall }) { origin in
            let service = TestGateway.service(origin.url, timeouts: "{connect: 20s, attempt: 20s, call: 20s}")
                .replacing("drain: 1s", with: "drain: 20s")
            try await ServedProgram.run(service) { served in
                let client = try await served.client(served.callers)
                let answer = Task { try await client.post("ListFraudsterRegistrationJobs", query()) }
                #expect(await eventually { origin.requests.count == 1 })
                let start = ContinuousClock.now
                served.program.terminate()
                #expect(try await eventually { try await served.get("/readyz", at: served.operators).status == 503 })
                served.program.terminate()
                #expect(await served.program.exitStatus() == 0)
                #expect(ContinuousClock.now - start < .seconds(10))
                await #expect(throws: (any Error).self) { try await answer.value }
                try await client.close()
            }
        }
    }

    @Test("without a file has nothing to reload, and says so")
    func nothing() async throws {
        let program = try TestProgram.start("sandbox", "--listen", "127.0.0.1:0", keepsErrors: true)
        #expect(await program.line(containing: "Domains:"))
        program.hangUp()
        #expect(await program.errors(upTo: "nothing to reload") != nil)
        await program.kill()
    }
}
