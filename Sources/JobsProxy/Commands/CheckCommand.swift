internal import ArgumentParser
internal import Cluster

/// `jobs-proxy check`: says what is wrong with a configuration file.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a configuration file.",
        discussion: """
            Prints every fault as 'FILE:LINE: KEY: what is wrong and how to mend it' and exits with 1,
            or says that the file is good and exits with 0. With --diff it then shows, key by key, what a gateway that runs
            with another file would change if this one took its place, and which keys would need a restart.

            Examples:
              jobs-proxy check --config jobs-proxy.yaml
              jobs-proxy check --config new.yaml --diff jobs-proxy.yaml
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE"))
    var config: String

    @Flag(help: "Also tries what the gateway connects to: Redis, its rights there.")
    var connect = false

    @Option(
        help: ArgumentHelp(
            "The file in use: shows what would change from it to the one of --config.", valueName: "FILE"))
    var diff: String?

    func run() async throws {
        var lines: [String] = []
        do throws(CommandFailure) {
            let catalogs = CatalogStore()
            let configuration = try ConfigurationFile.load(config, catalogs: catalogs)
            if connect { try await check(configuration) }
            // Its secrets need not be there any more.
            if let diff {
                lines = Self.lines(from: try ConfigurationFile.parse(diff, catalogs: catalogs), to: configuration)
            }
        } catch {
            // The output is the faults alone, a line each.
            print(error)
            throw ExitCode.failure
        }
        for line in lines { print(line) }
        print("\(config): good")
    }

    /// One for each key, those that need a restart last.
    static func lines(from old: Configuration, to new: Configuration) -> [String] {
        let difference = ConfigurationDifference(from: old, to: new)
        func line(_ change: ConfigurationDifference.Change) -> String {
            "\(change.key): \(change.old ?? "none") -> \(change.new ?? "none")"
        }
        return difference.changed.map(line) + difference.needsRestart.map { line($0) + " (needs a restart)" }
    }

    private func check(_ configuration: Configuration) async throws(CommandFailure) {
        guard let settings = try ClusterSettings(configuration, environment: Process.environment) else { return }
        if let fault = await ConnectionCheck(settings).fault() {
            throw CommandFailure("\(config):\(configuration.shared?.line ?? 1): shared.redis: \(fault)")
        }
    }
}
