/// Tells whether the content of a request comes fast enough: at least so many bytes in each stretch of time, or all that is
/// left. However long a request's content may take in all, a client that stops sending, or that drips, is not waited for.
struct ContentPace {
    /// The bytes that had come when the client was last seen to keep up.
    private var mark = 0
    private var deadline = Int64.max

    /// The client is to send from now on.
    ///
    /// - Parameter received: the bytes that have come already.
    mutating func begin(received: Int, now: Int64, limits: HTTPLimits) {
        mark = received
        deadline = limits.minBodyBytes > 0 ? now &+ limits.bodyStretch : .max
    }

    /// Whether the client's time is over; to be asked with every tick while content is awaited.
    ///
    /// - Parameter received: the bytes that have come in all.
    mutating func hasExpired(received: Int, now: Int64, limits: HTTPLimits) -> Bool {
        if received - mark >= limits.minBodyBytes { begin(received: received, now: now, limits: limits) }
        return now >= deadline
    }
}
