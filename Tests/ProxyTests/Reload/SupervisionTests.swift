import Foundation
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A supervisor", .timeLimit(.minutes(1)))
struct SupervisionTests {
    /// A datagram socket as systemd has one.
    private final class Receiver {
        let descriptor: Int32

        init(_ name: [UInt8], isAbstract: Bool) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let path = (isAbstract ? [0] : []) + name
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
            let size = socklen_t(2 + path.count + (isAbstract ? 0 : 1))
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
            }
            try #require(result == 0)
            var limit = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(descriptor) }

        func next() -> String {
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = recv(descriptor, &bytes, bytes.count, 0)
            return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        }
    }

    @Test("is told over the socket that it names, by a path or in the kernel's name space", arguments: [true, false])
    func notify(isAbstract: Bool) throws {
        let name = isAbstract ? "jobs-proxy-\(UUID().uuidString)" : "/tmp/notify-\(UUID().uuidString)"
        defer { if !isAbstract { unlink(name) } }
        let receiver = try Receiver(Array(name.utf8), isAbstract: isAbstract)
        let socket = try #require(NotifySocket(["NOTIFY_SOCKET": (isAbstract ? "@" : "") + name]))
        #expect(socket.send("READY=1"))
        #expect(receiver.next() == "READY=1")
        socket.sendReloading()
        #expect(receiver.next().wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+/) != nil)
    }

    @Test("is not looked for where none is named, and may be gone", arguments: [nil, "", "/", "relative", "@"])
    func none(name: String?) {
        #expect(NotifySocket(name.map { ["NOTIFY_SOCKET": $0] } ?? [:]) == nil)
        #expect(NotifySocket(["NOTIFY_SOCKET": "/nowhere/at-all"])?.send("READY=1") == false)
    }

    @Test("gets a sign of life in half of its time, if it means this process")
    func interval() {
        #expect(Watchdog.interval([:], process: 7) == nil)
        #expect(Watchdog.interval(["WATCHDOG_USEC": "30000000"], process: 7) == 15 * .second)
        #expect(Watchdog.interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], process: 7) == 15 * .second)
        #expect(Watchdog.interval(["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], process: 7) == nil)
        #expect(Watchdog.interval(["WATCHDOG_USEC": "-1"], process: 7) == nil)
    }

    @Test("gets none while a thread is silent, and answers to an earlier question do not count")
    func heartbeat() {
        var heartbeat = Heartbeat(["a", "b"])
        let first = heartbeat.begin()
        heartbeat.answer(0, round: first)
        #expect(!heartbeat.isComplete)
        #expect(heartbeat.silent == ["b"])
        heartbeat.answer(1, round: first)
        #expect(heartbeat.isComplete)
        let second = heartbeat.begin()
        heartbeat.answer(0, round: first)
        heartbeat.answer(1, round: second)
        #expect(heartbeat.silent == ["a"])
    }

    @Test("is told by `serve` that it is ready, alive, reloading and ending")
    func serve() async throws {
        let name = "jobs-proxy-\(UUID().uuidString)"
        let receiver = try Receiver(Array(name.utf8), isAbstract: true)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("notify-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\n"
            .write(to: file, atomically: true, encoding: .utf8)
        let program = try TestProgram.start(
            "serve", "--config", file.path,
            environment: ["NOTIFY_SOCKET": "@\(name)", "WATCHDOG_USEC": "400000"])
        #expect(receiver.next() == "READY=1")
        #expect(receiver.next() == "WATCHDOG=1")
        #expect(receiver.next() == "WATCHDOG=1")
        program.hangUp()
        var told: [String] = []
        while !told.contains("READY=1"), told.count < 50 { told.append(receiver.next()) }
        #expect(told.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") })
        program.terminate()
        told = []
        while told.last != "STOPPING=1", told.count < 50 { told.append(receiver.next()) }
        #expect(told.last == "STOPPING=1")
        #expect(await program.exitStatus() == 0)
    }

    @Test("asks a gateway whether it runs and is ready")
    func health() async throws {
        try await TestGateway.run("drain: 1s\n") { gateway in
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("health-\(UUID().uuidString).yaml")
            defer { try? FileManager.default.removeItem(at: file) }
            func ask(_ port: Int, _ arguments: String...) async throws -> (line: String?, status: Int32) {
                try "admin: {address: \"127.0.0.1:\(port)\"}\n".write(to: file, atomically: true, encoding: .utf8)
                let program = try TestProgram.start(["health", "--config", file.path] + arguments)
                let line = await program.output(upTo: "\n")
                return (line, await program.exitStatus())
            }
            let port = gateway.assembly.adminAddress.port
            let well = try await ask(port)
            #expect(well.status == 0)
            #expect(well.line == "healthy: 127.0.0.1:\(port) answers /healthz with 200\n")
            #expect(try await ask(port, "--ready").status == 0)
            let none = try await ask(9)
            #expect(none.status == 1)
            #expect(none.line?.hasPrefix("not healthy: 127.0.0.1:9 does not answer") == true)
        }
    }

    @Test("asks a gateway whose operators have a Unix socket")
    func unixHealth() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("h-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let socket = folder.path + "/admin.sock"
        let admin = "admin: {address: \"unix:\(socket)\"}\n"
        let file = folder.appendingPathComponent("jobs-proxy.yaml")
        try admin.write(to: file, atomically: true, encoding: .utf8)
        func ask(_ arguments: String...) async throws -> (line: String?, status: Int32) {
            let program = try TestProgram.start(["health", "--config", file.path] + arguments)
            let line = await program.output(upTo: "\n")
            return (line, await program.exitStatus())
        }
        let none = try await ask()
        #expect(none.status == 1)
        #expect(none.line == "not healthy: unix:\(socket) does not answer: No such file or directory\n")
        try await TestGateway.run("drain: 1s\n", admin: admin) { _ in
            let well = try await ask("--ready")
            #expect(well.status == 0)
            #expect(well.line == "ready: unix:\(socket) answers /readyz with 200\n")
        }
    }

    @Test("of a rollout sees what a file would change")
    func difference() throws {
        let old = try #require(configuration("limits: {caller: {rate: 5}}\n"))
        let new = try #require(configuration("limits: {caller: {rate: 6}}\nadmin: {address: \"127.0.0.1:1\"}\n"))
        #expect(
            CheckCommand.lines(from: old, to: new) == [
                "limits.caller.rate: 5.0 -> 6.0", "limits.caller.burst: 5 -> 6",
                "admin.address: 127.0.0.1:9090 -> 127.0.0.1:1 (needs a restart)",
            ])
    }
}
