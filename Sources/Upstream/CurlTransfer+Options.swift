internal import CCurl

extension CurlTransfer {
    /// What holds for every attempt; set once, and options stay.
    func setConstants() throws(CurlError) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try check(unsafe ccurl_set_sink(easy, CURLOPT_WRITEFUNCTION, curlBrought))
        try unsafe set(CURLOPT_WRITEDATA, pointer: me)
        try check(unsafe ccurl_set_sink(easy, CURLOPT_HEADERFUNCTION, curlBroughtLine))
        try unsafe set(CURLOPT_HEADERDATA, pointer: me)
        try check(unsafe ccurl_set_prerequest(easy, curlIsAboutToSend))
        try unsafe set(CURLOPT_PREREQDATA, pointer: me)
        try check(unsafe ccurl_set_sockopt(easy, curlOpened))
        try unsafe set(CURLOPT_SOCKOPTDATA, pointer: me)

        try set(CURLOPT_PROTOCOLS_STR, string: "http,https")
        try set(CURLOPT_FOLLOWLOCATION, to: 0)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, to: 1)
        try set(CURLOPT_PATH_AS_IS, to: 1)
        // Signals belong to the process; without them libcurl leaves SIGPIPE alone too, and `CurlLibrary` ignores it.
        try set(CURLOPT_NOSIGNAL, to: 1)
        // A name lookup runs in a thread of its own; this leaves a hung one behind instead of waiting for it.
        try set(CURLOPT_QUICK_EXIT, to: 1)
        try set(CURLOPT_DNS_CACHE_TIMEOUT, to: ConnectionLife.nameSeconds)
        try set(CURLOPT_MAXAGE_CONN, to: ConnectionLife.idleSeconds)
        try set(CURLOPT_MAXLIFETIME_CONN, to: ConnectionLife.seconds)
        // Both families, and the second one soon after the first (RFC 8305, "Happy Eyeballs").
        try set(CURLOPT_IPRESOLVE, to: Int(CURL_IPRESOLVE_WHATEVER))
        try set(CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, to: 200)
        try set(CURLOPT_TCP_NODELAY, to: 1)
        try set(CURLOPT_TCP_KEEPALIVE, to: 1)
        // A proxy's answer to CONNECT is not the origin's reply.
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, to: 1)
        try set(CURLOPT_SSL_VERIFYPEER, to: 1)
        try set(CURLOPT_SSL_VERIFYHOST, to: 2)
        try set(CURLOPT_SSLVERSION, to: Int(CURL_SSLVERSION_TLSv1_2))
    }

    func setEndpoint(_ endpoint: Endpoint) throws(CurlError) {
        guard endpoint != self.endpoint else { return }
        // Whatever fails from here on, the next attempt sets everything again.
        self.endpoint = nil
        version = nil
        try set(CURLOPT_URL, string: endpoint.url)
        // An empty string keeps the environment out, for the proxy and for its exceptions.
        try set(CURLOPT_PROXY, string: endpoint.proxy ?? "")
        try set(CURLOPT_NOPROXY, string: "")
        if let bundle = endpoint.caBundle {
            try set(CURLOPT_CAINFO, string: bundle)
            // Else the system's directory of authorities would be trusted besides the bundle.
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAPATH, nil))
        } else if hasBundle {
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAINFO, ccurl_version().pointee.cainfo))
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAPATH, ccurl_version().pointee.capath))
        }
        hasBundle = endpoint.caBundle != nil
        try set(CURLOPT_PIPEWAIT, to: endpoint.isSharedEarly ? 1 : 0)
        self.endpoint = endpoint
    }

    /// Sets what the place in the lane and the connection that is wanted ask for.
    func setPlace() throws(CurlError) {
        guard let endpoint else { throw .driverFault }
        let version = try Self.version(endpoint, place, mayShare: mayShare)
        if version != self.version {
            try set(CURLOPT_HTTP_VERSION, to: version)
            self.version = version
        }
        let isFresh = needsFresh || place == .opener
        if isFresh != self.isFresh {
            try set(CURLOPT_FRESH_CONNECT, to: isFresh ? 1 : 0)
            self.isFresh = isFresh
        }
    }

    private static func version(
        _ endpoint: Endpoint, _ place: CurlLane.Place, mayShare: Bool
    ) throws(CurlError) -> Int {
        switch endpoint.http2 {
        case .priorKnowledge:
            guard CurlLibrary.hasSoundHTTP2 else { throw CurlError(CURLE_NOT_BUILT_IN) }
            // Over plain TCP this means: HTTP/2 on a connection that speaks it, and else HTTP/1.1, which `maySend` prevents.
            return Int(place == .joiner ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE)
        case .auto:
            let asks = CurlLibrary.hasSoundHTTP2 && endpoint.isTLS && mayShare
            return Int(asks ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1)
        case .off: return Int(CURL_HTTP_VERSION_1_1)
        }
    }
}

/// How long what belongs to connections is kept, in seconds.
enum ConnectionLife {
    /// Below what origins and the routers before them wait; a minute is common.
    static let idleSeconds = 50
    /// A busy connection is replaced now and then, or a change of the name's addresses would never be seen.
    static let seconds = 300
    /// AWS's names change their addresses every minute.
    static let nameSeconds = 30
}

extension Endpoint {
    var isTLS: Bool { url.prefix(6).lowercased() == "https:" }

    /// Whether its connections speak HTTP/2 without any agreement.
    var isClearHTTP2: Bool { !isTLS && http2 == .priorKnowledge }

    /// Whether a reply may come over HTTP/2. To an origin that only says so libcurl would send requests side by side.
    var mayBeHTTP2: Bool { isTLS ? http2 != .off : isClearHTTP2 }

    /// Whether it is known before the first reply that requests can share a connection, so that it pays to wait for one
    /// that is being made. For `http://` without prior knowledge only a reply would tell, and all attempts would wait
    /// for it.
    var isSharedEarly: Bool { mayBeHTTP2 }
}

// MARK: Typed calls

extension CurlTransfer {
    func set(_ option: CURLoption, to value: Int) throws(CurlError) {
        try check(unsafe ccurl_set_long(easy, option, value))
    }

    func set(_ option: CURLoption, offset: Int) throws(CurlError) {
        try check(unsafe ccurl_set_offset(easy, option, curl_off_t(offset)))
    }

    func set(_ option: CURLoption, string: String) throws(CurlError) {
        // C would end the string there, and another URL or path would be meant than the one that was checked.
        guard !string.utf8.contains(0) else { throw .badURL }
        try check(unsafe ccurl_set_string(easy, option, string))
    }

    /// - Parameter name: nothing for the one that follows from the body.
    func setCustomMethod(_ name: String?) throws(CurlError) {
        guard let name else { return try check(unsafe ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, nil)) }
        try set(CURLOPT_CUSTOMREQUEST, string: name)
    }

    func set(_ option: CURLoption, pointer: UnsafeRawPointer?) throws(CurlError) {
        try check(unsafe ccurl_set_pointer(easy, option, pointer))
    }

    func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) throws(CurlError) {
        try check(unsafe ccurl_set_list(easy, option, list))
    }

    private func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code) }
    }
}
