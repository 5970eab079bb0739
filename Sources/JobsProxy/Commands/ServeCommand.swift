internal import ArgumentParser
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle
internal import Telemetry

/// `jobs-proxy serve`: runs the gateway until it is told to stop.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the gateway.",
        discussion: """
            Without --config it listens on 127.0.0.1:8080 in front of an embedded sandbox.
            SIGTERM and SIGINT stop it: it is not ready any more, accepts connections for drain.lameDuck, finishes what is
            in flight, and exits with 0. A second one ends it at once, with 0 too.
            SIGHUP has it read the file anew: what can change at once does, the log names what needs a restart, and a
            file with faults changes nothing.
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
        let catalogs = CatalogStore()
        var configuration = try ConfigurationFile.load(config, catalogs: catalogs)
        let format = configuration.log.format ?? ProcessOutput.usualFormat
        configuration.log.format = format
        Process.prepare()
        let output = try ProcessOutput(format, collectsLines: configuration.log.access != .off)
        // The log outlives the services, and the group, which writes to it as long as it runs.
        defer { output.finish() }
        let level = LogLevel(Logger.Level(configuration.log.level))
        let logger = output.logger(label: "jobs-proxy", level: level)
        do {
            try await run(configuration, catalogs, signals, output, logger, level)
        } catch  where format == .json {
            // Who reads the log reads JSON.
            logger.critical("the gateway cannot run", metadata: ["error": "\(error)"])
            throw ExitCode.failure
        }
    }

    private func run(
        _ configuration: Configuration, _ catalogs: CatalogStore, _ signals: EndSignals, _ output: ProcessOutput,
        _ logger: Logger, _ level: LogLevel
    ) async throws {
        try DescriptorBudget.check()
        let supervisor = NotifySocket(Process.environment)
        signals.endInOrder { supervisor?.send("STOPPING=1") }
        let source = config.map { path in
            var source = ReloadSource(path: path) { () throws(CommandFailure) in
                var file = try ConfigurationFile.load(path, catalogs: catalogs)
                file.log.format = file.log.format ?? ProcessOutput.usualFormat
                return file
            }
            source.use = { log in
                level.value = Logger.Level(log.level)
                if log.access != .off { output.collect() }
            }
            source.notify = { isReloading in
                if isReloading { supervisor?.sendReloading() } else { supervisor?.send("READY=1") }
            }
            return source
        }
        let assembly: GatewayAssembly
        do {
            assembly = try await GatewayAssembly(
                configuration, catalogs: catalogs, group: MultiThreadedEventLoopGroup.singleton, logger: logger,
                log: output.log.buffer, source: source,
                isEnding: { signals.isRaised })
        } catch {
            throw CommandFailure("\(error)")
        }
        output.announce(assembly.announcement)
        supervisor?.send("READY=1")
        signals.onHangUp { [reloader = assembly.reloader] in reloader.reload(.signal) }
        let watchdog = supervisor.flatMap {
            Watchdog($0, Process.environment, MultiThreadedEventLoopGroup.singleton, assembly.upstream, logger)
        }
        let services = assembly.services + [watchdog].compactMap { $0 }
        try await ServiceGroup(services, until: signals, logger: logger).run()
    }
}

extension Logger.Level {
    fileprivate init(_ level: Configuration.Log.Level) { self = Self(rawValue: level.rawValue) ?? .info }
}
