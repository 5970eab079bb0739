internal import Primitives
internal import CCurl

/// One slot of the driver, used for one attempt after the other: its easy handle, the memory that libcurl reads and fills
/// meanwhile, or the HTTP/1.1 connection that it goes over.
///
/// `@safe` because: the memory that libcurl uses belongs to the slot, and it is changed or freed only while the transfer is outside the
/// multi handle.
@safe final class CurlTransfer {
    enum Phase {
        /// Free. Next: waiting or running.
        case idle
        /// Prepared, with no place in its pool yet. Next: running or idle.
        case waiting
        /// In the multi handle, or on an HTTP/1.1 connection. Next: waiting, if it has to be launched in another way, or idle.
        case running
    }

    let handle: CurlHandle
    private let memory = CurlMemory()
    private let connections: CurlConnections?

    var phase = Phase.idle
    private var slot: UInt32 = 0
    /// Raised with each use, so that the ticket of an earlier attempt is recognised.
    private(set) var generation: UInt32 = 0
    private(set) var id: UInt64 = 0
    /// The index of the pool that it waits or runs in, and its place there.
    var pool = 0
    var place = OriginPool.Place.usual
    /// When the attempt ends at the latest, on the driver's clock.
    private(set) var deadline: MonotonicInstant = .distantPast
    /// When it ends at the latest if the addresses of its origin's name are not known by then.
    var nameDeadline: MonotonicInstant = .distantFuture

    /// The current values of the handle's options; they stay from attempt to attempt.
    var isFresh: Bool?
    var asksForHTTP1 = false
    /// True if libcurl reports its messages (`CURLOPT_VERBOSE`).
    var isHeard = false
    private var method: HTTPMethod?

    private(set) var request: AttemptRequest?
    /// True if it goes over an `HTTP1Connection`, and not through libcurl's HTTP; below that connection's index, while it has one.
    private(set) var usesHTTP1Connection = false
    var http1Connection: Int?

    /// When the connection must be established, on the driver's clock.
    private var connectDeadline: MonotonicInstant = .distantPast
    /// True if the attempt was ended because libcurl ignored its timeouts.
    private(set) var isOverdue = false

    /// How often the request was about to be sent. From 1 on a byte may have left.
    private(set) var sends = 0
    private(set) var detour: CurlConnections.Detour?
    /// True if libcurl has offered it a lost connection, and may do so again.
    var hasMetLost = false
    /// True if it must not use an existing connection.
    var needsFresh = false
    /// True if it may share a connection, and so ask for HTTP/2.
    var mayShare = true
    /// The sockets that were made for this attempt; all but one of them are closed again.
    private var opened: [Int32] = []
    /// True if there are such sockets. An attempt over an `HTTP1Connection` has none, and asks often.
    private var hasOpened = false
    private var use: ConnectionUse?
    /// True if the handle was set for this attempt, so that what libcurl reports of it is about this attempt.
    private(set) var isLaunched = false
    /// True while libcurl keeps a piece of the body for which there was no room.
    private var isHeldUp = false
    /// Why its connection could not be made, if more is known than libcurl's code.
    var connectFault: CurlError?
    /// What libcurl says of that, if the connection has a handle of its own.
    var connectWords: String?
    var collector = ReplyCollector(maxBodyBytes: 0)

    /// Nil if there is no memory.
    ///
    /// - Parameter connections: those of the driver; nil without one.
    init?(connections: CurlConnections? = nil) {
        guard let handle = CurlHandle() else { return nil }
        self.handle = handle
        self.connections = connections
        do { try setCallbacks() } catch { return nil }
    }

    var easy: OpaquePointer { unsafe handle.easy }

    var ticket: CurlTicket { CurlTicket(slot: slot, generation: generation) }
}

// MARK: One attempt

