internal import Cluster
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Logging
internal import PageCache
internal import Primitives
internal import RateLimiter
internal import Telemetry
internal import Upstream

/// Puts the parts of another configuration in the place of those that run. Connections, pages, flights, queues, buckets and counters stay.
///
/// All of the new parts are made before the first of them is used, so a configuration with a fault changes nothing.
struct GatewayReload: Sendable {
    let running: RunningGateway
    let catalogs: CatalogStore
    let environment: [String: String]
    let callers: CallerTable
    let upstream: Upstream
    let sandbox: EmbeddedSandbox?
    let budget: DescriptorBudget
    let log: LogBuffer
    let server: Server<GatewayResponder>
    let adminServer: Server<AdminResponder>
    let state: SharedText
    let orders: AdminOrders
    let hub: WatchHub
    let dashboard: DashboardFigures
    let snapshots: SnapshotKeeper?
    let cluster: ClusterMember?
    let logger: Logger

    /// Uses what a file says from now on.
    ///
    /// - Returns: what has changed, and what needs a restart.
    /// - Throws: `CommandFailure`, a line for each fault; nothing has changed then.
    func apply(_ file: Configuration) async throws(CommandFailure) -> ConfigurationDifference {
        let old = running.parts
        let configuration = old.configuration.reloaded(as: file)
        let refusals = old.configuration.refusals(ofReloadAs: file)
        guard refusals.isEmpty else { throw CommandFailure(refusals.joined(separator: "\n")) }
        let secrets = try SecretValues(configuration, environment: environment)
        var difference = ConfigurationDifference(
            from: old.configuration, to: file,
            secrets: (old.secrets, try SecretValues(file, environment: environment)))
        difference.addEditedCatalogs(of: old.configuration.services.filter { catalogs.isEdited($0.catalog) })
        var parts = old
        (parts.configuration, parts.secrets) = (configuration, secrets)
        try await use(&parts, after: old, difference)
        return difference
    }

    /// Uses other rates of quota groups for a while, or the configured ones again.
    ///
    /// - Throws: `CommandFailure`; nothing has changed then.
    func apply(_ overrides: QuotaOverrides) throws(CommandFailure) {
        let now = Process.now
        var parts = running.parts
        parts.overrides = overrides
        let configuration = parts.configuration
        let services = try GatewayAssembly.services(
            configuration.with(overrides), catalogs, epochKey: epochKey, now: now)
        let gate = parts.gate
        let changed = gate.queue.change(
            services, domainLimit: configuration.limits.domain.map { Limit($0) }, now: now)
        gate.spreadReplicas(configuration, among: changed, instead: configuration.replicas, now: now)
        cluster?.replace(gate, changed: changed)
        upstream.queueGrew()
        running.use(parts)
    }

    /// The same before and after: pages keep their scopes.
    private var epochKey: EpochKey { cluster?.epochKey ?? .known }

