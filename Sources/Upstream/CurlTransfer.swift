internal import CCurl

/// One slot of the driver: an easy handle that is used for one attempt after the other, and the memory that libcurl
/// reads and fills meanwhile.
///
/// `@safe` because: handle, list and body are allocated, lent to libcurl and freed here alone, and they change or go
/// only while the transfer is outside the multi handle.
@safe final class CurlTransfer {
    enum Phase {
        /// Free. Next: waiting or running.
        case idle
        /// Prepared, with no place in its lane yet. Next: running or idle.
        case waiting
        /// In the multi handle. Next: idle.
        case running
    }

    let easy: OpaquePointer
    private var list: UnsafeMutablePointer<curl_slist>?
    private var body: UnsafeMutablePointer<UInt8>
    private var bodyCapacity: Int

    var phase = Phase.idle
    /// Its index among the driver's slots.
    private var slot: UInt32 = 0
    /// Raised with each use, so that a ticket of an earlier attempt is told apart.
    private(set) var generation: UInt32 = 0
    private(set) var id: UInt64 = 0
    /// The lane it waits or runs in, an index.
    var lane = 0
    /// When the attempt is given up, on the driver's clock.
    private(set) var deadline: Int64 = 0
    private var connectTimeout: Int64 = 0
    /// Whether its connection can serve others too, if it turns out to speak HTTP/2.
    private(set) var canShare = false

    /// How often libcurl was ready to send the request. From 1 on a byte may have left.
    var sends = 0
    var collector = CurlReplyCollector(maxBodyBytes: 0)

    /// Nil if there is no memory.
    init?() {
        guard let easy = unsafe curl_easy_init() else { return nil }
        unsafe self.easy = easy
        bodyCapacity = 1024
        unsafe body = .allocate(capacity: bodyCapacity)
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(list)
        unsafe body.deallocate()
    }

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
        connectTimeout = request.endpoint.connectTimeout
        canShare = request.endpoint.keepsConnections
        sends = 0
        collector = CurlReplyCollector(maxBodyBytes: request.maxReplyBytes)
        unsafe list = try CurlFields.list(request.fields)
        keep(request.body)
        // Forgets every option of the attempt before; connections stay, they are the multi handle's.
        unsafe curl_easy_reset(easy)
        try setConstants()
        try setEndpoint(request.endpoint)
        try unsafe set(CURLOPT_HTTPHEADER, list: list)
        try setMethod(request)
    }

    private func setMethod(_ request: AttemptRequest) throws(CurlError) {
        guard request.method != .get else { return try set(CURLOPT_HTTPGET, to: 1) }
        // This makes it a POST; another method with a body is one under another name.
        try unsafe set(CURLOPT_POSTFIELDS, pointer: body)
        try set(CURLOPT_POSTFIELDSIZE_LARGE, offset: request.body.count)
        if request.method != .post { try set(CURLOPT_CUSTOMREQUEST, string: request.method.rawValue) }
    }

    /// Sets what is left of the attempt's time. libcurl rounds to milliseconds and takes 0 for "no limit".
    func setTime(now: Int64) throws(CurlError) {
        let left = deadline - now
        try set(CURLOPT_TIMEOUT_MS, to: CurlClock.milliseconds(left))
        try set(CURLOPT_CONNECTTIMEOUT_MS, to: CurlClock.milliseconds(min(left, connectTimeout)))
    }

    /// Lets go of the attempt's memory. The handle must be outside the multi handle.
    func clear() {
        phase = .idle
        unsafe curl_slist_free_all(list)
        unsafe list = nil
        collector = CurlReplyCollector(maxBodyBytes: 0)
        if bodyCapacity > 16 * 1024 { resizeBody(1024) }
    }

    private func keep(_ bytes: [UInt8]) {
        if bytes.count > bodyCapacity { resizeBody(bytes.count) }
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe body.update(from: start, count: source.count)
        }
    }

    private func resizeBody(_ capacity: Int) {
        unsafe body.deallocate()
        unsafe body = .allocate(capacity: capacity)
        bodyCapacity = capacity
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
        guard code == CURLE_OK else { return .failure(CurlError(code, mayHaveSent: sends > 0)) }
        // To libcurl a head that ends with the connection is a reply.
        guard collector.hasHead else { return .failure(.cutShort) }
        var status = 0
        _ = unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        guard let reply = collector.reply(status: status) else { return .failure(.badReply) }
        return .success(reply)
    }

    /// From being taken up to the first byte of the reply, in nanoseconds; 0 if none came.
    var timeToFirstByte: Int64 {
        var microseconds: curl_off_t = 0
        _ = unsafe ccurl_get_offset(easy, CURLINFO_STARTTRANSFER_TIME_T, &microseconds)
        return Int64(microseconds) * 1000
    }
}
