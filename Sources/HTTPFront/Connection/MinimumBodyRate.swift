/// The deadline of a client that sends content: `minBodyBytes` in each `bodyStretch`, or the rest. It ends the request of a client that
/// stops or drips, whatever time the whole content may take.
struct MinimumBodyRate {
    /// The bytes that had come when the client last kept the rate.
    private var mark = 0
    private var deadline = Int64.max

    /// Starts the deadline.
    ///
    /// - Parameter received: the bytes that have come so far.
    mutating func begin(received: Int, now: Int64, limits: HTTPLimits) {
        mark = received
        deadline = limits.minBodyBytes > 0 ? now &+ limits.bodyStretch : .max
    }

    /// Returns true if the time is over; called at every tick while content is awaited.
    ///
    /// - Parameter received: the bytes that have come so far.
    mutating func hasExpired(received: Int, now: Int64, limits: HTTPLimits) -> Bool {
        if received - mark >= limits.minBodyBytes { begin(received: received, now: now, limits: limits) }
        return now >= deadline
    }
}
