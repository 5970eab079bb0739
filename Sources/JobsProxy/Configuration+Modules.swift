internal import Gateway
internal import OriginClient
internal import HTTPFront
internal import RateLimiter
internal import Upstream

// From the configuration's words to those of the modules.

extension HTTPLimits {
    init(_ http: Configuration.HTTP, _ budget: DescriptorBudget) {
        self.init()
        maxFields = http.maxFields
        maxFieldBytes = http.maxFieldBytes
        maxHeadBytes = http.maxHeadBytes
        maxBodyBytes = http.maxBodyBytes
        headTimeout = http.headTimeout
        bodyTimeout = http.bodyTimeout
        idleTimeout = http.idleTimeout
        maxConnections = http.maxConnections == 0 ? budget.callers : min(http.maxConnections, budget.callers)
        maxRefused = budget.refused
        maxConnectionsPerPeer = http.maxConnectionsPerPeer
        maxUnsentBytes = http.maxUnsentBytes
    }

    /// Of the operator's listener.
    init(forOperators budget: DescriptorBudget) {
        self.init()
        maxConnections = budget.operators
        maxRefused = budget.refused
    }
}

extension TLSSettings {
    init(_ tls: Configuration.TLS) {
        self.init(certificate: tls.certificate, key: tls.key, clientCA: tls.clientCA)
    }
}

extension CachePolicy {
    init(_ cache: Configuration.Cache) {
        self.init()
        defaultTTL = cache.ttl.default
        statusTTL = cache.ttl.status
        operationTTL = cache.ttl.operation
        staleWhileRevalidate = cache.staleWhileRevalidate
        staleIfError = cache.staleIfError
        negativeTTL = cache.negative
    }
}

extension RetryPolicy {
    init(_ retry: Configuration.Retry) {
        self.init()
        maxAttempts = retry.maxAttempts
        baseDelay = retry.baseDelay
        maxDelay = retry.maxDelay
        budgetRatio = retry.budget.ratio
        budgetReserve = retry.budget.reserve
    }
}

extension Limit {
    init(_ rate: Configuration.Rate) {
        self.init(Quota(rate: rate.rate, burst: Double(rate.burst)), isShadow: rate.shadow)
    }
}

extension CallerSettings {
    /// Whoever is not known.
    init(_ limits: Configuration.Limits) {
        self.init(
            name: "anonymous", limit: Limit(limits.caller), operationLimits: limits.operation.mapValues { Limit($0) })
    }

    /// Somebody with a name.
    init(_ caller: Configuration.Caller, _ limits: Configuration.Limits) {
        self.init(
            name: caller.name, weight: caller.weight, limit: Limit(caller.limit ?? limits.caller),
            operationLimits: limits.operation.mapValues { Limit($0) }, operations: caller.operations.map(Glob.init),
            domains: caller.domains.map(Glob.init), noCache: caller.noCache)
    }
}

extension UpstreamSettings {
    init(
        _ service: Configuration.Service, _ breaker: Configuration.Breaker, sandbox: EmbeddedSandbox?,
        signing: SigningSettings?
    ) {
        let url =
            switch service.endpoint {
            case .sandbox: sandbox?.url ?? ""
            case .origin(let origin): "\(origin)/"
            }
        let http2: HTTP2Mode =
            switch service.http2 {
            case .auto: .auto
            case .off: .off
            case .priorKnowledge: .priorKnowledge
            }
        self.init(
            url: url, http2: http2, caBundle: service.caBundle, proxy: service.proxy.map { "\($0)" },
            maxConnections: service.maxConnections, connectTimeout: service.timeouts.connect,
            attemptTimeout: service.timeouts.attempt, breakerFailures: breaker.failures,
            breakerOpenFor: breaker.openFor, signing: signing)
    }
}

extension Configuration {
    /// What the pages of this gateway are answers of: each service's name, where it is, and as whom it is asked. Pages of
    /// another are not ours.
    var pageOrigin: [UInt8] {
        let lines = services.map { service in
            let principal =
                switch service.credentials {
                case .default: "default"
                case .keys(let keys): keys.accessKeyID
                }
            return
                "\(service.name) \(service.endpoint) \(service.region) \(service.catalog) \(service.signing) \(principal)\n"
        }
        return Array(lines.joined().utf8)
    }
}

extension Configuration.Service {
    /// `host[:port]` of its endpoint.
    func authority(_ sandbox: EmbeddedSandbox?) -> String {
        switch endpoint {
        case .sandbox: sandbox?.authority ?? ""
        case .origin(let origin): origin.authority
        }
    }
}
