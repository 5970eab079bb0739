internal import Dashboard
internal import Gateway
internal import GatewayFront
internal import Primitives
internal import Telemetry

/// The metrics that the operator's page shows, read at one time.
struct DashboardReading {
    private(set) var tables: [(name: String, table: MetricTable)] = []
    /// By caller, by outcome.
    let requests: [[UInt64]]
    /// The number of quota groups that have never been used, and are left out.
    private(set) var idleGroups = 0
    /// The places of the services that are shown.
    private(set) var services: [Int] = []

    /// Metrics as they are. Those that this gateway does not have are left out.
    private static let plain: Set<String> = [
        "jobsproxy_access_log_dropped_total", "jobsproxy_breaker_state", "jobsproxy_breaker_transitions_total",
        "jobsproxy_cache_bytes", "jobsproxy_cache_evictions_total", "jobsproxy_cache_pages",
        "jobsproxy_certificate_expiry_timestamp_seconds", "jobsproxy_config_last_reload_successful",
        "jobsproxy_connections",
        "jobsproxy_connections_limit", "jobsproxy_credentials_expiry_timestamp_seconds", "jobsproxy_page_age_seconds",
        "jobsproxy_queue_depth", "jobsproxy_queue_wait_seconds", "jobsproxy_quota_configured_rate",
        "jobsproxy_quota_rate",
        "jobsproxy_quota_spent_total", "jobsproxy_quota_throttled_total", "jobsproxy_snapshot_age_seconds",
        "jobsproxy_stale_answers_total", "jobsproxy_unsent_bytes", "jobsproxy_upstream_connections",
        "jobsproxy_upstream_duration_seconds", "process_cpu_seconds_total", "process_max_fds", "process_open_fds",
        "process_resident_memory_bytes",
    ]
    /// Metrics of many rows, of which the page shows sums.
    private static let added: [String: [String]] = [
        "jobsproxy_upstream_attempts_total": ["service", "result"], "jobsproxy_retries_total": ["service"],
    ]
    private static let rejected = "jobsproxy_rejected_total"
    private static let requested = "jobsproxy_requests_total"
    private static let mostShown = 64

    init(_ registry: Metrics, _ front: FrontMetrics, services names: [String]) {
        requests = front.requestsByCaller()
        let samples = registry.samples(of: Self.plain.union(Self.added.keys).union([Self.rejected]))
        let outcomes = Outcome.allCases.map { outcome in
            ([outcome.label], [Double(requests.reduce(0) { $0 &+ $1[outcome.rawValue] })])
        }
        tables = [(Self.requested, MetricTable(labels: ["outcome"], rows: outcomes))]
        for (name, samples) in samples.sorted(by: { $0.key < $1.key }) where !samples.isEmpty {
            let table = MetricTable(name, samples, keeping: Self.added[name])
            tables.append(
                (
                    name,
                    name == Self.rejected
                        ? MetricTable(labels: table.labels, rows: table.rows.filter { $0.values != [0] }) : table
                ))
        }
        choose(names)
    }

    subscript(name: String) -> MetricTable {
        tables.first { $0.name == name }?.table ?? MetricTable(labels: [], rows: [])
    }

    /// Leaves out what is not in use, where there are many services or groups.
    private mutating func choose(_ names: [String]) {
        var used: [String: Double] = [:]
        for row in self["jobsproxy_upstream_attempts_total"].rows { used[row.labels[0], default: 0] += row.values[0] }
        services = ShownGroups.places(of: names.map { used[$0] ?? 0 }, most: Self.mostShown)
        let shown = Set(services.map { names[$0] })

        var activity: [[String]: Double] = [:]
        for name in ["jobsproxy_quota_spent_total", "jobsproxy_queue_depth"] {
            for row in self[name].rows { activity[Array(row.labels.prefix(2)), default: 0] += row.values[0] }
        }
        let groups = self["jobsproxy_quota_rate"].rows.map(\.labels)
        let places = ShownGroups.places(of: groups.map { activity[$0] ?? 0 }, most: Self.mostShown)
        let shownGroups = Set(places.map { groups[$0] })
        idleGroups = groups.count - places.count
        tables = tables.map { name, table in
            if table.labels.prefix(2) == ["service", "group"] {
                (name, table.filtered { shownGroups.contains(Array($0.prefix(2))) })
            } else if table.labels.first == "service" {
                (name, table.filtered { shown.contains($0[0]) })
            } else {
                (name, table)
            }
        }
    }
}

/// The course that is kept for those who come to look.
extension DashboardReading {
    static let gauges = ["waiting", "connections"]
    static let fixedCounters =
        Outcome.allCases.map(\.label) + ["age_sum", "age_count", "up_sum", "up_count", "up_errors"]
    private static let bad: Set<String> = ["server_error", "timeout", "connect_error", "throttled"]

    /// The values of `fixedCounters`, and of what each of `groups` has spent.
    ///
    /// - Parameter groups: service and group of each.
    func counters(_ groups: [[String]]) -> [Double] {
        let ages = self["jobsproxy_page_age_seconds"].total
        let times = self["jobsproxy_upstream_duration_seconds"].total
        let errors = self["jobsproxy_upstream_attempts_total"].sum { Self.bad.contains($0[1]) }
        var spent: [[String]: Double] = [:]
        for row in self["jobsproxy_quota_spent_total"].rows {
            spent[Array(row.labels.prefix(2)), default: 0] += row.values[0]
        }
        return self[Self.requested].rows.map { $0.values[0] }
            + [ages.sum, ages.count, times.sum, times.count, errors]
            + groups.map { spent[$0] ?? 0 }
    }

    /// The values of `gauges`.
    var gaugeValues: [Double] { [self["jobsproxy_queue_depth"].sum(), self["jobsproxy_connections"].sum()] }
}
