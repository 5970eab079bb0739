internal import Locking

/// The registry of all metrics at `/metrics`.
///
/// Families are rendered in the order of their registration. Registration allocates and locks: it is for the start and for
/// new threads, not for the request path.
public final class Metrics: Sendable {
    /// The media type of `render()`.
    public static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Locked<[any MetricFamily]>([])

    /// A registry without metrics.
    public init() {}

    /// Registers a family of counters, one row for each of `labels`.
    ///
    /// - Parameters:
    ///   - name: the metric's name.
    ///   - help: its description.
    ///   - labels: the rendered label set of each row, such as `operation="ListDomains"`; "" for a family without labels. A
    ///     row's index is its position here.
    ///   - showsAll: true if all rows are shown from the start, however many there are. Otherwise a large family leaves out rows at 0.
    public func counters(
        _ name: String, _ help: String, labels: [String] = [""], showsAll: Bool = false
    ) -> CounterFamily {
        register(CounterFamily(name: name, help: help, labels: labels, showsAll: showsAll))
    }

    /// Registers a family of counters in rows that are made when they are first counted.
    ///
    /// - Parameters:
    ///   - rows: how many there may be. The last one counts what finds no room.
    ///   - columns: the rendered label set of each counter of a row.
    ///   - shown: the rows that are shown from the start, with all their columns: a rate over the family sees its first increment then.
    ///   - rowLabels: returns the rendered label set of a row. Any thread may call it.
    public func counters(
        _ name: String, _ help: String, rows: Int, columns: [String] = [""], shown: [Int] = [],
        rowLabels: @escaping @Sendable (Int) -> String
    ) -> RowCounterFamily {
        register(
            RowCounterFamily(
                name: name, help: help, rowCount: rows, columns: columns, shown: shown, rowLabels: rowLabels))
    }

    /// Registers a family of histograms, one row for each of `labels`.
    ///
    /// - Parameters:
    ///   - bounds: ascending upper bounds of the buckets, in the unit of the observed values; `+Inf` is added.
    ///   - scale: the number of observed units in a base unit: 10⁹ for nanoseconds, shown as seconds. At least 1.
    public func histograms(
        _ name: String, _ help: String, labels: [String] = [""], bounds: [Int64], scale: Int64 = 1_000_000_000
    ) -> HistogramFamily {
        register(HistogramFamily(name: name, help: help, labels: labels, bounds: bounds, scale: scale))
    }

    /// Registers a family whose rows are read at each scrape.
    ///
    /// - Parameters:
    ///   - kind: `gauge`, or `counter` for a total that is kept elsewhere.
    ///   - read: returns the rendered label set and the value of each row. Any thread may call it.
    public func observed(
        _ name: String, _ help: String, kind: ObservedFamily.Kind = .gauge,
        read: @escaping @Sendable () -> [(labels: String, value: Double)]
    ) {
        _ = register(ObservedFamily(name: name, help: help, kind: kind, read: read))
    }

    /// The text of all families.
    public func render(_ format: MetricFormat = .prometheus) -> [UInt8] {
        var text = MetricText(format)
        for family in families.withLock({ $0 }) { family.render(into: &text) }
        text.finish()
        return text.bytes
    }

    var registered: [any MetricFamily] { families.withLock { $0 } }

    private func register<Family: MetricFamily>(_ family: Family) -> Family {
        families.withLock { $0.append(family) }
        return family
    }
}

protocol MetricFamily: Sendable {
    var name: String { get }
    func render(into text: inout MetricText)
}
