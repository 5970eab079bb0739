/// What the front accepts of a client, and for how long it waits. All times are nanoseconds, all sizes bytes.
public struct HTTPLimits: Sendable, Equatable {
    /// Fields in a request head, 1 or more. One more is answered with 431.
    public var maxFields = 100
    /// A field line, or the request line, without its line end. Longer: 431, or 414 for the request line.
    public var maxFieldBytes = 16 * 1024
    /// The whole request head. Longer: 431.
    public var maxHeadBytes = 32 * 1024
    /// The content of a request. Longer: 413.
    public var maxBodyBytes = 64 * 1024
    /// From a connection's start, or from the first byte of a later request, to the end of that request's head.
    public var headTimeout: Int64 = 5_000_000_000
    /// From the end of a request's head to the end of its content.
    public var bodyTimeout: Int64 = 10_000_000_000
    /// Between an answer and the first byte of the next request; also how long a client may leave an answer unread.
    public var idleTimeout: Int64 = 60_000_000_000
    /// Open connections in all; 0 for no limit.
    public var maxConnections = 10_000
    /// Open connections of one peer address; 0 for no limit.
    public var maxConnectionsPerPeer = 0

    public init() {}
}
