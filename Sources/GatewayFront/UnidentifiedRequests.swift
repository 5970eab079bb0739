internal import AWSProtocol
internal import Gateway
internal import HTTPFront

/// What is asked of requests where neither key nor token is asked for.
///
/// To come from this machine says nothing of who asks: a browser sends what any page has it send, to loopback too, and a page may
/// point its own name there (DNS rebinding). So `Host` must be a name that the listener is known to have, and no browser may say
/// that a page is the cause. Each event loop has its own.
struct UnidentifiedRequests {
    private let hosts: OwnHosts
    /// The last `Host` that was one of them: most requests have the same.
    private var lastHost: [UInt8] = []
    /// Longer names are rare.
    private static let keptHostBytes = 256

    init(_ hosts: OwnHosts) { self.hosts = hosts }

    /// - Parameter anyHost: whether something else looks at `Host`.
    /// - Throws: the answer to a request that a web page may have caused.
    mutating func check(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, anyHost: Bool = false
    ) throws(GatewayError) {
        if head.hasAny(.origin, .secFetchSite) {
            guard head[.origin] == nil, !Self.isCrossSite(head, bytes) else { throw .causedByPage }
        }
        if anyHost { return }
        guard let host = head[.host] else { throw .foreignHost }
        if !lastHost.isEmpty, bytes.holds(lastHost, at: host) { return }
        guard hosts.contains(bytes, host) else { throw .foreignHost }
        if host.count <= Self.keptHostBytes { lastHost = host.map { bytes[$0] } }
    }

    /// Fetch Metadata, section 2.4 (https://www.w3.org/TR/fetch-metadata/).
    private static func isCrossSite(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let site = head[.secFetchSite] else { return false }
        return bytes.isText("cross-site", at: site)
    }
}

extension RequestHead {
    /// Whether a proxy says that it passes the request on for another (RFC 7239, and the fields before it): then the address of
    /// the connection is the proxy's.
    var isForwarded: Bool { hasAny(.xForwardedFor, .forwarded, .xRealIP) }
}

extension GatewayError {
    static let causedByPage = refused(
        "This request was caused by a web page (Origin, Sec-Fetch-Site), and asks for what needs neither key nor token here.",
        detail: "cross-site")

    static let foreignHost = refused(
        "Where neither key nor token is asked for, Host must name this listener: loopback, its own address, or one of "
            + "'listen.hosts'.",
        detail: "foreign-host")

    static let forwarded = refused(
        "Without a token this listener serves its own machine alone, and this request was passed on for another.",
        detail: "forwarded")

    private static func refused(_ message: String, detail: String) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 403, namespace: ServiceError.commonNamespace, code: "AccessDeniedException", message: message),
            outcome: .denied, detail: detail)
    }
}
