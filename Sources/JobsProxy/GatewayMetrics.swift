internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import PageCache
internal import RateLimiter
internal import Telemetry
internal import Upstream

/// The metrics that are read when they are scraped.
enum GatewayMetrics {
    static func register(
        in registry: Metrics, gate: Gate, upstream: Upstream, server: Server<GatewayResponder>, log: LogBuffer
    ) {
        cache(registry, gate)
        quotas(registry, gate)
        limits(registry, gate)
        registry.observed("jobsproxy_breaker_state", "Whether a service is called: 0 yes, 1 one probe, 2 no.") {
            zip(gate.services, upstream.breakerStates).map { service, state in
                (label("service", service.settings.name), Double(state))
            }
        }
        registry.observed("jobsproxy_connections", "Open connections of callers.") {
            [("", Double(server.limiter.total))]
        }
        registry.observed("jobsproxy_unsent_bytes", "What is held of answers that callers have not read.") {
            [("", Double(server.unsentBytes))]
        }
        registry.observed(
            "jobsproxy_access_log_dropped_total", "Lines of the log for which there was no room, or that nobody read.",
            kind: .counter
        ) { [("", Double(log.dropped))] }
        registry.observed("jobsproxy_build_info", "Always 1; the labels tell the version.") {
            [(label("version", buildVersion), 1)]
        }
        process(registry)
    }

    private static func cache(_ registry: Metrics, _ gate: Gate) {
        registry.observed("jobsproxy_cache_pages", "Pages in the cache.") { [("", Double(gate.cache.figures.pages))] }
        registry.observed("jobsproxy_cache_bytes", "What the pages take, keys and overhead included.") {
            [("", Double(gate.cache.figures.bytes))]
        }
        registry.observed("jobsproxy_cache_evictions_total", "Pages that had to make room.", kind: .counter) {
            [("", Double(gate.cache.figures.evictions))]
        }
        registry.observed(
            "jobsproxy_cache_invalidations_total", "Times that pages of a domain or a service were made void.",
            kind: .counter
        ) { [("", Double(gate.cache.figures.invalidations))] }
    }

    private static func quotas(_ registry: Metrics, _ gate: Gate) {
        func rows(_ value: @escaping @Sendable (Service, Int) -> Double)
            -> @Sendable () -> [(labels: String, value: Double)]
        {
            {
                gate.services.flatMap { service in
                    service.catalog.quotaGroups.indices.map { group in
                        let name = service.catalog.quotaGroups[group].name
                        return (
                            "\(label("service", service.settings.name)),\(label("group", name))", value(service, group)
                        )
                    }
                }
            }
        }
        registry.observed(
            "jobsproxy_quota_tokens", "Requests that a quota group's bucket allows at once.",
            read: rows { $0.groups[$1].tokens(now: Process.now) })
        registry.observed(
            "jobsproxy_quota_rate", "Requests a second that a quota group allows.",
            read: rows { 1e9 / Double($0.groups[$1].currentQuota(now: Process.now).interval) })
        registry.observed(
            "jobsproxy_queue_depth", "Attempts that wait for a quota token.", read: rows { Double($0.groups[$1].depth) }
        )
    }

    private static func limits(_ registry: Metrics, _ gate: Gate) {
        registry.observed(
            "jobsproxy_shadow_throttled_total", "Requests that limits in shadow mode would have refused.",
            kind: .counter
        ) { ThrottleScope.allCases.map { (label("scope", $0.rawValue), Double(gate.shadows[$0])) } }
        registry.observed("jobsproxy_domain_buckets", "Domains that have a bucket of their own.") {
            [("", Double(gate.domainFigures.keys))]
        }
        registry.observed(
            "jobsproxy_domain_overflows_total",
            "Attempts charged to the bucket of domains for which there was no room.",
            kind: .counter
        ) { [("", Double(gate.domainFigures.overflows))] }
    }

    private static func process(_ registry: Metrics) {
        let start = Double(Process.wallClock())
        registry.observed(
            "process_cpu_seconds_total", "User and system CPU time spent, in seconds.", kind: .counter
        ) { [("", Process.figures.cpuSeconds)] }
        registry.observed("process_resident_memory_bytes", "Resident memory size in bytes.") {
            [("", Process.figures.residentBytes)]
        }
        registry.observed("process_open_fds", "Number of open file descriptors.") { [("", Process.figures.openFiles)] }
        registry.observed("process_max_fds", "Maximum number of open file descriptors.") {
            [("", Process.figures.maxFiles)]
        }
        registry.observed("process_start_time_seconds", "Start time of the process since unix epoch in seconds.") {
            [("", start)]
        }
    }
}
