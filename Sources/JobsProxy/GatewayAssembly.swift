internal import Credentials
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import PageCache
internal import RateLimiter
internal import Sandbox
internal import ServiceLifecycle
internal import Telemetry
internal import Upstream

/// A running gateway: everything that the configuration describes, put together.
final class GatewayAssembly: ServiceLifecycle.Service {
    /// Where callers are served; the port is the bound one.
    let address: (host: String, port: Int)
    /// Where the operator's endpoints are.
    let adminAddress: (host: String, port: Int)
    private let adminIsPending: Bool
    /// The gateway's decisions, the file of its pages, and all that it shows of itself, for tests.
    let gate: Gate
    let snapshots: SnapshotKeeper?
    let registry: Metrics
    let state: GatewayState
    let accessLog: AccessLog?
    /// The embedded sandbox and where it listens, if a service has one.
    let sandbox: EmbeddedSandbox?
    let configuration: Configuration
    let logger: Logger
    private let front: Front
    private let server: Server<GatewayResponder>
    let adminServer: Server<AdminResponder>
    private let upstream: Upstream
    private let credentials: ServiceCredentials

    /// Starts everything; on return the gateway serves.
    ///
    /// - Parameters:
    ///   - environment: the process's environment variables: secrets, credentials and sockets that were handed over may be
    ///     there.
    ///   - log: where access lines go.
    ///   - isEnding: whether the process is to end already; what takes long is left out then.
    /// - Throws: `CommandFailure`, or the system's error.
    init(
        _ configuration: Configuration, environment: [String: String] = Process.environment, group: any EventLoopGroup,
        logger: Logger, log: LogBuffer = LogBuffer(), isEnding: @escaping @Sendable () -> Bool = { false }
    ) async throws {
        self.configuration = configuration
        self.logger = logger
        let budget = try Self.descriptors(configuration, group, logger)
        let sockets = try HandedSockets(configuration, environment: environment)
        let sandbox = try await EmbeddedSandbox.start(for: configuration, group: group)
        self.sandbox = sandbox

        registry = Metrics()
        let services = try Self.services(configuration, now: Process.now)
        let credentials = try ServiceCredentials(configuration, environment: environment)
        self.credentials = credentials
        upstream = Upstream(
            settings: zip(configuration.services, services).map { service, made in
                var settings = UpstreamSettings(
                    service, configuration.breaker, sandbox: sandbox,
                    signing: credentials.signing(of: service, made, sandbox: sandbox))
                settings.maxConnections = min(settings.maxConnections, budget.perService)
                return settings
            },
            retry: RetryPolicy(configuration.retry), metrics: registry,
            wallClock: { Process.wallClockNanoseconds }
        ) { logger.warning("\($0)") }
        credentials.begin { [weak upstream] in upstream?.credentialsChanged() }
        let deliveries = Deliveries()
        let cache = PageCache(maxBytes: configuration.cache.maxBytes, maxWaiters: configuration.cache.maxWaiters)
        snapshots = configuration.cache.snapshot.map {
            SnapshotKeeper(
                path: $0, origin: configuration.pageOrigin, maxBytes: configuration.cache.maxBytes)
        }
        let gate = Gate(
            services: services, cache: cache, policy: CachePolicy(configuration.cache),
            callers: [CallerSettings(configuration.limits)]
                + configuration.callers.map { CallerSettings($0, configuration.limits) },
            domainLimit: configuration.limits.domain.map { Limit($0) }, upstream: upstream, receiver: deliveries,
            observer: snapshots)
        self.gate = gate
        let accessLog =
            configuration.log.access == .off
            ? nil : AccessLog(recordsGood: configuration.log.access == .all, into: log, wallClock: Process.wallClock)
        self.accessLog = accessLog
        let front = Front(
            gate: gate, deliveries: deliveries,
            metrics: FrontMetrics(registry, operationNames: gate.operationNames, callerNames: gate.callerNames),
            log: accessLog, callers: try Callers(configuration, services, environment: environment),
            offload: Self.offload, hosts: OwnHosts(configuration, sandbox),
            authorities: configuration.services.map { $0.authority(sandbox) },
            canCallServices: { credentials.areReady }
        ) { Process.wallClockNanoseconds }
        self.front = front
        server = try await Server(
            group: group, limits: HTTPLimits(configuration.http, budget), wallClock: Process.wallClock
        ) { GatewayResponder(loop: $0, gate: gate, front: front) }
        state = GatewayState(
            configuration: configuration, gate: gate, upstream: upstream, credentials: credentials,
            limiter: server.limiter, isServing: { front.isServing })
        let access = AdminAccess(
            token: try configuration.admin.token?.value(environment),
            hosts: OwnHosts([configuration.admin.address.host] + configuration.listen.hosts),
            state: SharedText(offload: Self.offload, render: state.json))
        adminServer = try await Server(
            group: group, limits: HTTPLimits(forOperators: budget), wallClock: Process.wallClock
        ) { loop in
            AdminResponder(loop: loop, gate: gate, front: front, access: access, offload: Self.offload)
        }
        GatewayMetrics.register(
            in: registry, gate: gate, upstream: upstream, server: server, log: log)

        if let snapshots { Self.load(snapshots, into: gate, logger, until: isEnding) }
        try await upstream.run(for: gate)
        let bound = try await Self.listen(adminServer, forOperatorOf: configuration, sockets, logger)
        adminAddress = bound ?? (configuration.admin.address.host, configuration.admin.address.port)
        adminIsPending = bound == nil
        address = try await Self.listen(
            server, configuration.listen.address, tls: configuration.listen.tls, handed: sockets.client, logger)
        front.isServing = true
    }

