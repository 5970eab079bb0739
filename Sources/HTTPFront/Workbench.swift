internal import NIOCore

/// What connections work with while they handle the requests that arrived together: memory that these are read into and answered
/// from, lent by the event loop so that an idle connection keeps none.
struct Workbench: ~Copyable {
    /// More than this is not kept for the next batch, and more than `restingBytes` not for longer than a tick.
    static let keptBytes = 1 << 20
    static let restingBytes = 64 * 1024
    /// A connection has so many requests answered in a turn, or as many as are in these nanoseconds; then others go on.
    static let turnRequests = 32
    static let turnTime: Int64 = 250_000
    /// A request, and an answer, of so many bytes has cost next to nothing; most are smaller.
    static let smallBytes = 4096
    /// Answers are handed to their channels at the latest when this many bytes have come together.
    static let flushThreshold = 256 * 1024

    var head = RequestHead()
    /// The content of a chunked request.
    var content: [UInt8] = []
    var writer = ResponseWriter()
    /// When the work for the present connection began, in monotonic nanoseconds, or little before.
    private(set) var now: Int64 = 0
    /// The requests of the batch that were answered at once.
    var answered = 0
    /// How many bytes of the present connection were looked at.
    var received = 0
    /// As many as there were when the work for the present connection began.
    private var answeredBefore = 0
    /// The requests of the present connection that were looked at.
    private var requests = 0
    /// Where the answers to the present connection begin in the output.
    private(set) var start = 0

    init(date: [UInt8]) {
        writer.setDate(date)
    }

    /// Begins a batch.
    mutating func begin(now: Int64) {
        self.now = now
        answered = 0
        received = 0
        answeredBefore = 0
        requests = 0
        start = 0
    }

    /// The memory that is kept.
    var capacity: Int { max(writer.output.capacity, content.capacity) }

    /// Counts a request that has been looked at.
    ///
    /// - Returns: whether the present connection has had its turn.
    mutating func endsTurn() -> Bool {
        requests += 1
        return requests >= Self.turnRequests || Clock.now() - now >= Self.turnTime
    }

    /// Goes on to the next connection of the batch.
    ///
    /// The clock is not asked anew where the last one only had one small request with a small answer, given at once: that takes a
    /// few microseconds, and to ask takes a hundredth of it.
    mutating func goOn() {
        let isSmall = max(received, writer.output.count - start) <= Self.smallBytes
        if !isSmall || answered != answeredBefore + 1 { now = Clock.now() }
        received = 0
        requests = 0
        answeredBefore = answered
        start = writer.output.count
    }

    /// Makes the writer ready for the answer to the request whose head was read.
    mutating func prepareWriter(isDraining: Bool) {
        writer.closes = !head.keepsConnection || isDraining
        writer.omitsContent = head.method == .head
        writer.confirmsKeepAlive = !head.isHTTP11 && head.keepsConnection
    }
}

/// The clock of deadlines.
enum Clock {
    /// Monotonic nanoseconds.
    static func now() -> Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}
