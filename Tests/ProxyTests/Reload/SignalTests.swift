import Foundation
import Gateway
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

    @Test("goes on and ends in time after its file was replaced by one that blocks")
    func blockingFile() async throws {
        try await ServedProgram.run("drain: 1s\n") { served in
            let path = served.folder.appendingPathComponent("jobs-proxy.yaml").path
            try FileManager.default.removeItem(atPath: path)
            #expect(mkfifo(path, 0o600) == 0)
            served.program.hangUp()
            let operators = try await served.client(served.operators)
            func order(_ path: String) async throws -> HTTPReply {
                try await operators.send("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            }
            #expect(try await order("/override?group=batch&rate=1&for=1h").status == 200)
            #expect(try await order("/reload").text.contains("is not a regular file"))
            try await operators.close()
            served.program.terminate()
            #expect(await served.program.exitStatus() == 0)
        }
    }

    @Test("answers calls that wait when the time for its end is over, and counts them")
    func lastAnswers() async throws {
        try await ScriptedOrigin.run({ _, _ in .stall }) { origin in
            let timeouts = "{connect: 20s, attempt: 20s, call: 20s}"
            let slow = TestGateway.service(origin.url, timeouts: timeouts)
                .replacing("batch: {rate: 10000, burst: 10000}", with: "batch: {rate: 1, burst: 1}")
                .replacing("limits: {", with: "limits: {queue: {maxWait: 20s}, ")
            let (gateway, answers) = try await TestGateway.run(slow) { gateway in
                func call(_ operation: String, _ body: String) -> Task<HTTPReply, any Error> {
                    Task { try await gateway.call(operation, body) }
                }
                let calls =
                    "ABCD".map { call("ListFraudsterRegistrationJobs", query(domain: $0)) }
                    + [call("DeleteDomain", query())]
                // Some wait for the service, others for a token.
                #expect(
                    await eventually { origin.requests.count >= 2 && gateway.assembly.gate.queue.isEmpty == false })
                return (gateway, calls)
            }
            for answer in answers {
                let reply = try await answer.value
                #expect(reply.status == 503)
                #expect(reply.fields["connection"] == "close")
                #expect(reply.errorCode == "ServiceUnavailable")
                #expect(reply.fields["cache-status"] == "jobs-proxy; detail=ending")
            }
            let page = "service=\"voice-id\",operation=\"ListFraudsterRegistrationJobs\",caller=\"anonymous\""
            #expect(gateway.assembly.registry.shows("jobsproxy_requests_total{\(page),outcome=\"failed\"} 4"))
        }
    }

    @Test("that cannot listen says so as a line of its log, and what to do")
    func addressInUse() async throws {
        try await ScriptedOrigin.run({ _, _ in .stall }) { origin in
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("serve-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appendingPathComponent("jobs-proxy.yaml")
            try """
            listen: {address: "127.0.0.1:\(origin.port)"}
            admin: {address: "127.0.0.1:0"}
            log: {format: json}

            """.write(to: file, atomically: true, encoding: .utf8)
            let program = try TestProgram.start("serve", "--config", file.path, keepsErrors: true)
            let address = "cannot listen on 127.0.0.1:\(origin.port): address already in use: "
            let said = try #require(await program.errors(upTo: "choose another"))
            #expect(said.contains(address))
            #expect(said.split(separator: "\n").allSatisfy { $0.hasPrefix("{") })
            #expect(await program.exitStatus() == 1)
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
