internal import ArgumentParser
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// `jobs-proxy serve`: runs the gateway until it is told to stop.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the gateway.",
        discussion: """
            Without --config it listens on 127.0.0.1:8080 in front of an embedded sandbox.
            SIGTERM and SIGINT stop it: it takes no new connections, finishes what is in flight, and exits with 0. SIGHUP
            is ignored.
            It listens on the sockets that it is started with, as systemd does (LISTEN_FDS), if they are those of its
            addresses.

            Examples:
              jobs-proxy serve
              jobs-proxy serve --config jobs-proxy.yaml
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE"))
    var config: String?

    func run() async throws {
        let signals = try EndSignals()
        Process.ignoreHangUp()
        let catalogs = CatalogStore()
        var configuration = try ConfigurationFile.load(config, catalogs: catalogs)
        let format = configuration.log.format ?? ProcessOutput.usualFormat
        configuration.log.format = format
        Process.prepare()
        try DescriptorBudget.check()
        let output = try ProcessOutput(format, collectsLines: configuration.log.access != .off)
        // The log outlives the services, and the group, which writes to it as long as it runs.
        defer { output.finish() }
        let logger = output.logger(
            label: "jobs-proxy", level: Logger.Level(rawValue: configuration.log.level.rawValue) ?? .info)
        signals.endInOrder()
        let assembly: GatewayAssembly
        do {
            assembly = try await GatewayAssembly(
                configuration, catalogs: catalogs, group: MultiThreadedEventLoopGroup.singleton, logger: logger,
                log: output.log.buffer,
                isEnding: { signals.isRaised })
        } catch {
            throw CommandFailure("\(error)")
        }
        output.announce(assembly.announcement)
        try await ServiceGroup(assembly.services, until: signals, logger: logger).run()
    }
}