extension CurlTransfer {
    /// Takes on an attempt.
    ///
    /// - Throws: `badField`. `clear()` must follow.
    func prepare(_ request: AttemptRequest, id: UInt64, slot: Int, deadline: MonotonicInstant) throws(CurlError) {
        generation &+= 1
        self.slot = UInt32(truncatingIfNeeded: slot)
        self.id = id
        self.deadline = deadline
        needsFresh = false
        hasMetLost = false
        nameDeadline = .distantFuture
        let lines = if let lines = request.lines { lines } else { try HeaderLines(request.fields) }
        guard !lines.isFaulty else { throw .badField }
        var request = request
        request.lines = lines
        self.request = request
    }

    private func setMethod(_ method: HTTPMethod, _ bytes: CurlMemory.Request) throws(CurlError) {
        if method != self.method {
            // Nil for the method that follows from the body.
            try handle.set(CURLOPT_CUSTOMREQUEST, string: method == .put ? method.rawValue : nil)
            self.method = method
        }
        guard method != .get else { return try handle.set(CURLOPT_HTTPGET, to: 1) }
        // This makes it a POST. Another method with a body is a POST with another name.
        try unsafe handle.set(CURLOPT_POSTFIELDS, pointer: bytes.body)
        try handle.check(unsafe ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.bodyCount)))
    }

    /// Copies the request into the handle and the slot's memory, with its place and the time that is left. libcurl rounds to
    /// milliseconds and takes 0 for "no limit".
    ///
    /// - Throws: `badURL`, `outOfMemory`, or libcurl's error for an option.
    func setLaunch(now: MonotonicInstant) throws(CurlError) {
        guard let request, let lines = request.lines else { throw .driverFault }
        resetLaunch(for: request, mayBeHTTP2: request.endpoint.mayBeHTTP2)
        let bytes = memory.fill(lines, body: request.body)
        try unsafe handle.set(CURLOPT_PRIVATE, pointer: UnsafeRawPointer(bitPattern: ticket.word))
        try handle.setEndpoint(request.endpoint)
        try unsafe handle.set(CURLOPT_HTTPHEADER, list: bytes.list)
        try setMethod(request.method, bytes)
        try setPlace()
        let left = deadline - now
        // A stream outlives its deadline, which ends with the head. Until then the driver's own check of deadlines holds.
        try handle.set(CURLOPT_TIMEOUT_MS, to: request.streams == nil ? CurlTime.milliseconds(left) : 0)
        try handle.setConnectTimeout(min(left, request.endpoint.connectTimeout))
        isLaunched = true
    }

    /// The reply has begun, and is passed on for as long as it comes.
    func beginsToStream() { deadline = .distantFuture }

    /// True if a piece of the body must wait, because the pipe is full; libcurl keeps it and reads no more then.
    func mustWait() -> Bool {
        isHeldUp = collector.isHeldUp
        return isHeldUp
    }

    /// Goes on if there is room for the piece that has waited.
    ///
    /// - Returns: true if libcurl has something to do.
    func goOnStreaming() -> Bool {
        guard isHeldUp, !collector.isHeldUp else { return false }
        isHeldUp = false
        // It hands the piece over before it returns, and may be held up again.
        _ = unsafe curl_easy_pause(easy, CURLPAUSE_CONT)
        return true
    }

    /// Writes the request as it goes over an `HTTP1Connection`.
    func write(to target: RequestTarget, into bytes: inout [UInt8]) {
        guard let request, let lines = request.lines else { return }
        target.write(request.method, lines, body: request.body, to: &bytes)
    }

    /// The attempt goes over an `HTTP1Connection`.
    func useHTTP1Connection(_ index: Int) {
        resetLaunch(for: request, mayBeHTTP2: false)
        http1Connection = index
        usesHTTP1Connection = true
    }

    /// Lets it use any connection, also if it asked for a fresh one.
    func takesAny() { request?.needsFreshConnection = false }

    private func resetLaunch(for request: AttemptRequest?, mayBeHTTP2: Bool) {
        collector = ReplyCollector(
            maxBodyBytes: request?.maxReplyBytes ?? 0, keeping: request?.endpoint.keptFields ?? .none,
            mayBeHTTP2: mayBeHTTP2, streams: request?.streams)
        isHeldUp = false
        usesHTTP1Connection = false
        sends = 0
        isOverdue = false
        detour = nil
        if hasOpened { opened.removeAll() }
        hasOpened = false
        use = nil
        isLaunched = false
        connectFault = nil
        connectWords = nil
        handle.forgetSockets()
    }

    /// Frees the attempt's memory. The handle must be outside the multi handle.
    func clear() {
        phase = .idle
        request = nil
        resetLaunch(for: nil, mayBeHTTP2: false)
        http1Connection = nil
        memory.shrink()
    }
}

