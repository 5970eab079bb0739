internal import ArgumentParser

@main
struct JobsProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs-proxy",
        abstract: "A gateway between many internal callers and an AWS JSON endpoint.",
        discussion: """
            It answers repeated page requests from its cache, keeps the service's quota, retries when the service
            stumbles, and shows what it does at /metrics.

            Examples:
              jobs-proxy serve                             a gateway on 127.0.0.1:8080 with an embedded sandbox
              jobs-proxy serve --config jobs-proxy.yaml    a gateway as the file describes it
              jobs-proxy check --config jobs-proxy.yaml    says what is wrong with the file
            """,
        version: buildVersion,
        subcommands: [
            ServeCommand.self, CheckCommand.self, HealthCommand.self, TopCommand.self, SandboxCommand.self,
            CatalogCommand.self, CallerCommand.self, SimulateCommand.self,
        ])

    static func main() async {
        guard let words = ProgramArguments.afterName else {
            exit(withError: CommandFailure("the system does not tell the words of the command line"))
        }
        await main(words)
    }

    func run() throws { throw ValidationError.noCommand }
}

extension ValidationError {
    /// The error of a command that only groups others. It does nothing, so it does not exit with 0.
    static let noCommand = ValidationError("name a command")
}

/// The version that `--version` and `jobsproxy_build_info` show.
let buildVersion = "0.1.0"
