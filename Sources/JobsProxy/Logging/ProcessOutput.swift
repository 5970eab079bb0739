internal import Glibc
internal import Logging
internal import Telemetry
internal import Upstream

/// The output of the process: log lines to standard error, announcements to standard output, each through a writer that no other
/// thread waits for.
struct ProcessOutput: Sendable {
    let log: LogWriter
    private let announcements: LogWriter

    /// - Parameter collectsLines: true if lines are added to the log's buffer without a wake-up, as access lines are.
    /// - Throws: `CommandFailure` if a writer cannot be started.
    init(collectsLines: Bool = false) throws(CommandFailure) {
        log = try LogWriter(to: STDERR_FILENO, collects: collectsLines)
        announcements = try LogWriter(to: STDOUT_FILENO, collects: false)
    }

    func logger(label: String, level: LogLevel = LogLevel(.info)) -> Logger {
        Logger(label: label) { LevelledLog(StreamLogHandler(label: $0, stream: LogStream(writer: log)), level) }
    }

    /// Has lines written that come without a wake-up.
    func collect() { log.collect() }

    /// Writes a text for the person who has started the process.
    func announce(_ text: String) {
        announcements.buffer.append { $0 += "\(text)\n".utf8 }
        announcements.wake()
    }

    /// Writes the rest, in at most a second.
    func finish() {
        announcements.finish(timeout: 250)
        log.finish(timeout: 750)
    }
}

/// Hands the lines of a `Logger` to the writer.
private struct LogStream: TextOutputStream, Sendable {
    let writer: LogWriter

    func write(_ text: String) {
        writer.buffer.append { $0 += text.utf8 }
        writer.wake()
    }
}

extension Logger {
    func warning(_ event: UpstreamEvent) {
        let metadata = event.metadata.map { ($0.name, Logger.MetadataValue.string($0.value)) }
        warning("\(event.message)", metadata: Logger.Metadata(metadata) { first, _ in first })
    }
}