    private func use(
        _ parts: inout RunningGateway.Parts, after old: RunningGateway.Parts, _ difference: ConfigurationDifference
    ) async throws(CommandFailure) {
        let now = Process.now
        let configuration = parts.configuration
        let effective = configuration.with(parts.overrides)
        // What may fail comes first.
        let services = try GatewayAssembly.services(effective, catalogs, epochKey: epochKey, now: now)
        let ids = try ids(of: configuration)
        parts.credentials = try ServiceCredentials(configuration, environment: environment, after: old.credentials)
        let identities = try CallerIdentities(
            configuration, services, ids: ids, environment: environment, after: old.front.identities)
        let token = try configuration.admin.token?.value(environment)
        if let tls = configuration.listen.tls {
            do throws(TLSError) { try server.useCertificates(TLSSettings(tls)) } catch {
                throw CommandFailure("listen.tls: \(error)")
            }
        }
        // Nothing fails from here on.
        let gate = Gate(
            replacing: old.gate, services: services, policy: CachePolicy(configuration.cache),
            callers: callerSettings(configuration, ids, old.gate), now: now)
        let credentials = parts.credentials
        let readiness = Readiness(configuration, credentials, gate, after: old.readiness)
        let accessLog =
            configuration.log.access == old.configuration.log.access
            ? old.front.log : AccessLog(configuration.log, into: log)
        let front = Front(
            replacing: old.front, gate: gate, log: accessLog, identities: identities,
            hosts: OwnHosts(configuration, sandbox, prefixes: gate.hostPrefixes),
            unreadiness: { readiness.reasons(now: Process.now) })
        (parts.gate, parts.front, parts.readiness) = (gate, front, readiness)
        gate.cache.resize(maxBytes: configuration.cache.maxBytes, maxWaiters: configuration.cache.maxWaiters)
        var changed = gate.queue.change(services, domainLimit: configuration.limits.domain.map { Limit($0) }, now: now)
        if configuration.replicas != old.configuration.replicas { changed = gate.queue.ownGroups.map(\.id) }
        gate.spreadReplicas(configuration, among: changed, instead: old.configuration.replicas, now: now)
        cluster?.replace(gate, changed: changed)
        change(upstream, configuration, services, parts, old, difference)
        running.use(parts)
        credentials.begin(logger, after: old.credentials, upstream, running)
        let access = AdminAccess(
            token: token, hosts: OwnHosts([configuration.admin.address.host] + configuration.listen.hosts),
            state: state, orders: orders, hub: hub)
        dashboard.use(.init(configuration, gate, front.metrics, cluster))
        await server.replaceResponders { _, old in GatewayResponder(replacing: old, gate: gate, front: front) }
        await adminServer.replaceResponders { _, old in
            AdminResponder(replacing: old, gate: gate, front: front, access: access)
        }
        // The old token lets nobody watch on.
        if difference.changed.contains(where: { $0.key == "admin.token" }) { hub.dropAll() }
    }

    // MARK: Callers

    /// The ids of the configuration's callers, in its order.
    private func ids(of configuration: Configuration) throws(CommandFailure) -> [CallerID] {
        do throws(CallerTable.Full) {
            return try callers.ids(of: configuration.callers.map(\.name))
        } catch {
            throw CommandFailure("callers: \(error)")
        }
    }

    /// By their ids. One that the configuration has no more keeps its limits and may ask for nothing: it has no key, and requests that came
    /// before may still be counted as its.
    private func callerSettings(_ configuration: Configuration, _ ids: [CallerID], _ old: Gate) -> [CallerSettings] {
        let limits = configuration.limits
        var settings = old.callerSettings
        for place in settings.indices { settings[place].operations = [] }
        settings[0] = CallerSettings(limits)
        for (id, caller) in zip(ids, configuration.callers).sorted(by: { $0.0.index < $1.0.index }) {
            let own = CallerSettings(caller, limits)
            if settings.indices.contains(id.index) { settings[id.index] = own } else { settings.append(own) }
        }
        return settings
    }

    // MARK: The upstream

    private func change(
        _ upstream: Upstream, _ configuration: Configuration, _ services: [Gateway.Service],
        _ parts: RunningGateway.Parts, _ old: RunningGateway.Parts, _ difference: ConfigurationDifference
    ) {
        let gate = parts.gate
        let renewed = configuration.services.indices.filter { place in
            let key = "services.\(configuration.services[place].name).credentials"
            return configuration.services[place].credentials != old.configuration.services[place].credentials
                || difference.changed.contains { $0.key == key }
        }
        upstream.change(
            UpstreamChange(
                gate: gate,
                settings: Upstream.settings(configuration, services, parts.credentials, sandbox, budget),
                retry: configuration.retry, newSupplies: Set(renewed)))
        let (origin, oldOrigin) = (configuration.pageOrigin, old.configuration.pageOrigin)
        guard origin != oldOrigin else { return }
        // Another key may be another account's. The pages of the one before are void once nothing is signed with it any more.
        let (snapshots, renewedServices) = (snapshots, renewed)
        upstream.ping {
            snapshots?.use(origin: origin)
            for place in renewedServices { gate.invalidateAll(ofService: place) }
        }
    }
}
