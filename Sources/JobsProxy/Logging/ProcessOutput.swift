internal import Glibc
internal import Logging
internal import Telemetry
internal import Upstream

/// The output of the process: log lines to standard error, announcements to standard output, each through a writer that no other
/// thread waits for.
struct ProcessOutput: Sendable {
    let log: LogWriter
    private let announcements: LogWriter
    private let format: LogFormat

    /// The format of the log where none is configured: people read what goes to a terminal, machines the rest.
    static var usualFormat: LogFormat { isatty(STDERR_FILENO) == 1 ? .text : .json }

    /// - Parameters:
    ///   - format: of all lines.
    ///   - collectsLines: true if lines are added to the log's buffer without a wake-up, as access lines are.
    /// - Throws: `CommandFailure` if a writer cannot be started.
    init(_ format: LogFormat = usualFormat, collectsLines: Bool = false) throws(CommandFailure) {
        self.format = format
        log = try LogWriter(to: STDERR_FILENO, collects: collectsLines)
        announcements = try LogWriter(to: STDOUT_FILENO, collects: false)
    }

    func logger(label: String, level: LogLevel = LogLevel(.info)) -> Logger {
        Logger(label: label) { _ in LevelledLog(LineLogHandler(format, to: log), level) }
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

extension Logger {
    func warning(_ event: UpstreamEvent) {
        let metadata = event.metadata.map { ($0.name, Logger.MetadataValue.string($0.value)) }
        warning("\(event.message)", metadata: Logger.Metadata(metadata) { first, _ in first })
    }
}
