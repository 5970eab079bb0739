internal import CCurl
internal import Glibc

/// An easy handle and the options that it keeps from one use to the next.
///
/// `@safe` because: the handle is made, lent to libcurl and freed here alone, and it changes or goes only while it is outside the
/// multi handle.
@safe final class CurlHandle {
    let easy: OpaquePointer

    private(set) var endpoint: Endpoint?
    private var hasBundle = false
    private var version: Int?
    /// libcurl reads it when the handle is used next.
    private var addresses: CurlAddresses?

    /// The `errno` of the last socket that could not be made; 0 if it was made.
    private var socketFault: Int32 = 0
    /// The address families that sockets were made for since `forgetSockets`.
    private var families: Set<Int32> = []
    /// Where libcurl writes what went wrong, a C string.
    private let message: UnsafeMutableBufferPointer<CChar>

    /// Nil if there is no memory.
    init?() {
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = easy
        unsafe message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe message.initialize(repeating: 0)
        do { try setConstants() } catch { return nil }
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe message.deallocate()
    }
}

extension CurlHandle {
    private func setConstants() throws(CurlError) {
        try set(CURLOPT_PROTOCOLS_STR, string: "http,https")
        try set(CURLOPT_FOLLOWLOCATION, to: 0)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, to: 1)
        try set(CURLOPT_PATH_AS_IS, to: 1)
        // libcurl must not use signals. It does not block SIGPIPE then; `CurlLibrary` ignores it.
        try set(CURLOPT_NOSIGNAL, to: 1)
        // A name lookup runs on a thread of its own; with this libcurl does not wait for one that hangs.
        try set(CURLOPT_QUICK_EXIT, to: 1)
        try set(CURLOPT_DNS_CACHE_TIMEOUT, to: ConnectionLife.nameSeconds)
        try setIdleLimit(seconds: ConnectionLife.idleSeconds)
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
        // libcurl resends a request by itself if a reused connection turns out dead; only this option of RTSP prevents it (7.88 to 8.17,
        // `Curl_retry_request`). It still resends a stream that the origin has refused. Where libcurl is built without RTSP,
        // `CurlTransfer.maySend` alone prevents the resend.
        _ = unsafe ccurl_set_long(easy, CURLOPT_RTSP_REQUEST, Int(CURL_RTSPREQ_RECEIVE))
        try unsafe set(CURLOPT_ERRORBUFFER, pointer: message.baseAddress)
        try check(unsafe ccurl_set_opensocket(easy, curlMakesSocket))
        try check(unsafe ccurl_set_closesocket(easy, curlClosesSocket))
        try unsafe set(CURLOPT_OPENSOCKETDATA, pointer: Unmanaged.passUnretained(self).toOpaque())
    }

    /// Sets the options of an endpoint, unless it is that of the last use.
    func setEndpoint(_ endpoint: Endpoint) throws(CurlError) {
        guard endpoint !== self.endpoint else { return }
        // If a call below fails, the next attempt sets all options again.
        self.endpoint = nil
        version = nil
        try set(CURLOPT_URL, string: endpoint.url)
        // An empty string keeps the environment out, for the proxy and for its exceptions.
        try set(CURLOPT_PROXY, string: endpoint.proxy ?? "")
        try set(CURLOPT_NOPROXY, string: "")
        // libcurl (7.88) ignores its timeouts while it reads a proxy's answer to CONNECT; the progress callback checks the deadline.
        try set(CURLOPT_NOPROGRESS, to: endpoint.proxy == nil ? 1 : 0)
        if let bundle = endpoint.caBundle {
            try set(CURLOPT_CAINFO, string: bundle)
            // Otherwise the system's directory of authorities would be trusted too.
            try set(CURLOPT_CAPATH, string: nil)
        } else if hasBundle {
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAINFO, ccurl_version().pointee.cainfo))
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAPATH, ccurl_version().pointee.capath))
        }
        hasBundle = endpoint.caBundle != nil
        // Requests wait for a connection that is being made only where they may share it. For `http://` without prior knowledge a reply
        // would have to come first.
        try set(CURLOPT_PIPEWAIT, to: endpoint.mayBeHTTP2 ? 1 : 0)
        self.endpoint = endpoint
    }

    /// Gives libcurl the addresses of the name that it connects to; without any it looks the name up itself.
    func setAddresses(_ addresses: CurlAddresses?) throws(CurlError) {
        guard addresses !== self.addresses else { return }
        try unsafe set(CURLOPT_RESOLVE, list: addresses?.list)
        self.addresses = addresses
    }

    /// Sets which HTTP is asked for, a `CURL_HTTP_VERSION_…`.
    func setVersion(_ version: Int) throws(CurlError) {
        guard version != self.version else { return }
        try set(CURLOPT_HTTP_VERSION, to: version)
        self.version = version
    }

    /// Sets how long a connection may be idle before it is not used again.
    func setIdleLimit(seconds: Int) throws(CurlError) { try set(CURLOPT_MAXAGE_CONN, to: seconds) }

    /// Sets the time limit for making a connection, in nanoseconds. libcurl rounds to milliseconds and takes 0 for its own default.
    func setConnectTimeout(_ time: Int64) throws(CurlError) {
        try set(CURLOPT_CONNECTTIMEOUT_MS, to: CurlTime.milliseconds(time))
    }
}

