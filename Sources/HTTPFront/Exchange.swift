/// What has a slot on an event loop: a connection, or one of the requests that a connection of HTTP/2 carries at the same
/// time.
protocol Exchange<R>: AnyObject {
    associatedtype R: Responder

    /// Numbers the request that is next to be answered; see `Ticket`.
    var generation: UInt64 { get }

    /// Writes the answer to the request that waits for one.
    ///
    /// - Returns: false if none does; `write` is not called then.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool

    /// Called with every tick.
    func checkDeadline(now: Int64)

    /// The loop drains: what is idle ends when its grace is over, the rest after its next answer.
    func drain(now: Int64)

    /// Ends at once.
    func closeNow()

    /// Goes on with requests that have waited for others to have their turn.
    func takeTurn(now: Int64)

    /// Since when its client has read nothing of what is held for it, in monotonic nanoseconds; `nil` if nothing is held.
    var unreadSince: Int64? { get }

    /// Ends because too much is held for clients that do not read.
    func relieve()
}

/// A request has nothing to do of its own here; its connection sees to it.
extension Exchange {
    func drain(now: Int64) {}

    func closeNow() {}

    func takeTurn(now: Int64) {}

    var unreadSince: Int64? { nil }

    func relieve() {}
}
