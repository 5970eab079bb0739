public import Gateway
internal import HTTPFront
internal import Primitives
public import Telemetry

/// The metrics of the event loops; each loop counts in blocks of its own.
public final class FrontMetrics: Sendable {
    /// All metrics of `/metrics`.
    public let registry: Metrics
    private let requests: RowCounterFamily
    private let throttled: CounterFamily
    private let rejected: CounterFamily
    private let probes: CounterFamily
    private let durations: HistogramFamily
    private let ages: HistogramFamily
    private let staleAnswers: CounterFamily
    private let quotaThrottles: CounterFamily
    private let groups: QuotaGroupNames
    private let callers: CallerTable
    private let operationCount: Int

    /// - Parameters:
    ///   - gate: its operations and quota groups are the values of labels.
    ///   - callers: the values of the caller label, by their ids; `unknown` is added for requests that are refused before their caller
    ///     is known. Callers that come later have rows of their own, too.
    public init(_ registry: Metrics, _ gate: Gate, callers: CallerTable) {
        self.registry = registry
        self.callers = callers
        let operations = gate.operations
        let operationCount = operations.count
        self.operationCount = operationCount
        // One row of each service, and that of requests to none, is shown from the start: a rate over all sees the first request.
        let shown =
            gate.services.indices.map { operations.id(service: $0, place: nil).index }
            + [callers.capacity * operationCount + operations.none.index]
        requests = registry.counters(
            "jobsproxy_requests_total", "Requests, each once, by how it ended.",
            rows: operationCount * (callers.capacity + 1),
            columns: Outcome.allCases.map { label("outcome", $0.label) }, shown: shown
        ) { row in
            // By callers first, so that those that come later have the rows behind the others'.
            let (caller, operation) = row.quotientAndRemainder(dividingBy: operationCount)
            let names = operations[OperationID(operation)]
            return "\(label("service", names.service)),\(label("operation", names.operation)),"
                + label("caller", callers.name(of: caller) ?? "unknown")
        }
        throttled = registry.counters(
            "jobsproxy_throttled_total", "Requests refused by a limit of the gateway.",
            labels: ThrottleScope.allCases.map { label("scope", $0.rawValue) })
        rejected = registry.counters(
            "jobsproxy_rejected_total", "Requests and connections refused before they were understood.",
            labels: Refusal.allCases.map { label("reason", $0.rawValue) })
        probes = registry.counters(
            "jobsproxy_probes_total",
            "Scrapes and health checks answered to callers; they are no requests of the others.",
            labels: FrontCounters.Probe.allCases.map { label("path", $0.path) })
        durations = registry.histograms(
            "jobsproxy_request_duration_seconds", "From a request's arrival to its answer.",
            labels: Outcome.allCases.map { label("outcome", $0.label) },
            bounds: [
                10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 25_000_000, 100_000_000,
                500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 15_000_000_000,
            ])
        ages = registry.histograms(
            "jobsproxy_page_age_seconds", "The age of the pages served.",
            bounds: [0, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 3600].map { $0 * 1_000_000_000 })
        staleAnswers = registry.counters(
            "jobsproxy_stale_answers_total", "Requests answered with a page past its time, by why.",
            labels: gate.services.flatMap { service in
                PageUse.staleReasons.map { "\(label("service", service.settings.name)),\(label("reason", $0))" }
            }, showsAll: true)
        let groups = QuotaGroupNames(gate.services)
        self.groups = groups
        quotaThrottles = registry.counters(
            "jobsproxy_quota_throttled_total", "Requests refused because a quota group was used up.",
            labels: (0..<groups.count).map {
                "\(label("service", groups[$0].service)),\(label("group", groups[$0].group))"
            }, showsAll: true)
    }

    /// The requests of each caller, by outcome (`Outcome.rawValue`). Takes time linear in the rows of `jobsproxy_requests_total`.
    public func requestsByCaller() -> [[UInt64]] {
        var sums = [[UInt64]](repeating: Outcome.allCases.map { _ in 0 }, count: callers.capacity + 1)
        for (row, counts) in requests.sums() {
            let caller = row / operationCount
            for (column, count) in counts.enumerated() { sums[caller][column] &+= count }
        }
        return sums
    }

    /// The value of the caller label at a place of `requestsByCaller`.
    public func callerName(at place: Int) -> String { callers.name(of: place) ?? "unknown" }

    func makeCounters() -> FrontCounters {
        FrontCounters(
            callerCapacity: callers.capacity, operationCount: operationCount, requests: requests.makeBlock(),
            throttled: throttled.makeBlock(),
            rejected: rejected.makeBlock(), probes: probes.makeBlock(),
            durations: durations.makeBlock(), ages: ages.makeBlock(), staleAnswers: staleAnswers.makeBlock(),
            quotaThrottles: quotaThrottles.makeBlock(), groups: groups)
    }
}

struct FrontCounters {
    /// The number of values that the caller label may have before `unknown`.
    let callerCapacity: Int
    let operationCount: Int
    let requests: RowCounterBlock
    let throttled: CounterBlock
    let rejected: CounterBlock
    let probes: CounterBlock
    let durations: HistogramBlock
    let ages: HistogramBlock
    let staleAnswers: CounterBlock
    let quotaThrottles: CounterBlock
    let groups: QuotaGroupNames

    /// - Parameter caller: `nil` if it is not known.
    func count(_ outcome: Outcome, operation: OperationID, caller: CallerID?) {
        let row = (caller?.index ?? callerCapacity) * operationCount + operation.index
        requests.add(row: row, column: outcome.rawValue)
    }

    /// - Parameter call: the refused one, as far as it is known.
    func count(_ error: GatewayError, operation: OperationID, caller: CallerID?, of call: Call? = nil) {
        count(error.outcome, operation: operation, caller: caller)
        if let scope = error.scope { count(scope, of: call) }
    }

    func count(_ scope: ThrottleScope, of call: Call?) {
        throttled.add(at: scope.index)
        guard scope == .quota, let service = call?.service, let group = call?.quotaGroup else { return }
        quotaThrottles.add(at: groups.number(service: service.index, group: group))
    }

    func countStale(_ use: PageUse, of call: Call) {
        guard let reason = use.staleReason, let service = call.service else { return }
        staleAnswers.add(at: service.index * PageUse.staleReasons.count + reason)
    }

    /// A request about the gateway itself, by its path.
    enum Probe: Int, CaseIterable {
        case metrics, health, readiness

        var path: String { ["/metrics", "/healthz", "/readyz"][rawValue] }
    }

    func count(_ probe: Probe) { probes.add(at: probe.rawValue) }

    func count(_ refusal: Refusal) { rejected.add(at: refusal.index) }

    func countDuration(_ elapsed: Int64, _ outcome: Outcome, times: Int = 1) {
        durations.observe(elapsed, times: UInt64(clamping: times), row: outcome.rawValue)
    }

    /// Keeps a recorded trace as an example of a duration.
    func exemplify(_ elapsed: Int64, _ outcome: Outcome, trace: String, time: WallInstant) {
        durations.exemplify(elapsed, row: outcome.rawValue, trace: trace, time: time)
    }

    func countAge(_ age: Int64) { ages.observe(age) }
}
