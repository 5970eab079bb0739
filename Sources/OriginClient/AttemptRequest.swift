internal import CCurl

/// The versions of HTTP that an endpoint is spoken to with.
public enum HTTP2Mode: Sendable {
    /// HTTP/2 if the endpoint agrees to it in the TLS handshake (ALPN, RFC 9113 section 3.2), else HTTP/1.1. An
    /// `http://` endpoint gets HTTP/1.1.
    case auto
    /// HTTP/1.1 only.
    case off
    /// HTTP/2 by prior knowledge over plain TCP (RFC 9113 section 3.3). Over TLS the same as `auto`: libcurl negotiates by ALPN in
    /// either case.
    case priorKnowledge
}

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
    /// The fields that replies keep.
    let keptFields: KeptFields
    let isTLS: Bool

    package init(
        url: String, http2: HTTP2Mode = .off, caBundle: String? = nil, proxy: String? = nil, maxConnections: Int = 1,
        connectTimeout: Int64, keptFields: KeptFields = .none
    ) {
        self.url = url
        self.http2 = http2
        self.caBundle = caBundle
        self.proxy = proxy
        self.maxConnections = maxConnections
        self.connectTimeout = connectTimeout
        self.keptFields = keptFields
        isTLS = url.prefix(6).lowercased() == "https:"
    }

    /// Returns true if the two may use the same connections. The largest of their `maxConnections` holds for both then.
    func sharesConnections(with other: Endpoint) -> Bool {
        self === other
            || url == other.url && http2 == other.http2 && caBundle == other.caBundle && proxy == other.proxy
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
    /// For the whole attempt, in nanoseconds: waiting for a connection, connecting, sending and receiving.
    var timeout: Int64
    /// How many bytes of body the reply may have, after the transfer coding is taken off.
    var maxReplyBytes: Int
    /// True if it must not reuse an HTTP/1.1 connection, because the attempt before it has lost one: an origin that has closed one
    /// may have closed others.
    var needsFreshConnection: Bool

    package init(
        endpoint: Endpoint, method: HTTPMethod = .post, fields: [(name: String, value: String)],
        lines: HeaderLines? = nil, body: [UInt8], timeout: Int64, maxReplyBytes: Int, needsFreshConnection: Bool = false
    ) {
        self.endpoint = endpoint
        self.method = method
        self.fields = fields
        self.lines = lines
        self.body = body
        self.timeout = timeout
        self.maxReplyBytes = maxReplyBytes
        self.needsFreshConnection = needsFreshConnection
    }
}

extension AttemptRequest {
    /// Sends the request over a connection of its own, on the caller's thread, and waits for the reply, at most `timeout`. No redirect is
    /// followed.
    ///
    /// - Throws: `CurlError` if no whole reply came, or one too large. Any status is a reply.
    package func perform() throws(CurlError) -> CurlReply {
        guard CurlLibrary.isReady else { throw .driverFault }
        guard let transfer = CurlTransfer() else { throw .outOfMemory }
        defer { transfer.clear() }
        let start = CurlClock.now
        let deadline = CurlClock.after(start, timeout)
        var list: CurlAddresses?
        if let name = OriginName(endpoint) {
            let nameDeadline = min(deadline, CurlClock.after(start, endpoint.connectTimeout))
            list = try CurlAddresses(name, try NameLookups.shared.addresses(of: name.name, until: nameDeadline))
        }
        let now = CurlClock.now
        try transfer.prepare(self, id: 0, slot: 0, deadline: deadline)
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
