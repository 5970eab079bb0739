/// One thing in a file that is not as it should be.
public struct FileFault: Sendable, Equatable, CustomStringConvertible {
    /// What follows from it.
    public enum Severity: Sendable {
        /// The file cannot be used.
        case error
        /// The file can be used, but probably does not do what is meant.
        case warning
    }

    public let severity: Severity
    public let file: String
    /// From 1.
    public let line: Int
    /// Dotted path of the key, such as `services[0].timeouts.connect`; empty where the whole file is meant.
    public let key: String
    /// The problem and its remedy. Never holds a value that might be a secret.
    public let message: String

    public var description: String {
        let place = "\(file):\(line): \(severity == .warning ? "warning: " : "")"
        return key.isEmpty ? place + message : "\(place)\(key): \(message)"
    }
}

/// All errors of a file, by line. Never empty.
public struct FileFaults: Error, Sendable, Equatable, CustomStringConvertible {
    public let faults: [FileFault]

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// Collects faults while a file is read, so that one run shows them all.
public final class FaultCollector {
    private let file: String
    private var faults: [FileFault] = []
    /// By the dotted paths of keys.
    private var lines: [String: Int] = [:]

    /// - Parameter file: its name, for the faults.
    public init(file: String) { self.file = file }

    /// The number of errors.
    public private(set) var count = 0

    /// Notes a fault.
    ///
    /// - Parameters:
    ///   - line: from 1.
    ///   - key: the dotted path of the key; empty where the whole file is meant.
    public func add(_ severity: FileFault.Severity = .error, line: Int, key: String = "", _ message: String) {
        faults.append(FileFault(severity: severity, file: file, line: line, key: key, message: message))
        if severity == .error { count += 1 }
    }

    /// Notes a fault of a key that was read; see `line(of:)`.
    public func add(_ severity: FileFault.Severity = .error, key: String, _ message: String) {
        add(severity, line: line(of: key), key: key, message)
    }

    /// Remembers where a key stands, for faults that show when the file has been read.
    public func note(line: Int, of key: String) { lines[key] = line }

    /// The line of a key; of the nearest one above it that the file has, if it has its default. 1 without any.
    public func line(of key: String) -> Int {
        var key = key[...]
        while !key.isEmpty {
            if let line = lines[String(key)] { return line }
            key = key.lastIndex { $0 == "." || $0 == "[" }.map { key[..<$0] } ?? ""
        }
        return 1
    }

    /// The errors by line; within a line as they were found. `nil` without any.
    public var sorted: FileFaults? {
        let errors = all.filter { $0.severity == .error }
        return errors.isEmpty ? nil : FileFaults(faults: errors)
    }

    /// Errors and warnings by line; within a line as they were found.
    public var all: [FileFault] {
        faults.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(\.element)
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
