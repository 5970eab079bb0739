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
}

/// A request has nothing to do of its own here; its connection sees to it.
extension Exchange {
    func drain(now: Int64) {}

    func closeNow() {}
}
