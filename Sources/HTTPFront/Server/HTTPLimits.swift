/// The limits on requests, connections and waiting times. All times are nanoseconds, all sizes bytes.
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
    /// The client must send `minBodyBytes` of content, or the rest of it, in each `bodyStretch`: a KiB a second, and long enough for lost
    /// packets. A client that stops or drips is refused after that time, whatever `bodyTimeout` and `maxBodyBytes` are. 0 bytes: no such
    /// rate.
    public var bodyStretch: Int64 = 10_000_000_000
    public var minBodyBytes = 10 * 1024
    /// From an answer to the first byte of the next request; also the time in which a client must read 64 KiB of its answers, or the rest
    /// of them. Longer than the 60 s of AWS's load balancers and SDKs, because a client that is not the first to close loses a request.
    public var idleTimeout: Int64 = 75_000_000_000
    /// Open connections in all; 0 for no limit.
    public var maxConnections = 10_000
    /// Open connections of one peer address; 0 for no limit.
    public var maxConnectionsPerPeer = 0
    /// How many connections above these limits are answered with 503 at the same time; others are closed without an answer.
    public var maxRefused = 256
    /// The bytes of answers that all connections together may hold unread. Above it the connections whose clients have read nothing for
    /// longest are closed; 0 for no limit.
    public var maxUnsentBytes = 256 * 1024 * 1024
    /// Concurrent streams of an HTTP/2 connection; 0 turns HTTP/2 off.
    public var maxStreams = 100

    /// The proxies that may tell whose connections and requests they forward.
    public var trustedProxies = TrustedProxies()

    /// True if a new connection above `maxConnections` takes the place of the one that has waited longest for its client's next request. For
    /// listeners with few connections, which clients that do nothing must not fill.
    public var idleGivesWay = false
    /// The bytes of answers that the kernel keeps for a client that does not read; 0 for the system's, which grows to megabytes.
    public var sendBufferBytes = 0

    public init() {}
}

/// The limits as settings and windows of HTTP/2 (RFC 9113, section 6.5.2); all fit into 31 bits.
extension HTTPLimits {
    private static var maxWindow: Int { Int(Int32.max) }

    /// The initial window of a stream: the content that a client may send before the server gives it more window.
    var streamWindow: Int { 4096 }

    /// How many streams of a connection have a window for all of their content at the same time.
    static var wideStreams: Int { 4 }

    /// The requests of a connection wait while it holds more than this of earlier answers, as copies.
    static var heldAnswers: Int { 256 * 1024 }

    /// The window that such a stream is given in addition: the largest content, and as much again in padding.
    var wideWindow: Int { min(maxBodyBytes, Self.maxWindow / 2 - 65_536) * 2 + 65_536 }

    /// The window of a connection: the content of all incomplete requests that is kept.
    var connectionWindow: Int {
        let narrow = min(maxStreams, 1 << 16) * streamWindow
        return max(65_535 + streamWindow, narrow + Self.wideStreams * min(maxBodyBytes, Self.maxWindow / 8))
    }

    /// The size of a request's fields above which the connection is broken off. Twice the size that is accepted, so that a request that is
    /// somewhat too large gets its answer.
    var headerListBytes: Int { 2 * min(max(maxHeadBytes, 1024), Self.maxWindow / 4) + 32 * min(maxFields, 1 << 20) }
}
