/// The samples of one metric, read at each scrape.
public struct ObservedFamily: MetricFamily {
    /// The metric's type in Prometheus.
    public enum Kind: String, Sendable {
        /// A value that rises and falls.
        case gauge
        /// A value that only rises.
        case counter
    }

    let name: String
    let help: String
    let kind: Kind
    let read: @Sendable () -> [(labels: String, value: Double)]

    func render(into text: inout MetricText) {
        text.header(name, help, kind: kind.rawValue)
        for row in read() { text.sample(name, labels: row.labels, MetricText.number(row.value)) }
    }
}
