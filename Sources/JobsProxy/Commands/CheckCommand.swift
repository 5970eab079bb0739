internal import ArgumentParser
internal import Cluster

/// `jobs-proxy check`: says what is wrong with a configuration file.
struct CheckCommand: AsyncParsableCommand {
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

    @Flag(help: "Also tries what the gateway connects to: Redis, its rights there.")
    var connect = false

    func run() async throws {
        do throws(CommandFailure) {
            let configuration = try ConfigurationFile.load(config)
            if connect { try await check(configuration) }
        } catch {
            // The output is the faults alone, a line each.
            print(error)
            throw ExitCode.failure
        }
        print("\(config): good")
    }

    private func check(_ configuration: Configuration) async throws(CommandFailure) {
        guard let settings = try ClusterSettings(configuration, environment: Process.environment) else { return }
        if let fault = await ConnectionCheck(settings).fault() {
            throw CommandFailure("\(config):\(configuration.shared?.line ?? 1): shared.redis: \(fault)")
        }
    }
}
