internal import Gateway
internal import Telemetry

/// The counters of the upstream's thread, which is their only writer.
struct UpstreamCounters {
    private let attempts: CounterBlock
    private let retries: CounterBlock
    private let durations: HistogramBlock
    /// Where the rows of each service begin.
    private let firstRow: [Int]
    private static let classes = AttemptClass.allCases

    init(_ gate: Gate, _ metrics: Metrics) {
        var rows: [String] = []
        var firstRow: [Int] = []
        for service in gate.services {
            firstRow.append(rows.count)
            for name in service.catalog.operations.map(\.name) + ["other"] {
                rows.append("\(label("service", service.settings.name)),\(label("operation", name))")
            }
        }
        self.firstRow = firstRow
        attempts = metrics.counters(
            "jobsproxy_upstream_attempts_total", "Requests sent to a service, by what came back.",
            labels: rows.flatMap { row in Self.classes.map { "\(row),\(label("result", $0.rawValue))" } }
        ).makeBlock()
        retries = metrics.counters(
            "jobsproxy_retries_total", "Requests sent again after a failure.", labels: rows
        ).makeBlock()
        durations = metrics.histograms(
            "jobsproxy_upstream_duration_seconds", "From sending a request to the end of its reply.",
            labels: gate.services.map { label("service", $0.settings.name) }, bounds: Self.bounds
        ).makeBlock()
    }

    /// - Parameters:
    ///   - operation: its place in the catalog; nil if it is not there.
    ///   - elapsed: nanoseconds.
    func count(service: Int, operation: Int?, _ kind: AttemptClass, elapsed: Int64) {
        let place = Self.classes.firstIndex(of: kind) ?? 0
        attempts.add(at: row(service, operation) * Self.classes.count + place)
        durations.observe(elapsed, row: service)
    }

    func countRetry(service: Int, operation: Int?) { retries.add(at: row(service, operation)) }

    private func row(_ service: Int, _ operation: Int?) -> Int {
        if let operation { return firstRow[service] + operation }
        // The last row of a service is for operations outside the catalog.
        return (service + 1 < firstRow.count ? firstRow[service + 1] : retries.count) - 1
    }

    /// From 1 ms to 15 s.
    private static let bounds: [Int64] = [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 15_000_000_000,
    ]
}
