import Foundation

/// The Python environment that `Scripts/setup --tests` makes, with real AWS clients in it.
enum Python {
    /// A script that ended with an error; if boto3 is missing, `Scripts/setup --tests` installs it.
    struct ScriptFailure: Error { let output: String }

    /// Runs a script of the folder `SDK` and returns what it printed.
    ///
    /// - Parameter environment: what is added to, or replaces, what scripts are given.
    static func run(
        _ script: String, _ arguments: [String], environment added: [String: String] = [:]
    ) async throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let root = tests.deletingLastPathComponent().deletingLastPathComponent()
        let programs = root.appendingPathComponent(".venv/bin").path
        let process = Foundation.Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", tests.appendingPathComponent("SDK/\(script)").path] + arguments
        process.environment = [
            "PATH": "\(programs):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")",
            "HOME": NSTemporaryDirectory(), "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1",
        ].merging(added) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        // Read to its end on a thread of its own: what does not fit the pipe would stop the script.
        let text = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let bytes = output.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
        guard process.terminationStatus == 0 else { throw ScriptFailure(output: text) }
        return text
    }
}
