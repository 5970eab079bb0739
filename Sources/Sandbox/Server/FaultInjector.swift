internal import Primitives

/// Decides which calls fail. The decisions are one sequence for a seed, in the order in which calls come.
struct FaultInjector: Sendable {
    private let faults: [(code: String, probability: Double)]
    private var random: SplitMix64

    /// - Parameter faults: each with its share of all calls; what goes beyond 1 in sum is cut off.
    init(_ faults: [(code: String, probability: Double)], seed: UInt64) {
        self.faults = faults
        random = SplitMix64(seed: seed)
    }

    /// The error code to answer the next call with; `nil` if it may succeed.
    mutating func next() -> String? {
        guard !faults.isEmpty else { return nil }
        var drawn = random.unit()
        for fault in faults {
            drawn -= fault.probability
            if drawn < 0 { return fault.code }
        }
        return nil
    }
}
