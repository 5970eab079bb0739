internal import CCurl

/// One slot of the driver: an easy handle that is used for one attempt after the other, and the memory that libcurl
/// reads and fills meanwhile.
///
/// `@safe` because: the handle is made, lent to libcurl and freed here alone, and it changes or goes only while the transfer
/// is outside the multi handle.
@safe final class CurlTransfer {
    enum Phase {
        /// Free. Next: waiting or running.
        case idle
        /// Prepared, with no place in its lane yet. Next: running or idle.
        case waiting
        /// In the multi handle. Next: waiting, if it has to be launched in another way, or idle.
        case running
    }

    /// Why a connection was not the right one, before anything was sent over it.
    enum Detour {
        /// Bytes have come over it that nobody had asked for.
        case dirty
        /// Others use it, and it cannot be shared.
        case occupied
        /// Others use it, and it is not known whether it can be shared.
        case unproven(CurlConnections.Key)
        /// It is a new one, where one had to be joined.
        case nothingToJoin
    }

    let easy: OpaquePointer
    private let memory = CurlMemory()
    private let connections: CurlConnections?

    var phase = Phase.idle
    /// Its index among the driver's slots.
    private var slot: UInt32 = 0
    /// Raised with each use, so that a ticket of an earlier attempt is told apart.
    private(set) var generation: UInt32 = 0
    private(set) var id: UInt64 = 0
    /// The lane it waits or runs in, an index, and its place there.
    var lane = 0
    var place = CurlLane.Place.usual
    /// When the attempt is given up, on the driver's clock.
    private(set) var deadline: Int64 = 0

    /// What the handle's options are set for; they stay from attempt to attempt.
    var endpoint: Endpoint?
    var hasBundle = false
    var version: Int?
    var isFresh: Bool?
    private var method: HTTPMethod?

    /// How often libcurl was ready to send the request. From 1 on a byte may have left.
    private(set) var sends = 0
    private(set) var detour: Detour?
    /// Whether it must not use a connection that is there.
    var needsFresh = false
    /// Whether it may use a connection at the same time as others, and so ask for HTTP/2.
    var mayShare = true
    /// Made for this attempt; all but one of them are closed again.
    private var opened: [Int32] = []
    /// The connection that it uses.
    private var connection: CurlConnections.Key?
    var collector = CurlReplyCollector(maxBodyBytes: 0)

    /// Nil if there is no memory.
    ///
    /// - Parameter connections: those of the driver, if there is one.
    init?(connections: CurlConnections? = nil) {
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = easy
        self.connections = connections
        do { try setConstants() } catch { return nil }
    }

    deinit { unsafe curl_easy_cleanup(easy) }

    var ticket: CurlTicket { CurlTicket(slot: slot, generation: generation) }
}

// MARK: One attempt

extension CurlTransfer {
    /// Takes on an attempt: copies the request into the handle and into memory of its own.
    ///
    /// - Throws: `badField`, `badURL`, `outOfMemory`, or what libcurl says of an option. `clear()` must follow.
    func prepare(
        _ request: AttemptRequest, id: UInt64, slot: Int, deadline: Int64
    ) throws(CurlError) {
        generation &+= 1
        self.slot = UInt32(truncatingIfNeeded: slot)
        self.id = id
        self.deadline = deadline
        needsFresh = false
        forgetLaunch()
        collector = CurlReplyCollector(
            maxBodyBytes: request.maxReplyBytes, mayBeHTTP2: request.endpoint.mayBeHTTP2)
        let lines = if let lines = request.lines { lines } else { try HeaderLines(request.fields) }
        guard !lines.isFaulty else { throw .badField }
        let bytes = memory.fill(lines, body: request.body)
        try unsafe set(CURLOPT_PRIVATE, pointer: UnsafeRawPointer(bitPattern: ticket.word))
        try setEndpoint(request.endpoint)
        try unsafe set(CURLOPT_HTTPHEADER, list: bytes.list)
        try setMethod(request.method, bytes)
    }

