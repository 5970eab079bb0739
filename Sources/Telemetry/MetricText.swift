/// Writes samples in Prometheus text exposition format.
struct MetricText {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(16_384) }

    mutating func header(_ name: String, _ help: String, kind: String) {
        var text = ""
        for scalar in help.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        bytes += "# HELP \(name) \(text)\n# TYPE \(name) \(kind)\n".utf8
    }

    mutating func sample(_ name: String, labels: String, _ value: String) {
        bytes += name.utf8
        if !labels.isEmpty {
            bytes += "{\(labels)}".utf8
        }
        bytes += " \(value)\n".utf8
    }

    /// Prometheus reads Go's number syntax; Swift prints whole doubles with a needless `.0`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : (value < 0 ? "-Inf" : "+Inf") }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }
}

/// The label `name="value"`, the value escaped as the exposition format asks.
public func label(_ name: StaticString, _ value: String) -> String {
    var escaped = ""
    for character in value.unicodeScalars {
        switch character {
        case "\\": escaped += "\\\\"
        case "\"": escaped += "\\\""
        case "\n": escaped += "\\n"
        default: escaped.unicodeScalars.append(character)
        }
    }
    return "\(name)=\"\(escaped)\""
}
