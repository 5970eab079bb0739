import Foundation

/// The built `jobs-proxy`, run as a process of its own.
final class TestProgram: Sendable {
    private let process: Foundation.Process
    private let output = Pipe()
    private let errors = Pipe()

    /// Where it is: built beside the bundle that holds the tests.
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("jobs-proxy").path

    /// Starts it, with `TestGateway.secrets` in its environment. It has to be killed.
    ///
    /// - Parameter keepsErrors: whether what it says on standard error is there to be read.
    static func start(
        _ arguments: String..., keepsErrors: Bool = false, environment: [String: String] = [:]
    ) throws -> TestProgram {
        try TestProgram(arguments, keepsErrors: keepsErrors, environment: environment)
    }

    static func start(_ arguments: [String]) throws -> TestProgram {
        try TestProgram(arguments, keepsErrors: false, environment: [:])
    }

    private init(_ arguments: [String], keepsErrors: Bool, environment: [String: String]) throws {
        process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(TestGateway.secrets) { $1 }
            .merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = keepsErrors ? errors : FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// Reads what it prints up to a line with `text`; false if it ends before.
    func line(containing text: String) async -> Bool { await Self.read(output, upTo: text) != nil }

    /// What it prints up to `text`, or says on standard error; nothing if it ends before.
    func output(upTo text: String) async -> String? { await Self.read(output, upTo: text) }
    func errors(upTo text: String) async -> String? { await Self.read(errors, upTo: text) }

    private static func read(_ pipe: Pipe, upTo text: String) async -> String? {
        let reader = pipe.fileHandleForReading
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var seen = ""
                while !seen.contains(text) {
                    let bytes = reader.availableData
                    if bytes.isEmpty { return continuation.resume(returning: nil) }
                    seen += String(decoding: bytes, as: UTF8.self)
                }
                continuation.resume(returning: seen)
            }
        }
    }

    /// Asks it to end.
    func terminate() { process.terminate() }

    /// Sends it what a terminal sends that closes.
    func hangUp() { Foundation.kill(process.processIdentifier, SIGHUP) }

    /// Its exit status; waits for its end.
    func exitStatus() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [process] in
                process.waitUntilExit()
                continuation.resume(returning: process.terminationStatus)
            }
        }
    }

    /// Ends it at once, and returns when it has ended.
    func kill() async {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
