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
    /// In each stretch of that time, so many bytes of content must come, or all that is left: a KiB a second, with the
    /// patience that lost packets need. So it does not depend on `bodyTimeout` and `maxBodyBytes` how long a client that has
    /// stopped sending, or that drips, is waited for. 0 bytes: it does.
    public var bodyStretch: Int64 = 10_000_000_000
    public var minBodyBytes = 10 * 1024
    /// Between an answer and the first byte of the next request; also the time in which a client must have read
    /// 64 KiB more of its answers, or all of them. Longer than the 60 s of AWS's load balancers and SDKs: the end that sends
    /// requests must be the first to close, or it loses one.
    public var idleTimeout: Int64 = 75_000_000_000
    /// Open connections in all; 0 for no limit.
    public var maxConnections = 10_000
    /// Open connections of one peer address; 0 for no limit.
    public var maxConnectionsPerPeer = 0
    /// How many connections above these limits are told at once that they are refused; others are just closed.
    public var maxRefused = 256
    /// What all connections together may hold of answers that their clients have not read. Above it those are closed whose clients
    /// have read nothing for longest; 0 for no limit.
    public var maxUnsentBytes = 256 * 1024 * 1024
    /// Requests that a connection of HTTP/2 may carry at the same time; 0 for no HTTP/2.
    public var maxStreams = 100

    public init() {}
}

/// What HTTP/2 is told of the limits (RFC 9113, section 6.5.2); all fit into 31 bits.
extension HTTPLimits {
    private static var maxWindow: Int { Int(Int32.max) }

    /// How much content of a request a client may send unasked.
    var streamWindow: Int { 4096 }

    /// How many streams of a connection may send all of their content at the same time.
    static var wideStreams: Int { 4 }

    /// How much more such a stream may send: all of the largest content, and as much again in padding.
    var wideWindow: Int { min(maxBodyBytes, Self.maxWindow / 2 - 65_536) * 2 + 65_536 }

    /// How much content of all incomplete requests is kept.
    var connectionWindow: Int {
        let narrow = min(maxStreams, 1 << 16) * streamWindow
        return max(65_535 + streamWindow, narrow + Self.wideStreams * min(maxBodyBytes, Self.maxWindow / 8))
    }

    /// How large the fields of a request may be before the connection is broken off. Twice as large as what is accepted, so
    /// that a request that is somewhat too large gets its answer.
    var headerListBytes: Int { 2 * min(max(maxHeadBytes, 1024), Self.maxWindow / 4) + 32 * min(maxFields, 1 << 20) }
}
