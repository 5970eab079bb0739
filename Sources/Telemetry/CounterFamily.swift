internal import Locking

/// The counters of one metric: for each row, the sum over a block for each writer.
public final class CounterFamily: MetricFamily {
    let name: String
    private let help: String
    private let labels: [String]
    private let showsAll: Bool
    private let blocks = Locked<[CounterBlock]>([])

    init(name: String, help: String, labels: [String], showsAll: Bool = false) {
        self.name = name
        self.help = help
        self.labels = labels
        self.showsAll = showsAll || labels.count <= Self.alwaysShown
    }

    /// Adds a block for one more writer, with a counter for each row.
    public func makeBlock() -> CounterBlock {
        let block = CounterBlock(count: labels.count)
        blocks.withLock { $0.append(block) }
        return block
    }

    /// The sum over all writers of the row at `index`.
    public func value(at index: Int) -> UInt64 { blocks.withLock { $0 }.reduce(0) { $0 &+ $1.value(at: index) } }

    /// In a family of more than `alwaysShown` rows, those at 0 are left out unless `showsAll` is set.
    func render(into text: inout MetricText) {
        text.header(name, help, kind: "counter")
        let blocks = blocks.withLock { $0 }
        for (index, label) in labels.enumerated() {
            let sum = blocks.reduce(UInt64(0)) { $0 &+ $1.value(at: index) }
            if sum > 0 || showsAll { text.sample(name, labels: label, "\(sum)") }
        }
    }

    private static let alwaysShown = 64
}
