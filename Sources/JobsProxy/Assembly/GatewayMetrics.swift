internal import Credentials
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import PageCache
internal import Primitives
internal import Telemetry
internal import Tracing
internal import Upstream

/// The metrics that are read when they are scraped. Those that are counted are registered by the type that counts them, one for each
/// kind of thread: `FrontMetrics` (event loops: requests, callers, operations) and `UpstreamCounters` (the upstream's thread: attempts).
enum GatewayMetrics {
    static func register(
        in registry: Metrics, gate: Gate, upstream: Upstream, server: Server<GatewayResponder>, log: LogBuffer
    ) {
        cache(registry, gate)
        quotas(registry, gate)
        refreshes(registry, gate)
        limits(registry, gate)
        registry.observed("jobsproxy_breaker_state", "Whether a service is called: 0 yes, 1 one probe, 2 no.") {
            zip(gate.services, upstream.breakerStates).map { service, state in
                (label("service", service.settings.name), Double(state))
            }
        }
        registry.value(
            "jobsproxy_streams", "Replies of services that are passed on as they come.", Double(upstream.openStreams))
        registry.observed(
            "jobsproxy_upstream_connections", "Connections to a service, those that are being made included."
        ) {
            zip(gate.services, upstream.openConnections).map { service, count in
                (label("service", service.settings.name), Double(count))
            }
        }
        registry.value("jobsproxy_connections", "Open connections of callers.", Double(server.limiter.total))
        registry.value(
            "jobsproxy_connections_limit", "How many connections of callers may be open.", Double(server.limiter.limit))
        // No sample without TLS.
        registry.observed(
            "jobsproxy_certificate_expiry_timestamp_seconds", "When a listener's certificates end to be valid."
        ) {
            server.certificateExpiry.map { [(label("listener", "callers"), Double($0))] } ?? []
        }
        registry.value(
            "jobsproxy_unsent_bytes", "What is held of answers that callers have not read.", Double(server.unsentBytes))
        registry.value(
            "jobsproxy_unsent_bytes_limit", "Above it connections are closed whose clients do not read.",
            Double(server.maxUnsentBytes))
        registry.total(
            "jobsproxy_access_log_dropped_total", "Lines of the log for which there was no room, or that nobody read.",
            Double(log.dropped))
        registry.observed("jobsproxy_build_info", "Always 1; the labels tell the version.") {
            [(label("version", buildVersion), 1)]
        }
        process(registry)
    }

    private static func cache(_ registry: Metrics, _ gate: Gate) {
        let cache = gate.cache
        registry.value("jobsproxy_cache_pages", "Pages in the cache.", Double(cache.figures.pages))
        registry.value(
            "jobsproxy_cache_bytes", "What the pages take, keys and overhead included.", Double(cache.figures.bytes))
        registry.total(
            "jobsproxy_cache_evictions_total", "Pages that had to make room.", Double(cache.figures.evictions))
        registry.total(
            "jobsproxy_cache_invalidations_total", "Times that pages of a domain or a service were made void.",
            Double(cache.figures.invalidations))
    }

    private static func quotas(_ registry: Metrics, _ gate: Gate) {
        func rows(_ value: @escaping @Sendable (FetchQueue.Figures) -> Double)
            -> @Sendable () -> [(labels: String, value: Double)]
        {
            {
                let now = Process.now
                return gate.services.flatMap { service in
                    service.catalog.quotaGroups.indices.map { group in
                        let name = service.catalog.quotaGroups[group].name
                        let figures = gate.queue.figures(service: service.index, group: group, now: now)
                        return (
                            "\(label("service", service.settings.name)),\(label("group", name))", value(figures)
                        )
                    }
                }
            }
        }
        registry.observed(
            "jobsproxy_quota_tokens", "Requests that a quota group's bucket allows at once.", read: rows(\.tokens))
        registry.observed("jobsproxy_quota_rate", "Requests a second that a quota group allows.", read: rows(\.rate))
        registry.observed(
            "jobsproxy_quota_configured_rate",
            "Requests a second that a quota group allows while nothing cuts its rate.",
            read: rows(\.fullRate))
        registry.observed(
            "jobsproxy_queue_depth", "Attempts that wait for a quota token.", read: rows { Double($0.waiting) })
    }

