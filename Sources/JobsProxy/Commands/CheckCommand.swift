internal import ArgumentParser

/// `jobs-proxy check`: says what is wrong with a configuration file.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a configuration file.",
        discussion: """
            Prints every fault as 'FILE:LINE: KEY: what is wrong and how to mend it' and exits with 1,
            or says that the file is good and exits with 0.

            Example:
              jobs-proxy check --config jobs-proxy.yaml
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE"))
    var config: String

    func run() throws {
        do throws(CommandFailure) {
            _ = try ConfigurationFile.load(config)
        } catch {
            // The output is the faults alone, a line each.
            print(error)
            throw ExitCode.failure
        }
        print("\(config): good")
    }
}
