internal import CCurl

/// The methods that are sent.
public enum HTTPMethod: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
}

/// One HTTP/1.1 request and its reply, over a connection of its own, on the caller's thread.
///
/// Only `http` and `https`; no redirect is followed, no proxy used, and the environment is ignored. Descriptions show neither fields
/// nor body.
public struct HTTPExchange: Sendable {
    public var method: HTTPMethod
    /// Without user and password.
    public var url: String
    /// Sent as they are; `Content-Length`, and `Host` unless it is here, are added.
    public var fields: [(name: String, value: String)]
    /// Not sent with GET.
    public var body: [UInt8]
    /// Nanoseconds for name lookup, connection and TLS handshake.
    public var connectTimeout: Int64
    /// Nanoseconds for the whole exchange.
    public var timeout: Int64
    /// A reply with a longer body is a fault.
    public var maxReplyBytes: Int
    /// Path of a PEM file with the authorities to trust instead of the system's.
    public var caBundle: String?
    /// The names of the fields that the reply keeps, in lower case.
    public var keptFields: [String]

    public init(
        _ method: HTTPMethod, _ url: String, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
        connectTimeout: Int64, timeout: Int64, maxReplyBytes: Int = 64 * 1024, caBundle: String? = nil,
        keptFields: [String] = []
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.connectTimeout = connectTimeout
        self.timeout = timeout
        self.maxReplyBytes = maxReplyBytes
        self.caBundle = caBundle
        self.keptFields = keptFields
    }

    /// Sends the request and waits for the reply, at most `timeout`.
    ///
    /// - Throws: `HTTPExchangeError` if no whole reply came, or one too large. Any status is a reply.
    public func perform() throws(HTTPExchangeError) -> HTTPReply {
        do throws(CurlError) {
            return try send()
        } catch {
            throw HTTPExchangeError(error)
        }
    }

    private func send() throws(CurlError) -> HTTPReply {
        guard CurlLibrary.isReady else { throw .driverFault }
        guard let transfer = CurlTransfer() else { throw .outOfMemory }
        defer { transfer.clear() }
        let endpoint = Endpoint(
            url: url, http2: .off, caBundle: caBundle, proxy: nil, maxConnections: 1, connectTimeout: connectTimeout,
            keptFields: KeptFields(keptFields))
        let request = AttemptRequest(
            endpoint: endpoint, method: method, fields: fields, body: method == .get ? [] : body, timeout: timeout,
            maxReplyBytes: maxReplyBytes)
        let start = CurlClock.now
        let deadline = CurlClock.after(start, timeout)
        var list: CurlAddresses?
        if let name = OriginName(endpoint) {
            let nameDeadline = min(deadline, CurlClock.after(start, connectTimeout))
            list = try CurlAddresses(name, try NameLookups.shared.addresses(of: name.name, until: nameDeadline))
        }
        let now = CurlClock.now
        try transfer.prepare(request, id: 0, slot: 0, deadline: deadline)
        try transfer.handle.setAddresses(list)
        try transfer.setLaunch(now: now)
        let reply = try transfer.result(unsafe curl_easy_perform(transfer.easy)).get()
        return HTTPReply(status: reply.status, fields: reply.fields.map { ($0.name, $0.value) }, body: reply.body)
    }
}

/// A whole reply.
public struct HTTPReply: Sendable {
    /// 200…599.
    public let status: Int
    /// Those of the exchange's `keptFields`, in the order of their coming, names in lower case.
    public let fields: [(name: String, value: String)]
    public let body: [UInt8]
}

/// Why an exchange brought no reply.
public struct HTTPExchangeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of fault, as far as it matters for another try.
    public enum Kind: Sendable {
        /// No byte was sent: name lookup, connecting or the TLS handshake failed.
        case connect
        /// The time ran out.
        case timeout
        /// The request cannot be sent.
        case request
        /// The reply was cut short, is not well-formed, or too large.
        case reply
    }

    public let kind: Kind
    /// A short English phrase without addresses or secrets.
    public let description: String

    init(_ error: CurlError) {
        kind =
            if error.isTimeout { .timeout } else if error.isConnectFailure { .connect } else if error.mayHaveSent {
                .reply
            } else { .request }
        description = "\(error)"
    }
}

extension HTTPExchange: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(method.rawValue) request" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["method": method]) }
}

extension HTTPReply: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "reply \(status)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["status": status]) }
}