    private static func refreshes(_ registry: Metrics, _ gate: Gate) {
        registry.observed(
            "jobsproxy_refreshes_total", "Pages that were fetched anew, by what the fetch brought.", kind: .counter
        ) {
            (0..<gate.operations.count).flatMap { number in
                let counts = RefreshPlan.RefreshResult.allCases.map {
                    ($0.rawValue, gate.plan.refreshes(OperationID(number), $0))
                }
                // A series for each operation that has been refreshed, because there may be thousands that never are, and one of each
                // service from the start.
                let names = gate.operations[OperationID(number)]
                guard names.operation == "other" || counts.contains(where: { $0.1 > 0 }) else {
                    return [(labels: String, value: Double)]()
                }
                return counts.map { result, count in
                    (
                        "\(label("service", names.service)),\(label("operation", names.operation)),"
                            + label("result", result), Double(count)
                    )
                }
            }
        }
        registry.value(
            "jobsproxy_page_staleness_ratio",
            "The part of the answers of late that the next fetch of their page showed to have been out of date.",
            gate.plan.staleness)
        registry.observed(
            "jobsproxy_quota_spent_total", "Tokens of a quota group that were spent, by what for.", kind: .counter
        ) {
            gate.services.flatMap { service in
                service.catalog.quotaGroups.indices.flatMap { group in
                    QuotaSpending.Purpose.allCases.map { purpose in
                        let name = service.catalog.quotaGroups[group].name
                        return (
                            "\(label("service", service.settings.name)),\(label("group", name)),"
                                + label("for", purpose.rawValue),
                            Double(gate.spending[service.index, group, purpose])
                        )
                    }
                }
            }
        }
    }

    private static func limits(_ registry: Metrics, _ gate: Gate) {
        registry.observed(
            "jobsproxy_shadow_throttled_total", "Requests that limits in shadow mode would have refused.",
            kind: .counter
        ) { ThrottleScope.allCases.map { (label("scope", $0.rawValue), Double(gate.shadows[$0])) } }
        registry.value(
            "jobsproxy_domain_buckets", "Domains that have a bucket of their own.",
            Double(gate.queue.domainFigures.keys))
        registry.total(
            "jobsproxy_domain_overflows_total",
            "Attempts charged to the bucket of domains for which there was no room.",
            Double(gate.queue.domainFigures.overflows))
    }

    /// Of the services as they are configured when they are scraped.
    static func credentials(_ registry: Metrics, _ running: RunningGateway) {
        // No sample for credentials that do not expire, nor while there are none.
        registry.observed(
            "jobsproxy_credentials_expiry_timestamp_seconds",
            "When the credentials that a service's requests are signed with end to be valid."
        ) {
            let parts = running.parts
            // A gateway that has nothing to do asks for no credentials, and those that it has would end.
            parts.credentials.keepFresh(parts.configuration.services)
            return parts.configuration.services.compactMap { service in
                parts.credentials.expiration(service).map {
                    (label("service", service.name), Double($0.nanoseconds) / 1e9)
                }
            }
        }
        registry.observed(
            "jobsproxy_credentials_refreshes_total",
            "Times that a service's credentials were fetched, by how it ended.",
            kind: .counter
        ) {
            let parts = running.parts
            return parts.configuration.services.flatMap { service in
                let fetches = parts.credentials.fetches(service)
                return [("ok", fetches.ok), ("failed", fetches.failed)].map { result, count in
                    ("\(label("service", service.name)),\(label("result", result))", Double(count))
                }
            }
        }
    }

    /// - Parameter snapshots: `nil` if there is no file; the metric has no sample then.
    static func snapshot(_ registry: Metrics, _ snapshots: SnapshotKeeper?) {
        registry.observed(
            "jobsproxy_snapshot_age_seconds", "Since the pages were last written to the snapshot, or the process began."
        ) {
            snapshots.map { [("", max(0, Double(Process.now - $0.lastSaved)) / 1e9)] } ?? []
        }
    }

    /// - Parameter spans: `nil` if no trace is recorded.
    static func traces(_ registry: Metrics, _ spans: SpanBuffer?) {
        registry.observed(
            "jobsproxy_traces_total", "Spans of traces that were recorded, by what became of them.", kind: .counter
        ) {
            SpanBuffer.Result.allCases.map { (label("result", $0.rawValue), Double(spans?.total($0) ?? 0)) }
        }
    }

    private static func process(_ registry: Metrics) {
        let start = Double(Process.wallClock().seconds)
        registry.total(
            "process_cpu_seconds_total", "User and system CPU time spent, in seconds.", Process.cpuSeconds)
        registry.value("process_resident_memory_bytes", "Resident memory size in bytes.", Process.residentBytes)
        registry.value("process_open_fds", "Number of open file descriptors.", Process.openFiles)
        registry.value("process_max_fds", "Maximum number of open file descriptors.", Double(Process.maxOpenFiles))
        registry.value("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", start)
    }
}

extension Metrics {
    /// A gauge with one value, which is read when it is scraped.
    fileprivate func value(
        _ name: String, _ help: String, _ value: @autoclosure @escaping @Sendable () -> Double
    ) { observed(name, help) { [("", value())] } }

    /// A counter with one value, which is read when it is scraped.
    fileprivate func total(
        _ name: String, _ help: String, _ value: @autoclosure @escaping @Sendable () -> Double
    ) { observed(name, help, kind: .counter) { [("", value())] } }
}
