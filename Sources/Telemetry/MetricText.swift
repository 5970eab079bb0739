/// Writes samples in the Prometheus text exposition format
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
struct MetricText {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(16_384) }

    mutating func header(_ name: String, _ help: String, kind: String) {
        bytes += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind)\n".utf8
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

    mutating func sample(_ name: String, labels: String, _ value: String) {
        bytes += name.utf8
        if !labels.isEmpty { bytes += "{\(labels)}".utf8 }
        bytes += " \(value)\n".utf8
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
