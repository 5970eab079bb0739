internal import Locking
internal import Logging
internal import Primitives

/// The last lines of the log, for operators who look: at most `capacity`, each shortened. Access lines are not among them.
final class RecentEvents: Sendable {
    struct Event: Equatable {
        let time: WallInstant
        let level: String
        let text: String
    }

    static let capacity = 40
    /// In characters.
    static let longest = 240

    private let events = Locked<[Event]>([])
    private let wallClock: @Sendable () -> WallInstant

    init(wallClock: @escaping @Sendable () -> WallInstant = Process.wallClock) { self.wallClock = wallClock }

    func add(_ level: Logger.Level, _ text: String) {
        let event = Event(time: wallClock(), level: level.rawValue, text: String(text.prefix(Self.longest)))
        events.withLock { events in
            events.append(event)
            if events.count > Self.capacity { events.removeFirst() }
        }
    }

    /// The oldest first.
    var all: [Event] { events.withLock { $0 } }

    /// A logger whose lines are noted here too, from `info` on.
    func noting(_ logger: Logger) -> Logger {
        var logger = logger
        logger.handler = NotingHandler(next: logger.handler, events: self)
        return logger
    }
}

private struct NotingHandler: LogHandler {
    var next: any LogHandler
    let events: RecentEvents

    var logLevel: Logger.Level {
        get { next.logLevel }
        set { next.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { next.metadata }
        set { next.metadata = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { next[metadataKey: key] }
        set { next[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        next.log(event: event)
        guard event.level >= .info else { return }
        let words = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        events.add(event.level, ([event.message.description] + words).joined(separator: " "))
    }
}