    private func setMethod(_ method: HTTPMethod, _ bytes: CurlMemory.Request) throws(CurlError) {
        if method != self.method {
            try setCustomMethod(method == .put ? method.rawValue : nil)
            self.method = method
        }
        guard method != .get else { return try set(CURLOPT_HTTPGET, to: 1) }
        // This makes it a POST; another method with a body is one under another name.
        try unsafe set(CURLOPT_POSTFIELDS, pointer: bytes.body)
        try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: bytes.bodyCount)
    }

    /// Sets what may be another at each launch: its place, and what is left of the attempt's time. libcurl rounds to
    /// milliseconds and takes 0 for "no limit".
    func setLaunch(now: Int64) throws(CurlError) {
        forgetLaunch()
        try setPlace()
        let left = deadline - now
        try set(CURLOPT_TIMEOUT_MS, to: CurlClock.milliseconds(left))
        try set(CURLOPT_CONNECTTIMEOUT_MS, to: CurlClock.milliseconds(min(left, endpoint?.connectTimeout ?? left)))
    }

    /// Nothing of an earlier launch is to tell of this attempt.
    private func forgetLaunch() {
        sends = 0
        detour = nil
        opened.removeAll(keepingCapacity: true)
        connection = nil
    }

    /// Lets go of the attempt's memory. The handle must be outside the multi handle.
    func clear() {
        phase = .idle
        collector = CurlReplyCollector(maxBodyBytes: 0)
        memory.shrink()
    }
}

// MARK: What libcurl tells meanwhile

extension CurlTransfer {
    /// A socket has been made for the attempt.
    func opened(_ socket: Int32) {
        opened.append(socket)
        connections?.begin()
    }

    /// The connection is ready, the request goes out next.
    ///
    /// - Returns: whether it may.
    func maySend(over key: CurlConnections.Key) -> Bool {
        // A second time is libcurl's own resend on another connection, which is not its to decide.
        guard sends == 0 else {
            sends += 1
            return false
        }
        var made = 0
        _ = unsafe ccurl_get_long(easy, CURLINFO_NUM_CONNECTS, &made)
        if made > 0 {
            if place == .joiner {
                detour = .nothingToJoin
                return false
            }
            let version: CurlConnections.Version =
                if endpoint?.isClearHTTP2 == true { .http2 } else if asksForHTTP1 { .http1 } else { .unknown }
            connections?.opened(key, version, among: opened)
        } else {
            switch connections?.use(key, mayShare: !asksForHTTP1) {
            case .dirty: detour = .dirty
            case .occupied: detour = .occupied
            case .unproven: detour = .unproven(key)
            case .allowed, nil: break
            }
            if detour != nil { return false }
        }
        connection = key
        sends = 1
        return true
    }

    private var asksForHTTP1: Bool { version == Int(CURL_HTTP_VERSION_1_1) }

    /// It has left the multi handle.
    ///
    /// - Returns: whether its connection was unproven until now.
    func landed() -> Bool {
        guard let key = connection, let connections else { return false }
        connection = nil
        return connections.ended(key, isHTTP2: collector.version.map { $0 == .http2 })
    }
}

// MARK: Its result

extension CurlTransfer {
    /// What came of the attempt, libcurl having ended it with `code`.
    func result(_ code: CURLcode) -> Result<CurlReply, CurlError> {
        // Our own reason first: libcurl only knows that a callback wanted no more.
        if let fault = collector.fault { return .failure(fault) }
        if code == CURLE_ABORTED_BY_CALLBACK, sends > 1 { return .failure(.silentResend) }
        // libcurl reads a line of at most 100 KiB, and reports a longer one as lack of memory.
        if code == CURLE_OUT_OF_MEMORY, sends > 0, !collector.hasHead { return .failure(.headTooLarge) }
        // It takes what begins with no status line for a reply of HTTP/0.9.
        if code == CURLE_UNSUPPORTED_PROTOCOL, sends > 0 { return .failure(.badReply) }
        guard code == CURLE_OK else { return .failure(CurlError(code, mayHaveSent: sends > 0)) }
        // To libcurl a head that ends with the connection is a reply.
        guard collector.hasHead else { return .failure(.cutShort) }
        var status = 0
        _ = unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        guard let reply = collector.reply(status: status) else { return .failure(.badReply) }
        return .success(reply)
    }
}
