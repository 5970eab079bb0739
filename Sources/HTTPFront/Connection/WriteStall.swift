/// The deadline of a client that reads its answers: it must take `minProgress` bytes in each idle time, or the rest.
struct WriteStall {
    /// Slightly less than a KiB a second at the default idle time.
    static let minProgress = 64 * 1024

    /// The bytes that waited to be sent when the client last made progress.
    private var mark = 0
    private var deadline = Int64.max

    /// No deadline.
    init() {}

    /// A deadline that begins now.
    init(now: Int64, idleTimeout: Int64) { deadline = now &+ idleTimeout }

    /// Returns true if the time is over; called at every tick.
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
