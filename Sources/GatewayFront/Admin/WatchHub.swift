internal import Locking
internal import NIOCore
internal import Streams

/// The clients that watch the gateway: each gets the same events, rendered once for all of them, off the event loops.
///
/// Idle → (a watcher joins) watched: an event is rendered every `period` → (the last watcher has gone) idle. When idle, nothing is
/// scheduled and nothing is rendered. A watcher that does not read its events is dropped once its pipe is nearly full, so each costs
/// `BytePipe.capacity` at the most.
public final class WatchHub: Sendable {
    /// More watchers than these are refused.
    public static let maxWatchers = 16
    /// From one event to the next: less than a second, so that what is shown is never older than that. In nanoseconds.
    static let period: Int64 = 900_000_000

    /// Makes the events for watchers, as the data of server-sent events: JSON without line feeds. Called on the thread of `offload` alone.
    public struct Source: Sendable {
        /// The first event for a new watcher: the last hour.
        let history: @Sendable () -> [UInt8]
        let now: @Sendable (_ watchers: Int) -> [UInt8]

        public init(
            history: @escaping @Sendable () -> [UInt8], now: @escaping @Sendable (_ watchers: Int) -> [UInt8]
        ) {
            self.history = history
            self.now = now
        }
    }

    private struct State {
        var watchers: [PipeWriter] = []
        /// True while an event is rendered, or is to be.
        var isRunning = false
    }

    private let state = Locked(State())
    private let source: Source
    private let offload: SharedText.Offload

    public init(_ source: Source, offload: @escaping SharedText.Offload) {
        self.source = source
        self.offload = offload
    }

    /// The number of watchers that have not gone, as far as is known.
    public var count: Int { state.withLock { $0.watchers.count } }

    /// Adds a watcher.
    ///
    /// - Returns: the end that its events come from; nil if there are too many watchers.
    func join(on eventLoop: any EventLoop) -> PipeReader? {
        let (writer, reader) = BytePipe.make()
        let (isAdmitted, starts) = state.withLock { state -> (Bool, Bool) in
            state.watchers.removeAll(where: \.isClosed)
            guard state.watchers.count < Self.maxWatchers else { return (false, false) }
            state.watchers.append(writer)
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        guard isAdmitted else { return nil }
        offload { [source] in
            Self.write("history", source.history(), to: writer)
            // Those who were here before get theirs in their turn.
            Self.write("now", source.now(self.count), to: writer)
            if starts { self.schedule(on: eventLoop) }
        }
        return reader
    }

    /// Lets all watchers go. Each has to ask again, by the rules of then.
    public func dropAll() {
        // Outside the lock: the end of a pipe wakes its reader.
        let dropped = state.withLock { state in
            defer { state.watchers = [] }
            return state.watchers
        }
        withExtendedLifetime(dropped) {}
    }

    private func schedule(on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(in: .nanoseconds(Self.period)) { self.offload { self.publish(on: eventLoop) } }
    }

    private func publish(on eventLoop: any EventLoop) {
        let watchers = state.withLock { state -> [PipeWriter] in
            state.watchers.removeAll { $0.isClosed || $0.awaitsRoom() }
            if state.watchers.isEmpty { state.isRunning = false }
            return state.watchers
        }
        guard !watchers.isEmpty else { return }
        let data = source.now(watchers.count)
        for watcher in watchers { Self.write("now", data, to: watcher) }
        schedule(on: eventLoop)
    }

    /// Writes an event (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.5).
    private static func write(_ name: StaticString, _ data: [UInt8], to watcher: PipeWriter) {
        let event = Array("event: \(name)\ndata: ".utf8) + data + Array("\n\n".utf8)
        for start in stride(from: 0, to: event.count, by: BytePipe.maxPiece) {
            watcher.write(event[start..<min(start + BytePipe.maxPiece, event.count)].span)
        }
    }
}
