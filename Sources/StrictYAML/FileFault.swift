/// One thing in a file that keeps it from being used.
public struct FileFault: Sendable, Equatable, CustomStringConvertible {
    public let file: String
    /// From 1.
    public let line: Int
    /// Dotted path of the key, such as `services[0].timeouts.connect`; empty where the whole file is meant.
    public let key: String
    /// The problem and its remedy. Never holds a value that might be a secret.
    public let message: String

    public var description: String {
        key.isEmpty ? "\(file):\(line): \(message)" : "\(file):\(line): \(key): \(message)"
    }
}

/// All faults of a file, by line. Never empty.
public struct FileFaults: Error, Sendable, Equatable, CustomStringConvertible {
    public let faults: [FileFault]

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Collects faults while a file is read, so that one run shows them all.
public final class FaultCollector {
    private let file: String
    private var faults: [FileFault] = []

    /// - Parameter file: its name, for the faults.
    public init(file: String) { self.file = file }

    /// The number of faults.
    public var count: Int { faults.count }

    /// Notes a fault.
    ///
    /// - Parameters:
    ///   - line: from 1.
    ///   - key: the dotted path of the key; empty where the whole file is meant.
    public func add(line: Int, key: String = "", _ message: String) {
        faults.append(FileFault(file: file, line: line, key: key, message: message))
    }

    /// By line; within a line as they were found.
    public var sorted: FileFaults? {
        guard !faults.isEmpty else { return nil }
        let ordered = faults.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
        return FileFaults(faults: ordered.map(\.element))
    }
}

extension String {
    /// The text for a terminal or a log line: in quotes, cut to 60 characters, invisible characters written as `\u{…}`.
    public var quoted: String {
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
