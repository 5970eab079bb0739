internal import ArgumentParser
internal import Gateway
internal import StrictYAML

/// `jobs-proxy check`: says what is wrong with a configuration file.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a configuration file.",
        discussion: """
            Prints every fault as 'FILE:LINE: KEY: what is wrong and how to mend it' and exits with 1,
            or says that the file is good and exits with 0. What works but is probably not meant is a warning, marked
            so behind the line; with --strict it counts as a fault. Run it as the gateway's user and with its environment: secrets,
            certificates, directories and the limit of open files are looked at too.

            With --connect it then tries what the gateway would connect to, as the gateway would, and prints a line for each
            trial, which begins with ok, skipped, warning or error: the endpoint of each service (a connection and its TLS
            handshake; no request is sent), the credentials, whose they are (sts:GetCallerIdentity, if the endpoint is AWS's or
            AWS_ENDPOINT_URL_STS names one), Redis and its rights there, the collector of traces.

            With --diff it shows, key by key, what a gateway that runs
            with another file would change if this one took its place, and which keys would need a restart.

            Examples:
              jobs-proxy check --config jobs-proxy.yaml
              jobs-proxy check --strict --connect --config jobs-proxy.yaml
              jobs-proxy check --config new.yaml --diff jobs-proxy.yaml
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE"))
    var config: String

    @Flag(help: "Also tries what the gateway connects to: endpoints, credentials, Redis.")
    var connect = false

    @Flag(help: "Takes warnings for faults.")
    var strict = false

    @Option(
        help: ArgumentHelp(
            "The file in use: shows what would change from it to the one of --config.", valueName: "FILE"))
    var diff: String?

    func run() async throws {
        // The output is the faults alone, a line each.
        let (catalogs, environment) = (CatalogStore(), Process.environment)
        do throws(CommandFailure) {
            let (configuration, faults) = try ConfigurationFile.read(
                config, catalogs: catalogs, environment: environment)
            let now = Process.wallClock()
            MachineFindings(configuration: configuration, environment: environment, now: now).add(to: faults)
            for fault in faults.all { print(fault) }
            var (warnings, errors) = (faults.all.count - faults.count, faults.count)
            if connect, errors == 0 {
                let trials = ConnectionTrials(configuration: configuration, environment: environment, now: now)
                for result in await trials.results() {
                    print(result)
                    if result.kind == .warning { warnings += 1 }
                    if result.kind == .error { errors += 1 }
                }
            }
            guard errors == 0, !strict || warnings == 0 else { throw CommandFailure("") }
            // Its secrets need not be there any more.
            if let diff {
                let old = try ConfigurationFile.parse(diff, catalogs: catalogs)
                for line in Self.lines(from: old, to: configuration) { print(line) }
            }
            print("\(config): good\(Self.words(warnings))")
        } catch {
            if !error.description.isEmpty { print(error) }
            throw ExitCode.failure
        }
    }

    private static func words(_ warnings: Int) -> String {
        switch warnings {
        case 0: ""
        case 1: ", with 1 warning"
        default: ", with \(warnings) warnings"
        }
    }

    /// Why a reload would refuse the file, and one for each key, those that need a restart last.
    static func lines(from old: Configuration, to new: Configuration) -> [String] {
        let difference = ConfigurationDifference(from: old, to: new)
        func line(_ change: ConfigurationDifference.Change) -> String {
            "\(change.key): \(change.old ?? "none") -> \(change.new ?? "none")"
        }
        return refusals(from: old, to: new).map { "a reload refuses this, a restart does not: \($0)" }
            + difference.changed.map(line) + difference.needsRestart.map { line($0) + " (needs a restart)" }
    }

    private static func refusals(from old: Configuration, to new: Configuration) -> [String] {
        var refusals = old.refusals(ofReloadAs: new)
        // As if the gateway had been started with the old file.
        let table = CallerTable([""] + old.callers.map(\.name))
        do throws(CallerTable.Full) { _ = try table.ids(of: new.callers.map(\.name)) } catch {
            refusals.append("callers: \(error)")
        }
        return refusals
    }
}
