/// The text formats of metrics.
public enum MetricFormat: Sendable, CaseIterable {
    /// Prometheus's, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).
    case prometheus
    /// OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), which has exemplars.
    case openMetrics

    /// The media type.
    public var contentType: StaticString {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

/// Writes samples in one of the formats.
struct MetricText {
    let format: MetricFormat
    private(set) var bytes: [UInt8] = []

    init(_ format: MetricFormat = .prometheus) {
        self.format = format
        bytes.reserveCapacity(16_384)
    }

    /// In OpenMetrics a counter's family has not the ending of its samples.
    mutating func header(_ name: String, _ help: String, kind: String) {
        let isTotal = format == .openMetrics && kind == "counter" && name.hasSuffix("_total")
        let family = isTotal ? String(name.dropLast("_total".count)) : name
        let help = format == .openMetrics ? Self.escaped(help, isLabel: true) : Self.escaped(help)
        bytes += "# HELP \(family) \(help)\n# TYPE \(family) \(kind)\n".utf8
    }

    /// OpenMetrics ends so, which shows that nothing is missing.
    mutating func finish() { if format == .openMetrics { bytes += "# EOF\n".utf8 } }

    /// A bucket's bound. OpenMetrics writes numbers of its one way: `1.0`.
    func bound(_ value: Double) -> String {
        let text = Self.number(value)
        return format == .openMetrics && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? "\(text).0" : text
    }

    /// A text with its backslashes and line feeds escaped, and with the quotation marks of a label's value.
    static func escaped(_ text: String, isLabel: Bool = false) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where isLabel: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// - Parameter exemplar: written only in OpenMetrics.
    mutating func sample(_ name: String, labels: String, _ value: String, exemplar: Exemplar? = nil) {
        bytes += name.utf8
        if !labels.isEmpty { bytes += "{\(labels)}".utf8 }
        bytes += " \(value)".utf8
        if let exemplar, format == .openMetrics {
            bytes +=
                " # {trace_id=\"\(exemplar.trace)\"} \(Self.number(exemplar.value)) \(Self.number(exemplar.time))".utf8
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// A number in Go's syntax, which Prometheus reads; a whole number without Swift's `.0`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : (value < 0 ? "-Inf" : "+Inf") }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }
}

/// The label `name="value"`, its value escaped by the rules of the exposition format.
public func label(_ name: StaticString, _ value: String) -> String {
    "\(name)=\"\(MetricText.escaped(value, isLabel: true))\""
}

/// An observation in a bucket, and the trace that it belongs to.
struct Exemplar: Sendable {
    let trace: String
    /// In base units.
    let value: Double
    /// Seconds since 1970.
    let time: Double
}
