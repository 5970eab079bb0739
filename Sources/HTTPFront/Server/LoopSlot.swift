/// The owner of a slot on an event loop: a connection, or a stream of an HTTP/2 connection.
protocol LoopSlot<R>: AnyObject {
    associatedtype R: Responder

    /// The number of the next request to be answered; see `Ticket`.
    var generation: UInt64 { get }

    /// The time since which the client has read no byte of its unsent answers, in monotonic nanoseconds; `nil` without unsent answers.
    var unreadSince: Int64? { get }

    /// Writes the answer to the request that waits for one.
    ///
    /// - Returns: false if none does; `write` is not called then.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool

    func drive(_ event: LoopEvent)
}

/// An event of the loop for the connections and streams on it. Times are monotonic nanoseconds.
enum LoopEvent {
    /// Answer requests that were held back so that other connections get their turn.
    case turn(now: Int64)
    /// Check the deadlines.
    case tick(now: Int64)
    /// Begin to drain: an idle connection closes when its grace is over, any other after its next answer.
    case drain(now: Int64)
    /// Close now: the server stops, or the unsent answers of all connections exceed the limit.
    case close
}
