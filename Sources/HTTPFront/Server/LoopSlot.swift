/// The owner of a slot on an event loop: a connection, or a stream of an HTTP/2 connection.
protocol LoopSlot<R>: AnyObject {
    associatedtype R: Responder

    /// The number of the next request to be answered; see `Ticket`.
    var generation: UInt64 { get }

    /// Writes the answer to the request that waits for one.
    ///
    /// - Returns: false if none does; `write` is not called then.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool

    /// Checks the deadlines, at every tick.
    func checkDeadline(now: Int64)

    /// Begins to drain: an idle connection closes when its grace is over, any other after its next answer.
    func drain(now: Int64)

    /// Closes at once.
    func closeNow()

    /// Answers requests that were held back so that other connections get their turn.
    func takeTurn(now: Int64)

    /// The time since which the client has read no byte of its unsent answers, in monotonic nanoseconds; `nil` without unsent answers.
    var unreadSince: Int64? { get }
}

/// The connection of a stream does these for it.
extension LoopSlot {
    func drain(now: Int64) {}

    func closeNow() {}

    func takeTurn(now: Int64) {}

    var unreadSince: Int64? { nil }
}
