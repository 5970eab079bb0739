internal import CCurl

extension CurlTransfer {
    /// Sets the callbacks, once: they stay from attempt to attempt.
    func setCallbacks() throws(CurlError) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        try handle.check(unsafe ccurl_set_sink(easy, CURLOPT_WRITEFUNCTION, curlBrought))
        try unsafe handle.set(CURLOPT_WRITEDATA, pointer: me)
        try handle.check(unsafe ccurl_set_sink(easy, CURLOPT_HEADERFUNCTION, curlBroughtLine))
        try unsafe handle.set(CURLOPT_HEADERDATA, pointer: me)
        try handle.check(unsafe ccurl_set_prerequest(easy, curlIsAboutToSend))
        try unsafe handle.set(CURLOPT_PREREQDATA, pointer: me)
        try handle.check(unsafe ccurl_set_progress(easy, curlGoesOn))
        try unsafe handle.set(CURLOPT_XFERINFODATA, pointer: me)
        try handle.check(unsafe ccurl_set_debug(easy, curlSays))
        try unsafe handle.set(CURLOPT_DEBUGDATA, pointer: me)
        try handle.check(unsafe ccurl_set_sockopt(easy, curlOpened))
        try unsafe handle.set(CURLOPT_SOCKOPTDATA, pointer: me)
    }

    /// Sets the options that follow from the place in the pool and from the connection that is wanted.
    func setPlace() throws(CurlError) {
        guard let endpoint = handle.endpoint else { throw .driverFault }
        let version = try Self.version(endpoint, place, mayShare: mayShare)
        try handle.setVersion(version)
        asksForHTTP1 = version == Int(CURL_HTTP_VERSION_1_1)
        // libcurl reports the fate of a stream in its messages only.
        if asksForHTTP1 == isHeard {
            try handle.set(CURLOPT_VERBOSE, to: asksForHTTP1 ? 0 : 1)
            isHeard = !asksForHTTP1
        }
        let isFresh = needsFresh || place == .opener
        if isFresh != self.isFresh {
            try handle.set(CURLOPT_FRESH_CONNECT, to: isFresh ? 1 : 0)
            self.isFresh = isFresh
        }
    }

    private static func version(
        _ endpoint: Endpoint, _ place: OriginPool.Place, mayShare: Bool
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
