internal import Gateway
internal import Primitives
internal import Telemetry

/// The counters of the upstream's thread, which is their only writer.
struct UpstreamCounters {
    private let attempts: RowCounterBlock
    private let retries: RowCounterBlock
    private let durations: HistogramBlock
    private let waits: HistogramBlock
    private let groups: QuotaGroupNames
    private let transitions: CounterBlock
    /// The breaker figure of each service that was counted last.
    private var breakers: [Int]
    private let operations: OperationNames
    private static let classes = AttemptClass.allCases

    init(_ gate: Gate, _ metrics: Metrics) {
        let operations = gate.operations
        self.operations = operations
        let labels: @Sendable (Int) -> String = { row in
            let names = operations[OperationID(row)]
            return "\(label("service", names.service)),\(label("operation", names.operation))"
        }
        // One row of each service is shown from the start, so that a rate over its operations sees the first of them.
        let others = gate.services.indices.map { operations.id(service: $0, place: nil).index }
        attempts = metrics.counters(
            "jobsproxy_upstream_attempts_total", "Requests sent to a service, by what came back.",
            rows: operations.count, columns: Self.classes.map { label("result", $0.rawValue) }, shown: others,
            rowLabels: labels
        ).makeBlock()
        retries = metrics.counters(
            "jobsproxy_retries_total", "Requests sent again after a failure.", rows: operations.count, shown: others,
            rowLabels: labels
        ).makeBlock()
        durations = metrics.histograms(
            "jobsproxy_upstream_duration_seconds", "From sending a request to the end of its reply.",
            labels: gate.services.map { label("service", $0.settings.name) }, bounds: Self.bounds
        ).makeBlock()
        let groups = QuotaGroupNames(gate.services)
        self.groups = groups
        waits = metrics.histograms(
            "jobsproxy_queue_wait_seconds",
            "How long requests to a service waited for a quota token before they were sent.",
            labels: (0..<groups.count).map {
                label("service", groups[$0].service) + "," + label("group", groups[$0].group)
            },
            bounds: Self.waitBounds
        ).makeBlock()
        transitions = metrics.counters(
            "jobsproxy_breaker_transitions_total", "Changes of a service's breaker, by the state that it came to.",
            labels: gate.services.flatMap { service in
                Self.breakerStates.map { label("service", service.settings.name) + "," + label("to", $0) }
            }, showsAll: true
        ).makeBlock()
        breakers = gate.services.map { _ in 0 }
    }

    /// By the breaker's figure.
    private static let breakerStates = ["closed", "half_open", "open"]

    /// - Parameter wait: nanoseconds.
    func countWait(service: Int, group: Int, _ wait: Int64) {
        waits.observe(wait, row: groups.number(service: service, group: group))
    }

    /// Counts a change if the breaker's figure is not the last one.
    mutating func countBreaker(service: Int, figure: Int) {
        guard breakers.indices.contains(service), breakers[service] != figure else { return }
        breakers[service] = figure
        transitions.add(at: service * Self.breakerStates.count + figure)
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

    /// At once, and from 10 ms to a minute, the longest `maxWait`.
    private static let waitBounds: [Int64] = [
        0, 10_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        15_000_000_000, 60_000_000_000,
    ]
    /// From 1 ms to 15 s.
    private static let bounds: [Int64] = [
        1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 15_000_000_000,
    ]
}
