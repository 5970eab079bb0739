import Foundation

/// The built `jobs-proxy`, run as a process of its own.
final class TestProgram: Sendable {
    private let process: Foundation.Process
    private let output: Pipe

    /// Where it is: built beside the bundle that holds the tests.
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appendingPathComponent("jobs-proxy").path

    /// Starts it, with `TestGateway.secrets` in its environment. It has to be killed.
    static func start(_ arguments: String...) throws -> TestProgram { try TestProgram(arguments) }

    private init(_ arguments: [String]) throws {
        process = Foundation.Process()
        output = Pipe()
        process.executableURL = URL(fileURLWithPath: Self.path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(TestGateway.secrets) { $1 }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// Reads what it prints up to a line with `text`; false if it ends before.
    func line(containing text: String) async -> Bool {
        let reader = output.fileHandleForReading
        return await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var seen = ""
                while !seen.contains(text) {
                    let bytes = reader.availableData
                    if bytes.isEmpty { return continuation.resume(returning: false) }
                    seen += String(decoding: bytes, as: UTF8.self)
                }
                continuation.resume(returning: true)
            }
        }
    }

    /// Asks it to end.
    func terminate() { process.terminate() }

    /// Ends it at once, and returns when it has ended.
    func kill() async {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