// MARK: Reports of libcurl's

extension CurlTransfer {
    func opened(_ socket: Int32) {
        if !hasOpened, let endpoint = handle.endpoint {
            connectDeadline = min(deadline, MonotonicInstant.now + endpoint.connectTimeout)
        }
        opened.append(socket)
        hasOpened = true
        connections?.begin()
    }

    /// The connection is ready, and the request is sent next.
    ///
    /// - Returns: false if it must not be sent.
    func maySend(over key: CurlConnections.Key) -> Bool {
        // A second time is libcurl's own resend on another connection. The retry policy decides about that.
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
            let version: ReplyCollector.Version? =
                if handle.endpoint?.isClearHTTP2 == true { .http2 } else if asksForHTTP1 { .http1 } else { nil }
            connections?.opened(key, version, among: opened)
        } else {
            detour = connections?.use(key, mayShare: !asksForHTTP1)
            if detour != nil { return false }
        }
        use = ConnectionUse(connection: key, since: MonotonicInstant.now)
        sends = 1
        return true
    }

    /// libcurl has reported on the request's stream, or on all streams of its connection.
    func take(_ notice: HTTP2Notice) {
        switch notice {
        case .stream(let id): use?.stream = id
        case .goAway(let last): if let use { connections?.goAway(use.connection, last: last) }
        case .refused: use?.isRefused = true
        }
    }

    /// Returns true until the deadline, which is checked here because libcurl ignores its timeouts during CONNECT.
    func mayGoOn(now: MonotonicInstant) -> Bool {
        isOverdue = now >= (sends == 0 && hasOpened ? connectDeadline : deadline)
        return !isOverdue
    }

    /// Bytes of the request may leave from now on, over an `HTTP1Connection`.
    func beginsToSend() { sends = 1 }

    /// It has left the multi handle.
    ///
    /// - Returns: true if the version of its connection was not known until now.
    func detached() -> Bool {
        guard let key = use?.connection, let connections else { return false }
        use = nil
        return connections.ended(key, collector.version, now: MonotonicInstant.now)
    }

    /// True if the request has a stream, and so an HTTP/2 connection.
    var hasStream: Bool { use?.stream != nil }

    /// True if the origin has reset the request's stream with REFUSED_STREAM.
    var isRefused: Bool { use?.isRefused ?? false }

    /// True if the origin has ended the connection by a GOAWAY that leaves the request's stream out.
    var isLeftOut: Bool {
        guard let use, let stream = use.stream, let last = connections?.lastStream(use.connection) else { return false }
        return stream > last
    }

    /// Marks the attempt's connection as lost, if its failure shows that.
    func noteLoss(_ error: CurlError) -> CurlConnections.Loss? {
        guard let use, let connections, sends > 0 else { return nil }
        if error.isLostConnection || isLeftOut { return connections.lose(use.connection) }
        // Only this stream has ended, but libcurl gives the connection no more requests.
        if error == .refusedStream { return connections.lose(use.connection)?.withoutCause }
        // Otherwise streams would be opened on a dead connection for as long as the kernel resends.
        guard error.isTimeout, connections.hasBeenSilent(use.connection, since: use.since) else { return nil }
        return connections.lose(use.connection)?.withoutCause
    }
}

private struct ConnectionUse {
    let connection: CurlConnections.Key
    let since: MonotonicInstant
    /// The request's stream, once libcurl has told it.
    var stream: UInt32?
    /// True if the origin has reset it with REFUSED_STREAM.
    var isRefused = false
}

// MARK: Options

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
