internal import Locking
public import Primitives

/// The histograms of one metric, with cumulative buckets: for each row, the sum over a block for each writer.
public final class HistogramFamily: MetricFamily {
    let name: String
    private let help: String
    private let labels: [String]
    private let bounds: [Int64]
    private let scale: Int64
    private let blocks = Locked<[HistogramBlock]>([])

    init(name: String, help: String, labels: [String], bounds: [Int64], scale: Int64) {
        self.name = name
        self.help = help
        self.labels = labels
        self.bounds = bounds
        self.scale = max(1, scale)
    }

    /// Adds a block for one more writer.
    public func makeBlock() -> HistogramBlock {
        let block = HistogramBlock(rows: labels.count, bounds: bounds)
        blocks.withLock { $0.append(block) }
        return block
    }

    func render(into text: inout MetricText) {
        text.header(name, help, kind: "histogram")
        let blocks = blocks.withLock { $0 }
        for (row, label) in labels.enumerated() {
            let separator = label.isEmpty ? "" : ","
            var cumulative: UInt64 = 0
            for bucket in 0...bounds.count {
                cumulative &+= blocks.reduce(0) { $0 &+ $1.count(row: row, bucket: bucket) }
                let bound = bucket < bounds.count ? text.bound(seconds(bounds[bucket])) : "+Inf"
                let exemplar = blocks.compactMap { $0.exemplar(row: row, bucket: bucket, scale: scale) }
                    .max { $0.time < $1.time }
                text.sample(
                    "\(name)_bucket", labels: "\(label)\(separator)le=\"\(bound)\"", "\(cumulative)", exemplar: exemplar
                )
            }
            let sum = blocks.reduce(UInt64(0)) { $0 &+ $1.sum(row: row) }
            text.sample("\(name)_sum", labels: label, MetricText.number(Double(sum) / Double(scale)))
            text.sample("\(name)_count", labels: label, "\(cumulative)")
        }
    }

    private func seconds(_ value: Int64) -> Double { Double(value) / Double(scale) }
}

/// The observations of one writer in a histogram family.
public final class HistogramBlock: Sendable {
    private let rows: Int
    private let bounds: [Int64]
    private let counters: CounterBlock
    /// The last observation of a trace that is recorded, by row and bucket.
    private let exemplars = Locked<[Int: (trace: String, value: Int64, time: WallInstant)]>([:])

    init(rows: Int, bounds: [Int64]) {
        self.rows = rows
        self.bounds = bounds
        counters = CounterBlock(count: rows * (bounds.count + 2))
    }

    /// Counts `times` observations of `value` in `row`. A negative value counts as 0; a row that does not exist is ignored.
    /// Only the owner of the block may call it.
    public func observe(_ value: Int64, times: UInt64 = 1, row: Int = 0) {
        guard (0..<rows).contains(row) else { return }
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        let base = row &* (bounds.count + 2)
        counters.add(times, at: base + bucket)
        counters.add(UInt64(clamping: value) &* times, at: base + bounds.count + 1)
    }

    /// Keeps a trace as an example of an observation, which is counted apart.
    public func exemplify(_ value: Int64, row: Int = 0, trace: String, time: WallInstant) {
        guard (0..<rows).contains(row) else { return }
        let place = row * (bounds.count + 2) + (bounds.firstIndex { value <= $0 } ?? bounds.count)
        exemplars.withLock { $0[place] = (trace, max(0, value), time) }
    }

    func exemplar(row: Int, bucket: Int, scale: Int64) -> Exemplar? {
        exemplars.withLock { $0[row * (bounds.count + 2) + bucket] }.map {
            Exemplar(
                trace: $0.trace, value: Double($0.value) / Double(scale), time: Double($0.time.nanoseconds) / 1e9)
        }
    }

    func count(row: Int, bucket: Int) -> UInt64 { counters.value(at: row * (bounds.count + 2) + bucket) }
    func sum(row: Int) -> UInt64 { counters.value(at: row * (bounds.count + 2) + bounds.count + 1) }
}
