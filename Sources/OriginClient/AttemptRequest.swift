internal import Primitives

internal import CCurl

/// Where and how attempts are sent. A class, because each attempt has one.
package final class Endpoint: Sendable {
    /// `https://host[:port]/` or `http://…`; user and password in it are refused.
    let url: String
    let http2: HTTP2Mode
    /// Path of a PEM file with the certificate authorities to trust instead of the system's.
    let caBundle: String?
    /// URL of the proxy to go through; none if `nil`. The environment (`http_proxy`, `no_proxy`, …) is never asked.
    let proxy: String?
    /// How many connections may be open to this host; 1 if less is given. Attempts beyond them wait in order.
    let maxConnections: Int
    /// For name lookup, TCP and TLS handshake together, in nanoseconds; a part of a millisecond counts as one.
    let connectTimeout: Int64
    let keptFields: KeptFields
    /// True if its connections are apart from those of other endpoints with this URL. A reply that is streamed keeps its connection for
    /// as long as it comes, and others must not wait for that. They speak HTTP/1.1 over TLS: over HTTP/2 a stream that is not read would
    /// hold up others of its connection, which libcurl reads in order.
    let isForStreams: Bool
    let isTLS: Bool
    /// Counts its open sockets.
    let sockets: SocketCount

    package init(
        url: String, http2: HTTP2Mode = .off, caBundle: String? = nil, proxy: String? = nil, maxConnections: Int = 1,
        connectTimeout: Int64, keptFields: KeptFields = .none, isForStreams: Bool = false,
        sockets: SocketCount = SocketCount()
    ) {
        self.url = url
        isTLS = url.prefix(6).lowercased() == "https:"
        self.http2 = isForStreams && isTLS ? .off : http2
        self.caBundle = caBundle
        self.proxy = proxy
        self.maxConnections = maxConnections
        self.connectTimeout = connectTimeout
        self.keptFields = keptFields
        self.isForStreams = isForStreams
        self.sockets = sockets
    }

    /// Returns true if the two may use the same connections. The largest of their `maxConnections` holds for both then.
    func sharesConnections(with other: Endpoint) -> Bool {
        self === other
            || url == other.url && http2 == other.http2 && caBundle == other.caBundle && proxy == other.proxy
                && isForStreams == other.isForStreams
    }
}

/// The methods that are sent.
package enum HTTPMethod: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
}

/// One HTTP request.
package struct AttemptRequest: Sendable {
    var endpoint: Endpoint
    var method: HTTPMethod
    /// The header fields to send, and nothing else but `Host` and `Content-Length`: no `Accept`, `User-Agent`,
    /// `Content-Type` or `Accept-Encoding` that is not here. Fields about framing or the connection are left out
    /// (RFC 9110 section 7.6.1), which libcurl or `RequestTarget` writes. Refused are names that are no token and values with CR, LF
    /// or NUL.
    var fields: [(name: String, value: String)]
    /// The fields in written form; if not nil, `fields` is ignored.
    var lines: HeaderLines?
    /// Not sent with GET.
    var body: [UInt8]
    /// For the whole attempt, in nanoseconds: waiting for a connection, connecting, sending and receiving. Of a reply that is streamed
    /// only the head must have come by then.
    var timeout: Int64
    /// How many bytes of body the reply may have, after the transfer coding is taken off. A reply that is streamed may have any number.
    var maxReplyBytes: Int
    /// Which replies are passed on as they come; nil if all are collected.
    var streams: StreamRule?
    /// True if it must not reuse an HTTP/1.1 connection, because the attempt before it has lost one: an origin that has closed one
    /// may have closed others.
    var needsFreshConnection: Bool

    package init(
        endpoint: Endpoint, method: HTTPMethod = .post, fields: [(name: String, value: String)],
        lines: HeaderLines? = nil, body: [UInt8], timeout: Int64, maxReplyBytes: Int, streams: StreamRule? = nil,
        needsFreshConnection: Bool = false
    ) {
        self.endpoint = endpoint
        self.method = method
        self.fields = fields
        self.lines = lines
        self.body = body
        self.timeout = timeout
        self.maxReplyBytes = maxReplyBytes
        self.streams = streams
        self.needsFreshConnection = needsFreshConnection
    }
}

extension AttemptRequest {
    /// Sends the request over a connection of its own, on the caller's thread, and waits for the reply, at most `timeout`. No redirect is
    /// followed, and no reply is streamed.
    ///
    /// - Throws: `CurlError` if no whole reply came, or one too large. Any status is a reply.
    package func perform() throws(CurlError) -> CurlReply {
        guard CurlLibrary.isReady else { throw .driverFault }
        guard let transfer = CurlTransfer() else { throw .outOfMemory }
        defer { transfer.clear() }
        let start = MonotonicInstant.now
        let deadline = start + timeout
        var list: CurlAddresses?
        if let name = OriginName(endpoint) {
            let nameDeadline = min(deadline, start + endpoint.connectTimeout)
            list = try CurlAddresses(name, try NameLookups.shared.addresses(of: name.name, until: nameDeadline))
        }
        let now = MonotonicInstant.now
        var request = self
        request.streams = nil
        try transfer.prepare(request, id: 0, slot: 0, deadline: deadline)
        try transfer.handle.setAddresses(list)
        try transfer.setLaunch(now: now)
        return try transfer.result(unsafe curl_easy_perform(transfer.easy)).get()
    }
}

/// Descriptions show neither URL, fields nor body, which hold secrets.
extension AttemptRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(method.rawValue) request" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["method": method]) }
}
