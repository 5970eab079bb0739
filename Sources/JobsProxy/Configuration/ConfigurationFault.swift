/// One thing in a configuration file that keeps it from being used.
struct ConfigurationFault: Sendable, Equatable, CustomStringConvertible {
    let file: String
    /// From 1.
    let line: Int
    /// Dotted path of the key, such as `services[0].timeouts.connect`; empty where the whole file is meant.
    let key: String
    /// What is wrong and how to mend it. Never holds a value that might be a secret.
    let message: String

    var description: String {
        key.isEmpty ? "\(file):\(line): \(message)" : "\(file):\(line): \(key): \(message)"
    }
}

/// Everything that is wrong with a configuration file, by line. Never empty.
struct ConfigurationFaults: Error, Sendable, Equatable, CustomStringConvertible {
    let faults: [ConfigurationFault]

    var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Collects faults while a file is read, so that one run shows them all.
final class FaultCollector {
    private let file: String
    private var faults: [ConfigurationFault] = []

    init(file: String) { self.file = file }

    var count: Int { faults.count }

    func add(line: Int, key: String = "", _ message: String) {
        faults.append(ConfigurationFault(file: file, line: line, key: key, message: message))
    }

    /// By line; within a line as they were found.
    var sorted: ConfigurationFaults? {
        guard !faults.isEmpty else { return nil }
        let ordered = faults.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
        return ConfigurationFaults(faults: ordered.map(\.element))
    }
}

extension String {
    /// Fit for a terminal and a log line: in quotes, cut to 60 characters, what is invisible written as `\u{…}`.
    var quoted: String {
        let cut = unicodeScalars.prefix(60)
        let body = cut.reduce(into: "") { text, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
                text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return cut.endIndex == unicodeScalars.endIndex ? "'\(body)'" : "'\(body)…'"
    }
}
