internal import Gateway
public import OriginClient

/// How a service is reached.
public struct UpstreamSettings: Sendable {
    /// `https://host[:port]/` or `http://…`.
    public var url: String
    /// True if the words that operations put before the host make the name of another of the service's hosts; see `Operation.hostPrefix`.
    public var takesHostPrefix = false
    public var http2: HTTP2Mode
    /// Path of a PEM file with the authorities to trust instead of the system's.
    public var caBundle: String?
    /// The proxy's URL.
    public var proxy: String?
    public var maxConnections: Int
    /// How many replies may be streamed at a time. Each takes a connection for as long as it comes, so half of them is left to the others.
    var maxStreams: Int { max(1, maxConnections / 2) }
    /// Nanoseconds for a connection, and for an attempt as a whole.
    public var connectTimeout: Int64
    public var attemptTimeout: Int64
    /// The most bytes that a reply's body may have.
    public var maxReplyBytes: Int
    /// Failures in a row after which the service is left alone, and for how many nanoseconds.
    public var breakerFailures: Int
    public var breakerOpenFor: Int64
    /// How its requests are signed; nil for a service that gets its callers' signatures.
    public var signing: SigningSettings?

    public init(
        url: String, http2: HTTP2Mode, caBundle: String?, proxy: String?, maxConnections: Int, connectTimeout: Int64,
        attemptTimeout: Int64, maxReplyBytes: Int = 16 << 20, breakerFailures: Int, breakerOpenFor: Int64,
        signing: SigningSettings?
    ) {
        self.url = url
        self.http2 = http2
        self.caBundle = caBundle
        self.proxy = proxy
        self.maxConnections = maxConnections
        self.connectTimeout = connectTimeout
        self.attemptTimeout = attemptTimeout
        self.maxReplyBytes = maxReplyBytes
        self.breakerFailures = breakerFailures
        self.breakerOpenFor = breakerOpenFor
        self.signing = signing
    }
}

extension Endpoint {
    /// - Parameters:
    ///   - prefix: a word before the host's name.
    ///   - isForStreams: true for the connections of replies that are streamed.
    ///   - sockets: counts their connections.
    convenience init(
        _ settings: UpstreamSettings, prefix: String = "", isForStreams: Bool = false, sockets: SocketCount
    ) {
        var url = settings.url
        if !prefix.isEmpty, let start = url.firstRange(of: "://")?.upperBound {
            url.insert(contentsOf: prefix, at: start)
        }
        self.init(
            url: url, http2: settings.http2, caBundle: settings.caBundle, proxy: settings.proxy,
            maxConnections: isForStreams ? settings.maxStreams : settings.maxConnections,
            connectTimeout: settings.connectTimeout, keptFields: UpstreamReply.keptFields, isForStreams: isForStreams,
            sockets: sockets)
    }
}
