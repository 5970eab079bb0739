internal import Logging
internal import Telemetry

/// Writes each event of a `Logger` as one line, in the same format as access lines.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let format: LogFormat
    private let writer: LogWriter

    init(_ format: LogFormat, to writer: LogWriter) {
        self.format = format
        self.writer = writer
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = LogLine(
            format, time: Process.wallClock(), level: event.level.rawValue, message: "\(event.message)")
        for (name, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }).sorted(by: {
            $0.key < $1.key
        }) {
            line.add(Self.own.contains(name) ? "\(name)_" : name, "\(value)".utf8, atMost: Self.maxValueBytes)
        }
        if let error = event.error { line.add("error", "\(error)".utf8, atMost: Self.maxValueBytes) }
        let bytes = line.finish()
        writer.buffer.append { $0 += bytes }
        writer.wake()
    }

    /// The names that each line has; a value of the same name gets another.
    private static let own: Set<String> = ["time", "level", "message"]
    private static let maxValueBytes = 4096
}