    /// Serves until it is told to stop, then lets what is in flight end.
    func run() async throws {
        logger.info("serving", metadata: ["address": "\(address.host):\(address.port)"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.writeSnapshots() }
            if self.adminIsPending { group.addTask { await self.takeOverAdmin() } }
            if Process.isFirst { group.addTask { await Self.reapOrphans() } }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        await shutDown()
    }

    /// Does what process 1 has to do.
    private static func reapOrphans() async {
        while !Task.isCancelled {
            Children.reapOrphans()
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// How long connections without a request stay open at the end, in nanoseconds. A client that is about to send one cannot
    /// know that its connection is being closed; whoever polls as often gets an answer that says so. Longer would make those
    /// wait who connect meanwhile, where a parent holds the sockets for the gateway that comes next.
    private static let maxGrace: Int64 = 2_000_000_000

    /// Not ready, no new connections, the last answers, the upstream, the sandbox: in this order.
    func shutDown() async {
        front.isServing = false
        let isClean = await server.shutDown(
            timeout: configuration.drain, grace: min(configuration.drain / 4, Self.maxGrace))
        if !isClean { logger.warning("connections were still open when the drain time was over") }
        upstream.stop(by: Process.now + 1_000_000_000)
        while !upstream.hasEnded { try? await Task.sleep(for: .milliseconds(2)) }
        await endSnapshots()
        await adminServer.shutDown(timeout: 0)
        await sandbox?.server.shutDown()
    }

    /// Where everything is, and with an embedded sandbox what to try.
    var announcement: String {
        let scheme = configuration.listen.tls == nil ? "http" : "https"
        let url = "\(scheme)://\(Host.bracketed(address.host)):\(address.port)"
        var lines = ["Callers:  \(url)", "Operator: http://\(adminAddress.host):\(adminAddress.port)/metrics"]
        if let sandbox, let domain = sandbox.server.domainIDs.first {
            lines.append(sandbox.invitation(to: url, domain: domain))
        }
        return lines.joined(separator: "\n")
    }

    /// How much the way to a service may vary, in nanoseconds: what a busy machine and a wide-area network do to a request.
    private static let arrivalJitter: Int64 = 250_000_000

    /// Theirs alone: other work may wait for a file system that hangs.
    private static let operatorThreads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()

    /// Runs work on a thread that serves nobody.
    private static let offload: SharedText.Offload = { work in
        operatorThreads.submit { state in if state == .active { work() } }
    }

    // MARK: Parts

    /// Shares out the files that the process may have open, and says so where that is less than is configured.
    ///
    /// - Throws: `CommandFailure` if they are too few.
    private static func descriptors(
        _ configuration: Configuration, _ group: any EventLoopGroup, _ logger: Logger
    ) throws(CommandFailure) -> DescriptorBudget {
        let limit = Process.maxOpenFiles
        let loops = group.makeIterator().reduce(0) { count, _ in count + 1 }
        let wanted = configuration.services.map(\.maxConnections)
        let advice = DescriptorBudget.advice
        try DescriptorBudget.check(loops: loops)
        guard let budget = DescriptorBudget(limit: limit, services: wanted, loops: loops) else {
            throw CommandFailure("the process may have too few files open: \(advice)")
        }
        if configuration.http.maxConnections > budget.callers {
            logger.warning(
                "http.maxConnections is lowered: the process may have too few files open; \(advice)",
                metadata: ["files": "\(limit)", "maxConnections": "\(budget.callers)"])
        }
        if wanted.contains(where: { $0 > budget.perService }) {
            logger.warning(
                "services' maxConnections are lowered: the process may have too few files open; \(advice)",
                metadata: ["files": "\(limit)", "maxConnections": "\(budget.perService)"])
        }
        return budget
    }

    /// The services; those of one scope share the buckets and queues of the first.
    static func services(
        _ configuration: Configuration, now: Int64
    ) throws(CommandFailure) -> [Gateway.Service] {
        var services: [Gateway.Service] = []
        var scopes: [String: Gateway.Service] = [:]
        for (index, service) in configuration.services.enumerated() {
            let shared = service.quotaScope.flatMap { scopes[$0] }
            let made = Gateway.Service(
                index: index, settings: try settings(service, configuration), sharing: shared, now: now)
            if let scope = service.quotaScope, shared == nil { scopes[scope] = made }
            services.append(made)
        }
        return services
    }

    private static func settings(
        _ service: Configuration.Service, _ configuration: Configuration
    ) throws(CommandFailure) -> Gateway.Service.Settings {
        let catalog = try CatalogFile.load(service.catalog)
        let replicas = Double(configuration.replicas)
        let quotas = catalog.quotaGroups.map { group in
            let override = service.quotas[group.name]
            let rate = (override?.rate ?? group.rate) * (1 - service.headroom) / replicas
            let burst = (override.map { Double($0.burst) } ?? group.burst) / replicas
            return Quota(rate: rate, burst: burst, jitter: arrivalJitter)
        }
        return Gateway.Service.Settings(
            name: service.name, region: service.region, catalog: catalog, quotas: quotas,
            callTimeout: service.timeouts.call, maxWait: configuration.limits.queue.maxWait,
            maxDepth: configuration.limits.queue.maxDepth,
            signing: service.signing == .resign
                ? .resign : .passthrough(isTrusted: configuration.listen.trusted),
            shadowGroups: Set(
                catalog.quotaGroups.indices.filter { service.quotas[catalog.quotaGroups[$0].name]?.shadow == true }))
    }

    // MARK: Snapshots

    /// How often the pages are written to their file, in nanoseconds; how soon again after writes, each of which voids some of the
    /// file's; and how many times as long as that took at least, so that it never takes up more than a part of the time.
    private static let snapshotInterval: Int64 = 120_000_000_000
    private static let snapshotRenewal: Int64 = 10_000_000_000
    private static let snapshotShare: Int64 = 20

    /// Writes the pages to their file every now and then, on a thread that no request waits for.
    private func writeSnapshots() async {
        guard let snapshots else { return }
        var last = Process.now
        var pause = Self.snapshotRenewal
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            guard !Task.isCancelled else { return }
            let isDue = Process.now - last >= (snapshots.writesSinceSaved > 0 ? pause : Self.snapshotInterval)
            let took = try? await NIOThreadPool.singleton.runIfActive {
                snapshots.refresh(self.gate.cache)
                let begun = Process.now
                if isDue { self.saveSnapshot() }
                return Process.now - begun
            }
            guard isDue else { continue }
            last = Process.now
            pause = max(Self.snapshotRenewal, (took ?? 0) * Self.snapshotShare)
        }
    }

    private func saveSnapshot() {
        guard let snapshots else { return }
        do throws(FileError) {
            guard let pages = try snapshots.save(gate.cache) else { return }
            logger.debug("snapshot written", metadata: ["pages": "\(pages)"])
        } catch {
            logger.error("snapshot not written: \(error)")
        }
    }

    /// Writes the pages to their file for the last time, when nothing is on its way any more.
    private func endSnapshots() async {
        guard let snapshots else { return }
        saveSnapshot()
        guard let until = snapshots.end() else { return }
        logger.warning("the file system does not let the snapshot be made void: its time is waited for")
        try? await Task.sleep(for: .nanoseconds(until - Process.now))
    }

    private static func load(
        _ snapshots: SnapshotKeeper, into gate: Gate, _ logger: Logger, until isEnding: @escaping () -> Bool
    ) {
        do throws(CommandFailure) {
            guard let pages = try snapshots.load(into: gate, until: isEnding) else { return }
            logger.info("snapshot read", metadata: ["pages": "\(pages)"])
        } catch {
            logger.warning("snapshot \(error); the cache starts empty")
        }
    }
}
