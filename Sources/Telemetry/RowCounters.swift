internal import Glibc
internal import Locking
internal import Synchronization

/// A family of counters with more possible rows than can ever be in use, such as every operation of every service for every caller. A
/// row is made when it is first counted, at most `maxRows` for each writer; what comes then is counted in the last row.
public final class RowCounterFamily: MetricFamily {
    /// The rows of one writer that are in use at most; 1.5 MiB with the outcomes of requests.
    public static let maxRows = 16_384
    /// In a family of more counters, those at 0 are left out.
    private static let alwaysShown = 64

    let name: String
    private let help: String
    private let rowCount: Int
    private let columns: [String]
    private let shown: Set<Int>
    private let rowLabels: @Sendable (Int) -> String
    private let blocks = Locked<[RowCounterBlock]>([])

    init(
        name: String, help: String, rowCount: Int, columns: [String], shown: [Int] = [],
        rowLabels: @escaping @Sendable (Int) -> String
    ) {
        self.name = name
        self.help = help
        self.rowCount = max(1, rowCount)
        self.columns = columns
        self.shown = Set(shown)
        self.rowLabels = rowLabels
    }

    /// Adds a block for one more writer.
    public func makeBlock() -> RowCounterBlock {
        let block = RowCounterBlock(rowCount: rowCount, columnCount: columns.count)
        blocks.withLock { $0.append(block) }
        return block
    }

    /// The sum over all writers.
    public func value(row: Int, column: Int) -> UInt64 { sums()[row]?[column] ?? 0 }

    func render(into text: inout MetricText) {
        text.header(name, help, kind: "counter")
        let sums = sums()
        let showsAll = rowCount * columns.count <= Self.alwaysShown
        for row in showsAll ? Array(0..<rowCount) : shown.union(sums.keys).sorted() {
            let counts = sums[row]
            let isShown = showsAll || shown.contains(row)
            var labels: String?
            for column in columns.indices where isShown || counts?[column] ?? 0 > 0 {
                let own = labels ?? rowLabels(row)
                labels = own
                let all = [own, columns[column]].filter { !$0.isEmpty }.joined(separator: ",")
                text.sample(name, labels: all, "\(counts?[column] ?? 0)")
            }
        }
    }

    /// The sums over all writers of each row that was counted, by column. Takes time linear in the rows.
    public func sums() -> [Int: [UInt64]] {
        var sums: [Int: [UInt64]] = [:]
        for block in blocks.withLock({ $0 }) {
            for (row, counts) in block.rows {
                let old = sums[row] ?? [UInt64](repeating: 0, count: columns.count)
                sums[row] = zip(old, counts).map { $0 &+ $1 }
            }
        }
        return sums
    }
}

/// Counters in rows, with **one writer** and any number of readers; see `CounterBlock`.
///
/// The memory is asked for as a whole and is zero: the system gives a page of it when it is first written to, so rows that are
/// never counted take none.
@safe public final class RowCounterBlock: Sendable {
    /// Unused counters at each end: one cache line, so that no other thread writes to the lines of this block.
    private static let padding = 8

    private let rowCount: Int
    private let columnCount: Int
    /// How many rows there is room for.
    private let capacity: Int
    private let used = Atomic<Int>(0)

    // Unsafe because an Array cannot hold atomics, and would write to all of its memory. All three are allocated here, never resized
    // and freed in `deinit`, every access checks its index, and zero is a valid value of all. A writer publishes a row's number by
    // `used`, which readers read first.
    /// By row, its place plus one; 0 for one that was never counted.
    private nonisolated(unsafe) let places: UnsafeMutablePointer<UInt32>?
    /// By place, its row.
    private nonisolated(unsafe) let rowNumbers: UnsafeMutablePointer<Int>?
    private nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>?

    init(rowCount: Int, columnCount: Int) {
        self.rowCount = rowCount
        self.columnCount = columnCount
        let capacity = min(rowCount, RowCounterFamily.maxRows)
        let total = capacity * columnCount + 2 * Self.padding
        unsafe places = calloc(rowCount, MemoryLayout<UInt32>.stride)?.assumingMemoryBound(to: UInt32.self)
        unsafe rowNumbers = calloc(capacity, MemoryLayout<Int>.stride)?.assumingMemoryBound(to: Int.self)
        unsafe counters = calloc(total, MemoryLayout<Atomic<UInt64>>.stride)?
            .assumingMemoryBound(to: Atomic<UInt64>.self)
        // Without memory nothing is counted: a counter must not end the process.
        let hasMemory = unsafe places != nil && rowNumbers != nil && counters != nil
        self.capacity = hasMemory ? capacity : 0
    }

    deinit {
        unsafe free(places)
        unsafe free(rowNumbers)
        unsafe free(counters)
    }

    /// Adds 1 to a counter. Only the owner of the block may call it. A row or column outside the family is ignored.
    public func add(row: Int, column: Int) {
        guard row >= 0, row < rowCount, column >= 0, column < columnCount, capacity > 0,
            let places = unsafe places, let counters = unsafe counters
        else { return }
        var place = unsafe Int(places[row]) - 1
        if place < 0 { place = makeRow(row) }
        let counter = unsafe counters + (Self.padding + place * columnCount + column)
        let old = unsafe counter.pointee.load(ordering: .relaxed)
        unsafe counter.pointee.store(old &+ 1, ordering: .relaxed)
    }

    /// The place of a row that has none yet. The last place is kept for the family's last row, which counts for all that find no other.
    private func makeRow(_ row: Int) -> Int {
        guard let places = unsafe places, let rowNumbers = unsafe rowNumbers else { return 0 }
        let used = used.load(ordering: .relaxed)
        let free = unsafe capacity - used - (places[rowCount - 1] == 0 ? 1 : 0)
        let row = free > 0 ? row : rowCount - 1
        let known = unsafe Int(places[row]) - 1
        if known >= 0 { return known }
        unsafe rowNumbers[used] = row
        unsafe places[row] = UInt32(clamping: used + 1)
        self.used.store(used + 1, ordering: .releasing)
        return used
    }

    /// The rows that were counted, with their counts. Any thread may ask.
    var rows: [(row: Int, counts: [UInt64])] {
        let used = used.load(ordering: .acquiring)
        guard let rowNumbers = unsafe rowNumbers, let counters = unsafe counters, used <= capacity else { return [] }
        return (0..<used).map { place in
            let first = Self.padding + place * columnCount
            let counts = (first..<first + columnCount).map { unsafe counters[$0].load(ordering: .relaxed) }
            return unsafe (rowNumbers[place], counts)
        }
    }
}
