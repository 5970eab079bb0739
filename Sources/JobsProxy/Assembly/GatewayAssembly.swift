internal import AWSProtocol
internal import Cluster
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PageCache
internal import Primitives
internal import Sandbox
internal import ServiceLifecycle
internal import Telemetry
internal import Upstream

/// The parts of a gateway, connected as the configuration describes it, and the services that run them.
struct GatewayAssembly: Sendable {
    let running: RunningGateway
    let upstream: Upstream
    let reloader: Reloader
    let registry: Metrics
    let state: GatewayState
    let accessLog: AccessLog?
    let snapshots: SnapshotKeeper?
    let sandbox: EmbeddedSandbox?
    private let callers: CallerListener
    private let operators: OperatorListener
    /// The services that run the gateway. They end from the last to the first: callers get their last answers first, for which the rest
    /// must be there.
    let services: [any ServiceLifecycle.Service]

    /// Connects and starts everything; on return the gateway serves.
    ///
    /// - Parameters:
    ///   - catalogs: those that were loaded with the configuration.
    ///   - environment: the process's environment variables: secrets, credentials and sockets that were handed over may be
    ///     there.
    ///   - log: where access lines go.
    ///   - source: what a reload reads; `nil` if there is no file.
    ///   - isEnding: returns true if the process is to end already; what takes long is left out then.
    /// - Throws: `CommandFailure`, or the system's error.
    init(
        _ configuration: Configuration, catalogs: CatalogStore = CatalogStore(),
        environment: [String: String] = Process.environment, group: any EventLoopGroup, logger: Logger,
        log: LogBuffer = LogBuffer(), source: ReloadSource? = nil, isEnding: @escaping @Sendable () -> Bool = { false }
    ) async throws {
        let recentEvents = RecentEvents()
        let logger = recentEvents.noting(logger)
        let budget = try DescriptorBudget(configuration, group, logger)
        let sockets = try HandedSockets(configuration, environment: environment)
        let sandbox = try await EmbeddedSandbox.start(for: configuration, group: group)
        registry = Metrics()
        let cluster = try ClusterService(configuration, environment: environment, registry, logger)
        let epochKey = cluster?.member.epochKey ?? .known
        let services = try Self.services(configuration, catalogs, epochKey: epochKey, now: Process.now)
        let credentials = try ServiceCredentials(configuration, environment: environment)

        // The decision and what carries it out.
        let exporter = try configuration.tracing.map { try TraceExporter($0, logger) }
        let upstream = Upstream(
            configuration, services, credentials, sandbox, budget, registry, exporter?.spans, logger)
        self.upstream = upstream
        let dispatcher = LoopDispatcher()
        let snapshots = SnapshotKeeper(configuration, epochKey: epochKey)
        let gate = Gate(
            configuration, services, upstream, receiver: dispatcher, observer: snapshots, cluster: cluster?.member)

        // The callers' listener and the operators'.
        accessLog = AccessLog(configuration.log, into: log)
        let callerTable = CallerTable(gate.callerNames)
        let frontMetrics = FrontMetrics(registry, gate, callers: callerTable)
        let ids = (0..<configuration.callers.count).map { CallerID($0 + 1) }
        let readiness = Readiness(configuration, credentials, gate)
        let front = Front(
            gate: gate, dispatcher: dispatcher, metrics: frontMetrics, showsMetrics: configuration.listen.metrics,
            log: accessLog,
            tracing: configuration.tracing.flatMap { tracing in
                exporter.map { TracingSettings(sample: tracing.sample, spans: $0.spans) }
            }, identities: try CallerIdentities(configuration, services, ids: ids, environment: environment),
            offload: Self.offload, hosts: OwnHosts(configuration, sandbox, prefixes: gate.hostPrefixes),
            authorities: configuration.services.map { $0.authority(sandbox) },
            unreadiness: { readiness.reasons(now: Process.now) }, wallClock: Process.wallClock)
        let server = try await Server(
            group: group, limits: HTTPLimits(configuration.http, configuration.listen, budget),
            wallClock: Process.coarseWallClock
        ) { GatewayResponder(loop: $0, gate: gate, front: front) }
        running = RunningGateway(
            RunningGateway.Parts(
                configuration: configuration, gate: gate, front: front, credentials: credentials, readiness: readiness,
                secrets: try SecretValues(configuration, environment: environment)))
        reloader = Reloader(source, registry, group: group, logger: logger)
        state = GatewayState(
            running: running, upstream: upstream, limiter: server.limiter, cluster: cluster?.member,
            isServing: { front.isServing })
        let dashboard = DashboardFigures(
            registry, .init(configuration, gate, frontMetrics, cluster?.member), recentEvents,
            overrides: { [state] in .array(state.overrides(now: Process.now)) },
            isServing: { front.isServing })
        let access = AdminAccess(
            token: try configuration.admin.token?.value(environment),
            hosts: OwnHosts([configuration.admin.address.host] + configuration.listen.hosts),
            state: SharedText(offload: Self.offload, render: state.json), orders: reloader.orders,
            hub: WatchHub(.init(history: dashboard.history, now: dashboard.now), offload: Self.offload))
        let adminServer = try await Server(
            group: group, limits: HTTPLimits(forOperators: budget), wallClock: Process.coarseWallClock
        ) { AdminResponder(loop: $0, gate: gate, front: front, access: access, offload: Self.offload) }
        GatewayMetrics.register(in: registry, gate: gate, upstream: upstream, server: server, log: log)
        GatewayMetrics.credentials(registry, running)
        GatewayMetrics.snapshot(registry, snapshots)
        GatewayMetrics.traces(registry, exporter?.spans)

        // The start: credentials are looked for while pages are read; callers come last.
        credentials.begin(logger, upstream, running)
        let snapshotService = snapshots.map { SnapshotService($0, gate, logger) }
        snapshotService?.load(until: isEnding)
        cluster?.member.start(for: gate)
        let upstreamService = try await UpstreamService(upstream, for: gate)
        operators = try await OperatorListener(adminServer, configuration, sockets, logger) { front.isServing }
        callers = try await CallerListener(server, front, running, sockets, logger)
        reloader.begin(
            GatewayReload(
                running: running, catalogs: catalogs, environment: environment, callers: callerTable,
                upstream: upstream, sandbox: sandbox, budget: budget, log: log, server: server,
                adminServer: adminServer, state: access.state, orders: reloader.orders, hub: access.hub,
                dashboard: dashboard, snapshots: snapshots, cluster: cluster?.member, logger: logger))

        (self.snapshots, self.sandbox) = (snapshots, sandbox)
        let parts: [(any ServiceLifecycle.Service)?] = [
            OrphanReaper(), reloader, exporter, sandbox, operators,
            DashboardService(figures: dashboard, offload: Self.offload), cluster, snapshotService, upstreamService,
            callers,
        ]
        self.services = parts.compactMap { $0 }
    }

    var gate: Gate { running.parts.gate }

    /// The address of the callers' listener; the port is the bound one.
    var address: Configuration.Address { callers.address }
    var adminAddress: Configuration.Address { operators.address }

    /// The addresses, and with an embedded sandbox two commands to try.
    var announcement: String {
        let scheme = callers.isSecure ? "https" : "http"
        let url = address.path == nil ? "\(scheme)://\(address)" : "\(address)"
        let operators = adminAddress.path == nil ? "http://\(adminAddress)/metrics" : "\(adminAddress)"
        var lines = ["Callers:  \(url)", "Operator: \(operators)"]
        if address.path == nil, let sandbox, let domain = sandbox.server.domainIDs.first {
            lines.append(sandbox.invitation(to: url, domain: domain))
        }
        return lines.joined(separator: "\n")
    }

    /// A thread for operators alone: other work may wait for a file system that hangs.
    private static let operatorThreads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()

    /// Runs work on a thread that serves no caller.
    private static let offload: SharedText.Offload = { work in
        operatorThreads.submit { state in if state == .active { work() } }
    }
}
