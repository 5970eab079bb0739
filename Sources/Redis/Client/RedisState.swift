public import Primitives

/// The state of a client.
public enum RedisState: Sendable, Equatable {
    /// The first attempt to connect is under way, or the client was not started.
    case connecting
    /// There is a connection to a primary.
    case up
    /// There is no connection. `since` is the time of the loss, or of the first failed attempt; `reason` that of the last one.
    case down(since: MonotonicInstant, reason: RedisError)

    public var isUp: Bool { self == .up }
}

/// The counts of a client since its start.
public struct RedisCounters: Sendable, Equatable {
    /// Connections that were made and greeted.
    public var connections = 0
    /// Connections that were lost.
    public var losses = 0
    /// Replies that came after their deadline and were dropped.
    public var lateReplies = 0
}