// MARK: Failures to connect

extension CurlHandle {
    func forgetSockets() {
        socketFault = 0
        families = []
        unsafe message[0] = 0
    }

    /// What libcurl says of the last failure, in words that name the cause; `nil` if it says nothing. It may name addresses.
    var words: String? {
        // Unsafe only in its pointer: libcurl ends what it writes with a zero, within the size that it demands.
        let text = unsafe String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? nil : CertificateFault.words(text) ?? text
    }

    /// Makes a socket, and keeps the fault, which libcurl would not report. Processes that this one starts do not inherit it.
    func makeSocket(_ family: Int32, _ type: Int32, _ proto: Int32) -> Int32 {
        families.insert(family)
        let result = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), proto)
        socketFault = result < 0 ? errno : 0
        if result >= 0 { endpoint?.sockets.opened(result) }
        return result
    }

    /// A more precise error for a failure to connect than libcurl's code; nil if none is known.
    func connectFault(_ code: CURLcode) -> CurlError? {
        guard code != CURLE_OK else { return nil }
        var status = 0
        if unsafe ccurl_get_long(easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK, (300...999).contains(status) {
            return .proxyRefused(status: Int32(status))
        }
        guard code == CURLE_COULDNT_CONNECT else { return nil }
        var number = Int(socketFault)
        if number == 0 { _ = unsafe ccurl_get_long(easy, CURLINFO_OS_ERRNO, &number) }
        let fault = Int32(truncatingIfNeeded: number)
        // EADDRNOTAVAIL means used-up ports, or a family that this machine has no address of; with two families it proves neither.
        guard CurlError.localFaults[fault] != nil, fault != EADDRNOTAVAIL || families.count < 2 else { return nil }
        return .localFault(fault)
    }
}

/// How long connections and addresses are kept, in seconds.
enum ConnectionLife {
    /// Shorter than the idle limits of origins and load balancers; a minute is common.
    static let idleSeconds = 50
    /// A busy connection is replaced after this time, so that it follows changes of the name's addresses.
    static let seconds = 300
    /// AWS's names change their addresses every minute.
    static let nameSeconds = 30
}

extension Endpoint {
    /// True if its connections speak HTTP/2 by prior knowledge.
    var isClearHTTP2: Bool { !isTLS && http2 == .priorKnowledge }

    /// True if a reply may come over HTTP/2. Otherwise a reply that claims HTTP/2 is refused: libcurl would share its connection.
    var mayBeHTTP2: Bool { isTLS ? http2 != .off : isClearHTTP2 }
}

// MARK: Typed calls

extension CurlHandle {
    func set(_ option: CURLoption, to value: Int) throws(CurlError) {
        try check(unsafe ccurl_set_long(easy, option, value))
    }

    /// - Parameter string: nil for libcurl's default.
    func set(_ option: CURLoption, string: String?) throws(CurlError) {
        // C would end the string at a NUL, and use another URL or path than the one that was checked.
        guard string?.utf8.contains(0) != true else { throw .badURL }
        try check(unsafe ccurl_set_string(easy, option, string))
    }

    func set(_ option: CURLoption, pointer: UnsafeRawPointer?) throws(CurlError) {
        try check(unsafe ccurl_set_pointer(easy, option, pointer))
    }

    func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) throws(CurlError) {
        try check(unsafe ccurl_set_list(easy, option, list))
    }

    func check(_ code: CURLcode) throws(CurlError) {
        guard code == CURLE_OK else { throw CurlError(code) }
    }
}
