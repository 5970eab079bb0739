internal import Primitives
internal import CCurl
internal import Glibc

/// A connection that libcurl has made, and over which HTTP/1.1 is spoken here.
///
/// libcurl connects, through a proxy if there is one, and makes the TLS handshake (`CURLOPT_CONNECT_ONLY`). Its easy handle stays in
/// the multi handle, and tied to the connection, until that is closed. Requests and replies do not go through libcurl's HTTP, which
/// takes several times as long: it formats requests byte by byte, and stores all fields of replies.
///
/// `@safe` because: the pointers that libcurl gets are to memory that outlives the call.
@safe final class HTTP1Connection {
    enum Phase {
        /// There is no connection. Next: connecting.
        case closed
        /// libcurl makes it. Next: busy, or closed.
        case connecting
        /// A request is sent and its reply read. Next: idle, or closed.
        case busy
        /// No attempt uses it, and no byte may come over it. Next: busy, or closed.
        case idle
    }

    /// The state of a request.
    enum Progress {
        /// It goes on when the socket is ready.
        case more
        /// It has ended: `CURLE_OK` with a whole reply, or why there is none.
        case over(CURLcode)
    }

    let handle: CurlHandle
    let index: Int
    private(set) var phase = Phase.closed
    /// Raised with each connection.
    private(set) var generation: UInt32 = 0
    private(set) var pool = 0
    /// The attempt that uses it, or waits for it to be made.
    private(set) var user: CurlTransfer?
    private(set) var socket: curl_socket_t = CURL_SOCKET_BAD
    /// On the driver's clock.
    private var madeAt: MonotonicInstant = .distantPast
    private(set) var idleSince: MonotonicInstant = .distantPast

    /// When it must be established; below true if it was not by then.
    private var connectDeadline: MonotonicInstant = .distantPast
    private(set) var isOverdue = false

    private var isTLS = false
    private var output: [UInt8] = []
    /// How many bytes of the output have left.
    private var sent = 0
    /// True while bytes of the output wait for the socket. If sending fails none does: only a reply that has come already can be read.
    private var isSending = false
    /// True if the whole request has left.
    private var isSent = false
    /// True if the output has taken so much memory that it is not kept.
    private var isLarge = false
    /// True if the last reply is whole, and another request may follow it.
    private(set) var isReusable = false
    private var reader = ReplyReader()
    /// True if there may be more to read though `poll` does not report it.
    private(set) var hasMore = false

    init?(index: Int) {
        guard let handle = CurlHandle() else { return nil }
        self.handle = handle
        self.index = index
        do {
            try handle.set(CURLOPT_CONNECT_ONLY, to: 1)
            // libcurl reads at most this much at a time. Less than a TLS record (16 KiB) would leave bytes in libcurl's buffer, which
            // `poll` does not report.
            try handle.set(CURLOPT_BUFFERSIZE, to: CurlDriver.scratchSize)
            try handle.check(unsafe ccurl_set_progress(handle.easy, curlGoesOnConnecting))
            try unsafe handle.set(CURLOPT_XFERINFODATA, pointer: Unmanaged.passUnretained(self).toOpaque())
        } catch { return nil }
    }

    /// Set in the tickets of connections, and not in those of slots.
    static let mark: UInt32 = 1 << 31

    var ticket: CurlTicket { CurlTicket(slot: UInt32(truncatingIfNeeded: index) | Self.mark, generation: generation) }

    /// True while the reply's reader must take some of it before more is read: not even the socket's end is looked for then. What is left
    /// in libcurl's buffers or the kernel's waits there, and so does the origin.
    var isHeldUp: Bool { user?.collector.isHeldUp ?? false }

    /// The events that the socket is polled for.
    var awaited: Int32 { isSending ? POLLIN | POLLOUT : POLLIN }
}

// MARK: Its connection

extension HTTP1Connection {
    /// Sets the handle for a new connection; it must be added to the multi handle next.
    func prepare(_ endpoint: Endpoint, pool: Int, for user: CurlTransfer, now: MonotonicInstant) throws(CurlError) {
        generation &+= 1
        self.pool = pool
        try unsafe handle.set(CURLOPT_PRIVATE, pointer: UnsafeRawPointer(bitPattern: ticket.word))
        try handle.setEndpoint(endpoint)
        try handle.setVersion(Int(CURL_HTTP_VERSION_1_1))
        let connectTime = min(user.deadline - now, endpoint.connectTimeout)
        connectDeadline = now + connectTime
        isOverdue = false
        try handle.setConnectTimeout(connectTime)
        isTLS = endpoint.isTLS
        handle.forgetSockets()
        self.user = user
        phase = .connecting
    }

    /// Returns true until the deadline, which is checked here because libcurl ignores its timeouts during CONNECT.
    func mayGoOn(now: MonotonicInstant) -> Bool {
        isOverdue = phase == .connecting && now >= connectDeadline
        return !isOverdue
    }

    /// libcurl has made the connection.
    ///
    /// - Returns: `CURLE_OK`, or why it cannot be used.
    func connected(now: MonotonicInstant) -> CURLcode {
        // A local variable: if the property were passed, each of its other uses would be checked for exclusivity.
        var socket = CURL_SOCKET_BAD
        guard unsafe ccurl_get_socket(handle.easy, &socket) == CURLE_OK, socket != CURL_SOCKET_BAD else {
            return CURLE_COULDNT_CONNECT
        }
        self.socket = socket
        // Bytes before the first request belong to no reply. (Over TLS they are session tickets.) The call also ties the connection to
        // the handle again: libcurl unties it once it is made, and closes untied connections that are old or seem dead when it makes
        // another, though their sockets are in use here.
        var byte: UInt8 = 0
        var count = 0
        guard isTLS || (unsafe curl_easy_recv(handle.easy, &byte, 1, &count)) == CURLE_AGAIN else {
            return CURLE_WEIRD_SERVER_REPLY
        }
        madeAt = now
        phase = .busy
        return CURLE_OK
    }

