internal import Redis
internal import Telemetry

/// The metrics of what is shared. The event loop of the member is their only writer, but for what ends with the client.
struct ClusterMetrics: Sendable {
    /// The kinds of messages to Redis.
    enum Command: String, Sendable, CaseIterable {
        case beat, join, take, cut, hold, look, put, release, begin, end, acknowledged, purge, members, compare, read,
            leave
    }

    /// The outcome for a page that was looked for, or was to be stored.
    enum PageResult: String, Sendable, CaseIterable {
        /// Another gateway has fetched it.
        case hit
        /// Another gateway fetches it.
        case followed
        /// This gateway fetches it.
        case fetched
        case stored
        /// Not stored, because it became void or another gateway had a newer one.
        case outdated
        /// Not believed: no gateway of this deployment has sealed it for this key.
        case rejected
    }

    private enum CommandResult: String, CaseIterable {
        case good, error, timeout, unreachable
    }

    private let commands: CounterBlock
    private let durations: HistogramBlock
    private let pages: CounterBlock
    private let acknowledged: HistogramBlock

    init(_ metrics: Metrics) {
        let labels = Command.allCases.flatMap { command in
            CommandResult.allCases.map { "\(label("command", command.rawValue)),\(label("result", $0.rawValue))" }
        }
        commands = metrics.counters(
            "jobsproxy_shared_commands_total", "Messages to Redis, by what came of them.", labels: labels
        ).makeBlock()
        durations = metrics.histograms(
            "jobsproxy_shared_command_duration_seconds", "From a message to Redis to its reply.", bounds: Self.bounds
        ).makeBlock()
        pages = metrics.counters(
            "jobsproxy_shared_pages_total", "Pages that were looked for in Redis or sent to it.",
            labels: PageResult.allCases.map { label("result", $0.rawValue) }
        ).makeBlock()
        acknowledged = metrics.histograms(
            "jobsproxy_shared_writes_acknowledged_seconds",
            "From a write's reply to its delivery: until each other gateway has acted on it, or its lease is over.",
            bounds: Self.bounds
        ).makeBlock()
    }

    func count(_ command: Command, _ result: Result<RESPValue, RedisError>, elapsed: Int64) {
        let kind: CommandResult =
            switch result {
            case .failure(.server): .error
            case .success: .good
            case .failure(.timeout): .timeout
            case .failure: .unreachable
            }
        let (row, column) = (
            Command.allCases.firstIndex(of: command) ?? 0, CommandResult.allCases.firstIndex(of: kind) ?? 0
        )
        commands.add(at: row * CommandResult.allCases.count + column)
        if kind == .good { durations.observe(elapsed) }
    }

    func count(_ result: PageResult) { pages.add(at: PageResult.allCases.firstIndex(of: result) ?? 0) }
    func countAcknowledged(_ elapsed: Int64) { acknowledged.observe(elapsed) }

    /// From 100 µs to 5 s.
    private static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 1_000_000_000, 5_000_000_000,
    ]
}
