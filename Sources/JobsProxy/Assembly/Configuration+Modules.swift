internal import Cluster
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import Logging
internal import NIOCore
internal import OriginClient
internal import PageCache
internal import Primitives
internal import RateLimiter
internal import Telemetry
internal import Tracing
internal import Upstream

// From the configuration's words to those of the modules.

extension Gate {
    convenience init(
        _ configuration: Configuration, _ services: [Gateway.Service], _ upstream: Upstream,
        receiver: any ArrivalReceiver, observer: (any WriteObserver)?, cluster: ClusterMember?
    ) {
        let (cache, limits) = (configuration.cache, configuration.limits)
        self.init(
            services: services, cache: PageCache(cache), policy: CachePolicy(cache),
            callers: [CallerSettings(limits)] + configuration.callers.map { CallerSettings($0, limits) },
            domainLimit: limits.domain.map { Limit($0) }, refreshAhead: cache.refreshAhead, upstream: upstream,
            receiver: receiver, observer: observer,
            cluster: cluster, sharesQuotas: configuration.shared?.quotas == true)
        spreadReplicas(configuration, among: queue.ownGroups.map(\.id), now: Process.now)
    }

    /// Without anything shared, replicas that are more than a quota's burst take turns: a token that each of them kept would be a joint burst.
    ///
    /// - Parameters:
    ///   - groups: those whose quota is new.
    ///   - old: how many there were before a reload; `nil` at the start.
    func spreadReplicas(
        _ configuration: Configuration, among groups: [QuotaGroupID], instead old: Int? = nil, now: MonotonicInstant
    ) {
        let replicas = configuration.replicas
        guard configuration.shared?.quotas != true, replicas > 1 || old ?? 1 > 1 else { return }
        let wallClock = Process.wallClock()
        let seat = Process.seat(among: replicas)
        for (id, quota) in queue.ownGroups where groups.contains(id) {
            guard replicas > 1, quota.burst == 1 else {
                if old ?? 1 > 1 { queue.replaceSource(with: .bucket, for: id, now: now) }
                continue
            }
            let length = max(1, quota.interval)
            let interval = (length + Int64(replicas) - 1) / Int64(replicas)
            let origin = now - wallClock.nanoseconds % length
            let cycle = TokenSource.cycle(SlotCycle(interval: interval, seat: seat, of: replicas, origin: origin))
            // Nothing was taken before the start.
            if old == nil {
                queue.use(cycle, for: id, now: now)
            } else {
                queue.replaceSource(with: cycle, for: id, now: now)
            }
        }
    }
}

extension Upstream {
    convenience init(
        _ configuration: Configuration, _ services: [Gateway.Service], _ credentials: ServiceCredentials,
        _ sandbox: EmbeddedSandbox?, _ budget: DescriptorBudget, _ registry: Metrics, _ spans: SpanBuffer?,
        _ logger: Logger
    ) {
        self.init(
            settings: Self.settings(configuration, services, credentials, sandbox, budget), retry: configuration.retry,
            metrics: registry, spans: spans, wallClock: Process.wallClock
        ) { logger.warning($0) }
    }

    /// How each service is reached.
    static func settings(
        _ configuration: Configuration, _ services: [Gateway.Service], _ credentials: ServiceCredentials,
        _ sandbox: EmbeddedSandbox?, _ budget: DescriptorBudget
    ) -> [UpstreamSettings] {
        zip(configuration.services, services).map { service, made in
            var settings = UpstreamSettings(
                service, configuration.breaker, sandbox: sandbox,
                signing: credentials.signing(of: service, made, sandbox: sandbox))
            settings.maxConnections = min(settings.maxConnections, budget.perService)
            return settings
        }
    }
}

extension SnapshotKeeper {
    /// `nil` if the configuration names no file.
    ///
    /// - Parameter epochKey: that of the services' scopes. A snapshot with another one is not used: its epochs are of other scopes.
    convenience init?(_ configuration: Configuration, epochKey: EpochKey) {
        guard let path = configuration.cache.snapshot else { return nil }
        let origin = configuration.pageOrigin + Array("epochs \(epochKey.fingerprint)\n".utf8)
        self.init(path: path, origin: origin, maxBytes: configuration.cache.maxBytes)
    }
}

extension AccessLog {
    /// `nil` if no access is to be logged.
    convenience init?(_ log: Configuration.Log, into buffer: LogBuffer) {
        guard log.access != .off else { return nil }
        self.init(
            recordsGood: log.access == .all, format: log.format ?? .json, into: buffer, wallClock: Process.wallClock)
    }
}

extension OwnHosts {
    /// The hosts by which callers call the gateway, or a service that it stands for: they may reach it as a proxy, or because
    /// a name server gives its address for the service's name.
    ///
    /// - Parameter prefixes: see `init(_:prefixes:hasLoopback:)`.
    init(_ configuration: Configuration, _ sandbox: EmbeddedSandbox?, prefixes: [String]) {
        self.init(
            [configuration.listen.address.host] + configuration.listen.hosts
                + configuration.services.map { $0.authority(sandbox) },
            prefixes: prefixes)
    }
}

