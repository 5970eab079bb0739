internal import Primitives

/// One use of a slot or a connection; it fits into the pointer that `CURLOPT_PRIVATE` keeps.
struct CurlTicket: Equatable {
    let slot: UInt32
    let generation: UInt32

    var word: UInt { UInt(truncatingIfNeeded: UInt64(generation) << 32 | UInt64(slot)) }
}

extension CurlTicket {
    init(word: UInt) {
        self.init(
            slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: UInt64(word) >> 32))
    }
}

/// The attempts for one URL and mode: how many may run at once, and which wait, in order.
///
/// libcurl could let them wait too, but has one limit for all hosts, and (7.88) runs no timeout for a transfer that
/// waits.
struct OriginPool {
    /// How an attempt gets its connection.
    enum Place: Equatable {
        /// libcurl chooses.
        case usual
        /// It opens a connection that speaks HTTP/2 by prior knowledge.
        case opener
        /// It shares one that an opener has opened.
        case joiner
    }

    /// How requests use connections.
    private enum Manner {
        /// One request at a time has a connection.
        case exclusive
        /// Requests share connections, and libcurl assigns them.
        case shared
        /// Requests share connections. libcurl assigns those that do not ask for HTTP/2 by prior knowledge themselves; so the first
        /// request of a connection asks, and the others do not. `open` connections can be shared; `isOpening` says if another is made.
        case joined(open: Int, isOpening: Bool)
    }

    /// How many requests share an HTTP/2 connection: libcurl's default for `CURLMOPT_MAX_CONCURRENT_STREAMS`.
    private static let streams = 100

    let endpoint: Endpoint
    /// The name that its connections go to; nil if it need not be looked up. Below: its addresses, nil until they are known, and
    /// why the last lookup has failed.
    let name: OriginName?
    var addresses: CurlAddresses?
    var addressVersion = 0
    var nameFault: CurlError?
    /// When the name is asked for again.
    var nextNameCheck: MonotonicInstant = .distantPast
    /// The target that requests over an `HTTP1Connection` name; nil where none can be used.
    private let reachable: RequestTarget?
    /// Indices of its idle HTTP/1.1 connections; the last one was used most recently.
    var idleConnections: [Int] = []
    /// Host and port, for comparison with other pools.
    let host: [UInt8]
    private(set) var maxConnections = 1
    private var manner = Manner.exclusive
    /// True once a connection has spoken HTTP/1.1. Back-ends may differ, so no connection is shared from then on, and none asks for
    /// HTTP/2.
    private(set) var speaksHTTP1 = false
    /// True while no attempt is launched, until a reply shows what a connection speaks.
    private var isHeld = false
    /// The bound on connections after ports or descriptors were used up: as many as were open then, until an instant.
    private var narrowed: (connections: Int, until: MonotonicInstant)?
    private(set) var running = 0
    private var waiting: [CurlTicket] = []
    /// The index in `waiting` of the longest waiting; those before it were taken.
    private var head = 0

    /// - Parameter isJoined: true if, with prior knowledge of HTTP/2, the first request on each connection has to ask for it and the
    ///   others must not.
    init(_ endpoint: Endpoint, isJoined: Bool) {
        self.endpoint = endpoint
        name = OriginName(endpoint)
        let target = RequestTarget(url: endpoint.url)
        host = target?.authority ?? Array(endpoint.url.utf8)
        // A request for an http:// URL that goes through a proxy names the whole URL, which is left to libcurl.
        reachable = endpoint.isTLS || endpoint.proxy == nil ? target : nil
        if endpoint.isClearHTTP2, !endpoint.isForStreams {
            manner = isJoined ? .joined(open: 0, isOpening: false) : .shared
        }
    }

    /// The target that requests name over an `HTTP1Connection`; nil unless the origin speaks HTTP/1.1 alone.
    var target: RequestTarget? { !endpoint.mayBeHTTP2 || speaksHTTP1 ? reachable : nil }

    /// The place of one more attempt; nil if it has to wait.
    func nextPlace(now: MonotonicInstant) -> Place? {
        guard !isHeld else { return nil }
        if let narrowed, now < narrowed.until, running >= narrowed.connections { return nil }
        switch manner {
        case .exclusive:
            guard running < maxConnections else { return nil }
            // Each stream has a connection to itself as far as libcurl lets it: one that is not read holds up the others.
            return endpoint.isForStreams && endpoint.isClearHTTP2 ? .opener : .usual
        case .shared: return running < maxConnections * Self.streams ? .usual : nil
        case .joined(let open, let isOpening):
            if running - (isOpening ? 1 : 0) < open * Self.streams { return .joiner }
            return !isOpening && open < maxConnections ? .opener : nil
        }
    }

    /// True while no connection can be made because the addresses of its name are not known.
    var isNameless: Bool { name != nil && addresses == nil }

    var isEmpty: Bool { waiting.isEmpty }

    /// Widens the pool; it never narrows.
    ///
    /// - Returns: true if it is wider now.
    mutating func admit(connections: Int) -> Bool {
        let before = maxConnections
        maxConnections = max(maxConnections, min(connections, 1 << 20))
        return maxConnections > before
    }

    /// A connection could not be opened from here: for a second the attempts share those that are open.
    ///
    /// - Returns: false if none is open, so that waiting for one is no use.
    mutating func narrow(to connections: Int, now: MonotonicInstant) -> Bool {
        guard connections > 0 else { return false }
        narrowed = (connections, now + 1_000_000_000)
        return true
    }

    /// A reply has come over HTTP/1.1 or HTTP/2; with HTTP/2 alone requests need no connection of their own.
    mutating func learn(_ version: ReplyCollector.Version) {
        switch (version, manner) {
        case (.http1, .exclusive), (.http1, .shared):
            speaksHTTP1 = true
            manner = .exclusive
        case (.http2, .exclusive) where !speaksHTTP1 && !endpoint.isForStreams: manner = .shared
        default: break
        }
    }

    /// All connections are closed; new ones may speak another version.
    mutating func forgetOrigin() { speaksHTTP1 = false }

    /// An attempt was about to share a connection over which no reply has come. All attempts wait until one comes, which shows the
    /// version, or until the attempts that use the connection have ended.
    mutating func hold() { isHeld = true }

    /// A reply has shown what a connection speaks.
    mutating func release() { isHeld = false }

    mutating func began(_ place: Place) {
        running += 1
        if place == .opener, case .joined(let open, _) = manner { manner = .joined(open: open, isOpening: true) }
    }

    /// - Parameter hasOpened: true if the attempt was an opener and others can share its connection now.
    mutating func ended(_ place: Place, hasOpened: Bool) {
        running -= 1
        if place == .opener, case .joined(let open, _) = manner {
            manner = .joined(open: min(maxConnections, open + (hasOpened ? 1 : 0)), isOpening: false)
        }
    }

    /// A joiner has found no connection, or one is lost: one connection less is open than was counted.
    mutating func foundNone() {
        if case .joined(let open, let isOpening) = manner {
            manner = .joined(open: max(0, open - 1), isOpening: isOpening)
        }
    }

    mutating func enqueue(_ ticket: CurlTicket) { waiting.append(ticket) }

    /// The longest waiting attempt; it may have been cancelled meanwhile.
    mutating func dequeue() -> CurlTicket? {
        guard head < waiting.count else { return nil }
        let ticket = waiting[head]
        head += 1
        if head == waiting.count || head > 64 && head > waiting.count / 2 {
            waiting.removeFirst(head)
            head = 0
        }
        return ticket
    }
}
