/// Tells whether a client reads what it is sent. It must take `minProgress` bytes in each idle time, or all that is left.
struct WriteStall {
    /// A little more than a KiB a second, in the usual idle time of a minute.
    static let minProgress = 64 * 1024

    /// What waited to be sent when the client was last seen to read.
    private var mark = 0
    private var deadline = Int64.max

    /// The client is to read what waits, or is about to wait.
    mutating func begin(now: Int64, idleTimeout: Int64) {
        mark = 0
        deadline = now &+ idleTimeout
    }

    /// Nothing that waits is too much.
    mutating func end() { deadline = .max }

    /// Whether the client's time is over; to be asked with every tick.
    ///
    /// - Parameter left: the bytes that wait to be sent.
    mutating func hasExpired(left: Int, now: Int64, idleTimeout: Int64) -> Bool {
        guard deadline != .max else { return false }
        if left > mark {
            mark = left
        } else if mark - left >= Self.minProgress {
            mark = left
            deadline = now &+ idleTimeout
        }
        return now >= deadline
    }
}