extension HTTPLimits {
    init(_ http: Configuration.HTTP, _ listen: Configuration.ClientListener, _ budget: DescriptorBudget) {
        self.init()
        (maxFields, maxFieldBytes) = (http.maxFields, http.maxFieldBytes)
        (maxHeadBytes, maxBodyBytes) = (http.maxHeadBytes, http.maxBodyBytes)
        (headTimeout, bodyTimeout, idleTimeout) = (http.headTimeout, http.bodyTimeout, http.idleTimeout)
        maxConnections = http.maxConnections == 0 ? budget.callers : min(http.maxConnections, budget.callers)
        maxRefused = budget.refused
        maxConnectionsPerPeer = http.maxConnectionsPerPeer
        maxUnsentBytes = http.maxUnsentBytes
        trustedProxies = TrustedProxies(
            listen.trustedProxies.compactMap { if case .network(let network) = $0 { network } else { nil } },
            trustsUnixSockets: listen.trustedProxies.contains(.unixSockets))
    }

    init(forOperators budget: DescriptorBudget) {
        self.init()
        maxConnections = budget.operators
        maxRefused = budget.refused
        // There are few, and no load balancer keeps them.
        idleTimeout = 10 * .second
        idleGivesWay = true
        sendBufferBytes = 64 << 10
    }
}

extension TLSSettings {
    init(_ tls: Configuration.TLS) {
        self.init(certificate: tls.certificate, key: tls.key, clientCA: tls.clientCA)
    }
}

extension PageCache {
    convenience init(_ cache: Configuration.Cache) {
        self.init(
            maxBytes: cache.maxBytes, maxWaiters: cache.maxWaiters,
            extraBytes: RefreshPlan.bytesPerPage(cache.refreshAhead, hasAdaptiveTTL: cache.ttl.isAdaptive))
    }
}

extension CachePolicy {
    init(_ cache: Configuration.Cache) {
        self.init()
        (defaultTTL, operationTTL) = (cache.ttl.default, OperationRules(cache.ttl.operation))
        (statusTTL, finalTTL) = (cache.ttl.status, cache.ttl.final)
        (staleWhileRevalidate, staleIfError) = (cache.staleWhileRevalidate, cache.staleIfError)
        (negativeTTL, packsPages) = (cache.negative, cache.gzip)
    }
}

extension Limit {
    init(_ rate: Configuration.Rate) {
        self.init(Quota(rate: rate.rate, burst: Double(rate.burst)), isShadow: rate.shadow)
    }
}

extension CallerSettings {
    /// The callers without a name.
    init(_ limits: Configuration.Limits) {
        self.init(
            name: "anonymous", limit: Limit(limits.caller),
            operationLimits: OperationRules(limits.operation.mapValues { Limit($0) }))
    }

    init(_ caller: Configuration.Caller, _ limits: Configuration.Limits) {
        self.init(
            name: caller.name, weight: caller.weight, limit: Limit(caller.limit ?? limits.caller),
            operationLimits: OperationRules(limits.operation.mapValues { Limit($0) }),
            operations: caller.operations.map(OperationPattern.init),
            domains: caller.domains.map(Glob.init), noCache: caller.noCache)
    }
}

extension UpstreamSettings {
    init(
        _ service: Configuration.ServiceEntry, _ breaker: Configuration.Breaker, sandbox: EmbeddedSandbox?,
        signing: SigningSettings?
    ) {
        let url =
            switch service.endpoint {
            case .sandbox: sandbox?.url ?? ""
            case .origin(let origin): "\(origin)/"
            }
        self.init(
            url: url, http2: service.http2, caBundle: service.caBundle, proxy: service.proxy.map { "\($0)" },
            maxConnections: service.maxConnections, connectTimeout: service.timeouts.connect,
            attemptTimeout: service.timeouts.attempt, maxReplyBytes: service.maxReplyBytes,
            breakerFailures: breaker.failures,
            breakerOpenFor: breaker.openFor, signing: signing)
        takesHostPrefix = service.takesHostPrefix
    }
}

extension Configuration {
    /// The identity of the services that pages come from: each one's name, endpoint and credentials. A snapshot of others is not
    /// used.
    var pageOrigin: [UInt8] {
        let lines = services.map { service in
            let principal =
                switch service.credentials {
                case .default: "default"
                case .keys(let keys): keys.accessKeyID
                }
            return
                "\(service.name) \(service.endpoint) \(service.region) \(service.catalog.name) \(service.signing) \(principal)\n"
        }
        return Array(lines.joined().utf8)
    }
}

extension Configuration.ServiceEntry {
    /// `host[:port]` of its endpoint.
    func authority(_ sandbox: EmbeddedSandbox?) -> String {
        switch endpoint {
        case .sandbox: sandbox?.authority ?? ""
        case .origin(let origin): origin.authority
        }
    }

    /// True if its host has a name that words can be put before: no address, and not this machine.
    fileprivate var takesHostPrefix: Bool {
        guard case .origin(let origin) = endpoint else { return false }
        return !Host.isLoopback(origin.host) && IPAddress(origin.host.utf8) == nil
    }
}
