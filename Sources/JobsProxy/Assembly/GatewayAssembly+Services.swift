internal import Gateway
internal import PageCache
internal import Primitives
internal import RateLimiter

extension GatewayAssembly {
    /// The difference between the arrivals of two requests that were sent at the same time, in nanoseconds: because of a busy machine or
    /// a wide-area network.
    private static let arrivalJitter: Int64 = 250_000_000

    /// The services; those of one scope share the buckets and queues of the first.
    static func services(
        _ configuration: Configuration, _ catalogs: CatalogStore = CatalogStore(), epochKey: EpochKey,
        now: MonotonicInstant
    ) throws(CommandFailure) -> [Gateway.Service] {
        var services: [Gateway.Service] = []
        var scopes: [String: Gateway.Service] = [:]
        for (index, service) in configuration.services.enumerated() {
            let shared = service.quotaScope.flatMap { scopes[$0] }
            var settings = settings(service, try catalogs.load(service.catalog), configuration)
            settings.epochKey = epochKey
            let made = Gateway.Service(index: index, settings: settings, sharing: shared, now: now)
            if let scope = service.quotaScope, shared == nil { scopes[scope] = made }
            services.append(made)
        }
        return services
    }

    private static func settings(
        _ service: Configuration.ServiceEntry, _ catalog: Catalog, _ configuration: Configuration
    ) -> Gateway.Service.Settings {
        var catalog = catalog
        let timeouts = OperationRules(service.timeouts.operation)
        if !service.timeouts.operation.isEmpty {
            for place in catalog.operations.indices {
                let own = timeouts.value(service: service.name, operation: catalog.operations[place].name)
                if let own { catalog.operations[place].timeout = own }
            }
        }
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
}
