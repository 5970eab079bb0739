public import NIOCore
public import Primitives

/// The memory in which a batch of requests is read and answered. The event loop lends it, so that an idle connection holds none.
struct LoopScratch: ~Copyable {
    /// Memory above this size is freed after the batch, and memory above `restingBytes` at the next tick.
    static let keptBytes = 1 << 20
    static let restingBytes = 64 * 1024
    /// The turn of a connection ends after so many requests, or after so many nanoseconds.
    static let turnRequests = 32
    static let turnTime: Int64 = 250_000
    /// Reading a request, and writing an answer, of at most so many bytes takes a few microseconds; most are smaller.
    static let smallBytes = 4096
    /// Answers are sent at the latest when the output holds so many bytes.
    static let flushThreshold = 256 * 1024

    var head = RequestHead()
    var content: [UInt8] = []
    var writer = ResponseWriter()
    /// When the work for the present connection began, or slightly earlier.
    private(set) var now = MonotonicInstant.distantPast
    /// The requests of the batch that were answered at once.
    var answered = 0
    /// The bytes of the present connection that were read.
    var received = 0
    /// `answered` when the work for the present connection began.
    private var answeredBefore = 0
    /// The requests of the present connection in this turn.
    private var requests = 0
    /// Where the answers of the present connection begin in the output.
    private(set) var start = 0

    init(date: [UInt8]) { writer.setDate(date) }

    mutating func begin(now: MonotonicInstant) {
        self.now = now
        answered = 0
        received = 0
        answeredBefore = 0
        requests = 0
        start = 0
    }

    var capacity: Int { max(writer.output.capacity, content.capacity) }

    /// Counts a request.
    ///
    /// - Returns: true if the turn of the present connection is over.
    mutating func endsTurn() -> Bool {
        requests += 1
        return requests >= Self.turnRequests || Clock.now() - now >= Self.turnTime
    }

    /// Goes on to the next connection of the batch.
    ///
    /// The clock is not read again after one small request with a small answer, which takes a few microseconds: reading the clock costs a
    /// hundredth of that.
    mutating func goOn() {
        let isSmall = max(received, writer.output.count - start) <= Self.smallBytes
        if !isSmall || answered != answeredBefore + 1 { now = Clock.now() }
        received = 0
        requests = 0
        answeredBefore = answered
        start = writer.output.count
    }

    mutating func prepareWriter(isDraining: Bool) {
        writer.form = AnswerForm(
            closes: !head.keepsConnection || isDraining, omitsContent: head.method == .head,
            confirmsKeepAlive: !head.isHTTP11 && head.keepsConnection)
    }

    /// Hands the request in `head` to the responder, and counts it if it is answered at once.
    ///
    /// - Parameter bytes: the whole request.
    @inline(__always)
    mutating func respond<R: Responder>(_ responder: R, _ bytes: Span<UInt8>, as waiter: Waiter) -> Disposition {
        let disposition: Disposition
        switch head.framing {
        case .length:
            disposition = responder.respond(
                to: head, bytes: bytes, content: bytes.extracting(head.length..<bytes.count), waiter: waiter, now: now,
                into: &writer)
        case .chunked:
            content.removeAll(keepingCapacity: true)
            ChunkedContent.forEachChunk(bytes, from: head.length) { range in
                for index in range { self.content.append(bytes[index]) }
            }
            let content = content
            disposition = responder.respond(
                to: head, bytes: bytes, content: content.span, waiter: waiter, now: now, into: &writer)
        }
        if case .answered = disposition { answered += 1 }
        return disposition
    }
}

enum Clock {
    static func now() -> MonotonicInstant { NIODeadline.now().instant }
}

extension NIODeadline {
    /// The same instant.
    public var instant: MonotonicInstant { MonotonicInstant(nanoseconds: Int64(clamping: uptimeNanoseconds)) }
}