    /// The connection is closed; the handle is outside the multi handle.
    func forget() {
        phase = .closed
        socket = CURL_SOCKET_BAD
        user = nil
        shrink()
    }

    /// Drops the request that was sent.
    private func shrink() {
        if isLarge { output = [] }
        isLarge = false
        isSending = false
        isReusable = false
    }

    /// No attempt uses it from now on.
    func rest(now: MonotonicInstant) {
        phase = .idle
        idleSince = now
        user = nil
        shrink()
    }

    /// Returns true if an idle connection was idle for too long, or is too old.
    func isOld(now: MonotonicInstant) -> Bool {
        let second: Int64 = 1_000_000_000
        return now - idleSince >= Int64(ConnectionLife.idleSeconds) * second
            || now - madeAt >= Int64(ConnectionLife.seconds) * second
    }

    /// Returns true if an idle connection may be used: it is not too old, and no byte has come over it.
    func isGood(now: MonotonicInstant) -> Bool { !isOld(now: now) && CurlConnections.isSilent(socket) }

    func take(_ user: CurlTransfer) {
        self.user = user
        phase = .busy
    }
}

// MARK: One request and its reply

extension HTTP1Connection {
    /// Sends the user's request, as much of it as the socket takes now.
    func begin(_ target: RequestTarget) {
        guard let user else { return }
        reader = ReplyReader()
        hasMore = false
        isSent = false
        isReusable = false
        var output = self.output
        self.output = []
        output.removeAll(keepingCapacity: true)
        user.write(to: target, into: &output)
        isLarge = output.capacity > 16 * 1024
        user.beginsToSend()
        sent = 0
        send(output)
        self.output = output
    }

    /// The socket is ready for what it was polled for.
    ///
    /// - Parameter scratch: memory to read into.
    func goOn(_ scratch: UnsafeMutableRawBufferPointer) -> Progress {
        if isSending { send(output) }
        return unsafe receive(scratch)
    }

    /// Sends what is left of the request, as much of it as the socket takes now.
    private func send(_ output: [UInt8]) {
        isSending = true
        while sent < output.count {
            var count = 0
            let code = unsafe output.withUnsafeBytes { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes[sent...]), &count)
            }
            sent += count
            if code == CURLE_AGAIN || code == CURLE_OK && count == 0 { return }
            // A reply may have come before the connection ended; it counts then.
            if code != CURLE_OK { break }
        }
        isSending = false
        isSent = sent == output.count
    }

    /// How often it is read from in a row, so that an origin that sends fast holds up neither others nor its own deadline.
    private static let maxReads = 16

    private func receive(_ scratch: UnsafeMutableRawBufferPointer) -> Progress {
        guard let user else { return .over(CURLE_FAILED_INIT) }
        hasMore = false
        for _ in 0..<Self.maxReads {
            var count = 0
            let code = unsafe read(scratch, &count)
            if code == CURLE_AGAIN { return .more }
            guard code == CURLE_OK else { return .over(code) }
            guard count > 0 else {
                if reader.end() { return .over(CURLE_OK) }
                return .over(reader.hasBegun ? CURLE_PARTIAL_FILE : CURLE_GOT_NOTHING)
            }
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: scratch[..<min(count, scratch.count)])
            switch unsafe reader.take(bytes.bindMemory(to: UInt8.self).span, into: &user.collector) {
            case .more: break
            case .done(let mayBeFollowed):
                isReusable = mayBeFollowed && isSent && user.collector.keepsConnection
                return .over(CURLE_OK)
            case .refused: return .over(CURLE_WEIRD_SERVER_REPLY)
            }
            if isHeldUp { break }
            // TLS may hold more decrypted bytes, which `poll` does not report; without TLS a short read was the last one.
            if !isTLS, count < scratch.count { return .more }
        }
        hasMore = true
        return .more
    }
}

// MARK: Its socket

extension HTTP1Connection {
    // TLS goes through libcurl, which has the keys. Without TLS it does not: libcurl searches all connections with each call.

    private func write(_ bytes: UnsafeRawBufferPointer, _ count: inout Int) -> CURLcode {
        if isTLS { return unsafe curl_easy_send(handle.easy, bytes.baseAddress, bytes.count, &count) }
        return unsafe Self.code(
            Glibc.send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)), &count, CURLE_SEND_ERROR)
    }

    private func read(_ memory: UnsafeMutableRawBufferPointer, _ count: inout Int) -> CURLcode {
        if isTLS { return unsafe curl_easy_recv(handle.easy, memory.baseAddress, memory.count, &count) }
        return unsafe Self.code(recv(socket, memory.baseAddress, memory.count, 0), &count, CURLE_RECV_ERROR)
    }

    /// The code that libcurl would give for a result of `send` or `recv`; `errno` is that of the call.
    private static func code(_ result: Int, _ count: inout Int, _ fault: CURLcode) -> CURLcode {
        guard result < 0 else {
            count = result
            return CURLE_OK
        }
        return errno == EAGAIN || errno == EINTR ? CURLE_AGAIN : fault
    }
}
