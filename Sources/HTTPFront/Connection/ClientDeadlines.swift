internal import Primitives

/// The deadline of a client that sends content: `minBodyBytes` in each `bodyStretch`, or the rest. It ends the request of a client that
/// stops or drips, whatever time the whole content may take.
struct MinimumBodyRate {
    /// The bytes that had come when the client last kept the rate.
    private var mark = 0
    private var deadline = MonotonicInstant.distantFuture

    /// Starts the deadline.
    ///
    /// - Parameter received: the bytes that have come so far.
    mutating func begin(received: Int, now: MonotonicInstant, limits: HTTPLimits) {
        mark = received
        deadline = limits.minBodyBytes > 0 ? now + limits.bodyStretch : .distantFuture
    }

    /// Returns true if the time is over; called at every tick while content is awaited.
    ///
    /// - Parameter received: the bytes that have come so far.
    mutating func hasExpired(received: Int, now: MonotonicInstant, limits: HTTPLimits) -> Bool {
        if received - mark >= limits.minBodyBytes { begin(received: received, now: now, limits: limits) }
        return now >= deadline
    }
}

/// The deadline of a client that reads its answers: it must take `minProgress` bytes in each idle time, or the rest.
struct WriteStall {
    /// Slightly less than a KiB a second at the default idle time.
    static let minProgress = 64 * 1024

    /// The bytes that waited to be sent when the client last made progress.
    private var mark = 0
    private var deadline = MonotonicInstant.distantFuture

    /// No deadline.
    init() {}

    init(now: MonotonicInstant, idleTimeout: Int64) { deadline = now + idleTimeout }

    /// Returns true if the time is over; called at every tick.
    ///
    /// - Parameter left: the bytes that wait to be sent.
    mutating func hasExpired(left: Int, now: MonotonicInstant, idleTimeout: Int64) -> Bool {
        guard deadline != .distantFuture else { return false }
        if left > mark {
            mark = left
        } else if mark - left >= Self.minProgress {
            mark = left
            deadline = now + idleTimeout
        }
        return now >= deadline
    }
}
