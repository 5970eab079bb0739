internal import Gateway
internal import Primitives
internal import Telemetry

/// The counters of the upstream's thread, which is their only writer.
struct UpstreamCounters {
    private let attempts: RowCounterBlock
    private let retries: RowCounterBlock
    private let durations: HistogramBlock
    private let operations: OperationNames
    private static let classes = AttemptClass.allCases

    init(_ gate: Gate, _ metrics: Metrics) {
        let operations = gate.operations
        self.operations = operations
        let labels: @Sendable (Int) -> String = { row in
            let names = operations[OperationID(row)]
            return "\(label("service", names.service)),\(label("operation", names.operation))"
        }
        attempts = metrics.counters(
            "jobsproxy_upstream_attempts_total", "Requests sent to a service, by what came back.",
            rows: operations.count, columns: Self.classes.map { label("result", $0.rawValue) }, rowLabels: labels
        ).makeBlock()
        retries = metrics.counters(
            "jobsproxy_retries_total", "Requests sent again after a failure.", rows: operations.count, rowLabels: labels
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
        attempts.add(row: operations.id(service: service, place: operation).index, column: place)
        durations.observe(elapsed, row: service)
    }

    func countRetry(service: Int, operation: Int?) {
        retries.add(row: operations.id(service: service, place: operation).index, column: 0)
    }

    /// From 1 ms to 15 s.
    private static let bounds: [Int64] = [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 15_000_000_000,
    ]
}
