internal import Gateway
internal import HTTPFront

/// The checks of requests that need neither key nor token.
///
/// A request from this machine may come from a web page: a browser sends to loopback whatever a page makes it send, and a page
/// can point its own name there (DNS rebinding). So `Host` must be a name of the listener, and the browser's own fields must not
/// name a page as the cause. Each event loop has its own value.
struct UnidentifiedRequests {
    private let hosts: OwnHosts
    /// The last `Host` that was accepted: most requests have the same.
    private var lastHost: [UInt8] = []
    /// Longer names are rare.
    private static let keptHostBytes = 256

    init(_ hosts: OwnHosts) { self.hosts = hosts }

    /// - Parameter anyHost: true if `Host` is checked elsewhere.
    /// - Throws: the answer to a request that a web page may have caused.
    mutating func check(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, anyHost: Bool = false
    ) throws(GatewayError) {
        if head.hasAny(.origin, .secFetchSite) {
            // Fetch Metadata, section 2.4 (https://www.w3.org/TR/fetch-metadata/).
            let isCrossSite = head[.secFetchSite].map { bytes.isText("cross-site", at: $0) } ?? false
            guard head[.origin] == nil, !isCrossSite else { throw .causedByPage }
        }
        if anyHost { return }
        guard let host = head[.host] else { throw .foreignHost }
        if !lastHost.isEmpty, bytes.holds(lastHost, at: host) { return }
        guard hosts.contains(bytes, host) else {
            guard OwnHosts.isAddress(head.peer.local, bytes, host) else { throw .foreignHost }
            return
        }
        if host.count <= Self.keptHostBytes { lastHost = host.map { bytes[$0] } }
    }
}

extension RequestHead {
    /// Returns true if a proxy says that it forwards the request (RFC 7239, and the fields before it). The client is another machine's then,
    /// whoever the peer is: behind a trusted proxy on this machine there may be one more, which the PROXY protocol tells as the client.
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
        front(403, "AccessDeniedException", message, .denied, detail: detail)
    }
}
