/// Samples that are read at the moment of the scrape.
public final class ObservedFamily: MetricFamily {
    /// What the numbers mean to Prometheus.
    public enum Kind: String, Sendable {
        /// Goes up and down.
        case gauge
        /// Only goes up.
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
