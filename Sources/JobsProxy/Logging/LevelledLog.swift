internal import Locking
internal import Logging

/// The level of all loggers of the process, which may change while it runs. (A `Logger` has its own copy of a level.)
final class LogLevel: Sendable {
    private let level: Locked<Logger.Level>

    init(_ level: Logger.Level) { self.level = Locked(level) }

    var value: Logger.Level {
        get { level.withLock { $0 } }
        set { level.withLock { $0 = newValue } }
    }
}

/// Hands lines to another handler, from the process's level on.
struct LevelledLog: LogHandler {
    private var handler: any LogHandler
    private let level: LogLevel

    init(_ handler: any LogHandler, _ level: LogLevel) {
        self.handler = handler
        self.handler.logLevel = .trace
        self.level = level
    }

    var logLevel: Logger.Level {
        get { level.value }
        set { level.value = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { handler.log(event: event) }
}
