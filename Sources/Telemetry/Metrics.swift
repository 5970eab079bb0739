internal import Locking

/// Everything that `/metrics` shows, in Prometheus text exposition format 0.0.4.
///
/// Families are rendered in the order of their registration. Registration happens at start and when a thread joins; it is
/// not for the request path.
public final class Metrics: Sendable {
    /// The media type of `render()`.
    public static let contentType: StaticString = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Locked<[any MetricFamily]>([])

    public init() {}

    /// A family of counters, one row for each of `labels`.
    ///
    /// - Parameter labels: the rendered label set of each row, such as `operation="ListDomains"`, "" for a family without
    ///   labels. A row's index is its position here.
    public func counters(_ name: String, _ help: String, labels: [String] = [""]) -> CounterFamily {
        let family = CounterFamily(name: name, help: help, labels: labels)
        register(family)
        return family
    }

    /// A family of histograms, one for each of `labels`.
    ///
    /// - Parameter bounds: ascending upper bounds of the buckets, in `scale` units; `+Inf` is added.
    /// - Parameter scale: how many of the observed integer's units make one base unit (10⁹ for nanoseconds to seconds).
    public func histograms(
        _ name: String, _ help: String, labels: [String] = [""], bounds: [Int64], scale: Int64 = 1_000_000_000
    ) -> HistogramFamily {
        let family = HistogramFamily(name: name, help: help, labels: labels, bounds: bounds, scale: scale)
        register(family)
        return family
    }

    /// A family whose rows are read when it is scraped.
    ///
    /// - Parameter kind: `gauge`, or `counter` for a total that is kept elsewhere.
    /// - Parameter read: the rendered label set and the value of each row, now.
    public func observed(
        _ name: String, _ help: String, kind: ObservedFamily.Kind = .gauge,
        read: @escaping @Sendable () -> [(labels: String, value: Double)]
    ) {
        register(ObservedFamily(name: name, help: help, kind: kind, read: read))
    }

    /// The whole page.
    public func render() -> [UInt8] {
        var text = MetricText()
        for family in families.withLock({ $0 }) {
            family.render(into: &text)
        }
        return text.bytes
    }

    private func register(_ family: any MetricFamily) {
        families.withLock { $0.append(family) }
    }
}

/// One named family of samples.
protocol MetricFamily: Sendable {
    func render(into text: inout MetricText)
}
