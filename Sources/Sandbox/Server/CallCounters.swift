internal import Telemetry

/// `sandbox_requests_total{operation,result}`: each call once.
struct CallCounters: Sendable {
    private let family: CounterFamily

    init(_ metrics: Metrics) {
        var labels: [String] = []
        for operation in Operation.allCases.map(\.rawValue) + ["other"] {
            for result in CallResult.allCases {
                labels.append("\(label("operation", operation)),\(label("result", result.rawValue))")
            }
        }
        family = metrics.counters("sandbox_requests_total", "Calls, by operation and result.", labels: labels)
    }

    func makeBlock() -> CounterBlock { family.makeBlock() }

    /// The place of a counter in each block.
    static func place(_ operation: Operation?, _ result: CallResult) -> Int {
        let row = operation.flatMap { Operation.allCases.firstIndex(of: $0) } ?? Operation.allCases.count
        return row * CallResult.allCases.count + (CallResult.allCases.firstIndex(of: result) ?? 0)
    }

    func byOperation(_ result: CallResult) -> [String: UInt64] {
        Dictionary(
            Operation.allCases.map { ($0.rawValue, family.value(at: Self.place($0, result))) },
            uniquingKeysWith: { first, _ in first })
    }

    var total: UInt64 {
        (0..<(Operation.allCases.count + 1) * CallResult.allCases.count).reduce(0) { $0 &+ family.value(at: $1) }
    }
}
