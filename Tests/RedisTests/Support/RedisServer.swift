import Foundation
import Glibc
import TestSupport

@testable import Redis

/// A real server in a directory of its own, without persistence. It has to be stopped.
final class RedisServer: @unchecked Sendable {
    // `@unchecked` because: tests use it from one thread at a time.

    struct Failure: Error {
        let log: String
    }

    /// `nil` where it is not installed.
    static let program = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    let directory: String
    let port: Int
    private let arguments: [String]
    private var process = Process()

    /// - Parameters:
    ///   - arguments: what comes after those of every server.
    ///   - usesPort: true for a free loopback port, false for the socket `socket` alone.
    ///   - configuration: the lines of a file, which the server may write to.
    ///   - below: the bound of the port: a member of a cluster also needs the one that is 10,000 higher.
    init(
        _ arguments: [String] = [], usesPort: Bool = false, below bound: Int = 65_536, configuration: [String]? = nil
    ) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "redis-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        directory = url.path
        port = usesPort ? try Self.freePort(below: bound) : 0
        var words: [String] = []
        if let configuration {
            let file = url.appending(path: "redis.conf")
            try (configuration + ["port \(port)"]).joined(separator: "\n").write(
                to: file, atomically: false, encoding: .utf8)
            words = [file.path]
        } else {
            words = ["--port", "\(port)"]
        }
        if !arguments.contains("--sentinel") { words += ["--save", "", "--appendonly", "no"] }
        self.arguments =
            words + ["--dir", url.path, "--unixsocket", url.path + "/socket", "--bind", "127.0.0.1"]
            + ["--logfile", url.path + "/log"] + arguments
        try start()
    }

    var socket: String { "unix://\(directory)/socket" }
    var url: String { "redis://127.0.0.1:\(port)" }

    /// Starts the program; clients see when it accepts.
    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program ?? "/usr/bin/redis-server")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func signal(_ number: Int32) { Glibc.kill(process.processIdentifier, number) }

    func kill() {
        signal(SIGKILL)
        process.waitUntilExit()
    }

    func stop() {
        if process.isRunning { kill() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    static func freePort(below bound: Int = 65_536) throws -> Int {
        // Kept until there is one, so that no port comes twice.
        var sockets: [Int32] = []
        defer { for socket in sockets { Glibc.close(socket) } }
        while true {
            let (socket, port) = try listenOnLoopback()
            sockets.append(socket)
            if Int(port) < bound { return Int(port) }
        }
    }
}
