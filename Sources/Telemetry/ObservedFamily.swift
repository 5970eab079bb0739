/// The samples of one metric, read at each scrape.
public final class ObservedFamily: MetricFamily {
    /// The metric's type in Prometheus.
    public enum Kind: String, Sendable {
        /// A value that rises and falls.
        case gauge
        /// A value that only rises.
        case counter
    }

    private let name: String
    private let help: String
    private let kind: Kind
    private let read: @Sendable () -> [(labels: String, value: Double)]

    init(name: String, help: String, kind: Kind, read: @escaping @Sendable () -> [(labels: String, value: Double)]) {
        self.name = name
        self.help = help
        self.kind = kind
        self.read = read
    }

    func render(into text: inout MetricText) {
        text.header(name, help, kind: kind.rawValue)
        for row in read() {
            text.sample(name, labels: row.labels, MetricText.number(row.value))
        }
    }
}
