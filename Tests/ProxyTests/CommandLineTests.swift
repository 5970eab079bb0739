import Foundation
import TestSupport
import Testing

@Suite("The command line", .timeLimit(.minutes(1)))
struct CommandLineTests {
    /// Runs the program and waits for its end.
    private func run(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: TestProgram.path)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    @Test(
        "that names no command is no success",
        arguments: [[], ["catalog"], ["caller"], ["serve", "more"], ["--unknown"]] as [[String]])
    func nothing(arguments: [String]) throws {
        #expect(try run(arguments).code == 64)
    }

    @Test("is taken word for word, whatever is in the words")
    func words() throws {
        let (code, output) = try run(["check", "--config", "/nowhere/ä ö/'\"$x\n"])
        #expect(code == 1)
        #expect(output.hasPrefix("/nowhere/ä ö/'\"$x\n: cannot be opened"))
        #expect(try run(["--version"]).code == 0)
        #expect(try run(["--help"]).code == 0)
    }

    @Test("of top ends at a listener that sends other things than events, however many")
    func topWithoutEvents() async throws {
        let drip = ScriptedOrigin.Step.trickle(body: String(repeating: ":\n\n", count: 400), bytes: 3, milliseconds: 50)
        for step in [drip, .raw(String(repeating: "x", count: 5 << 20))] {
            try await ScriptedOrigin.run({ _, _ in step }) { origin in
                let program = try TestProgram.start("top", "--once", "--url", origin.url, keepsErrors: true)
                #expect(await program.errors(upTo: "sends no events") != nil)
                #expect(await program.exitStatus() == 1)
            }
        }
    }
}
