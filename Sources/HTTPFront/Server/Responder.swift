public import Primitives

/// A responder's reaction to a request.
public enum Disposition: Sendable {
    /// The answer is written.
    case answered
    /// The answer comes later, through `ServerLoop.answer`; until then the connection's next requests wait.
    case later
}

/// Answers the requests of one event loop, on that loop's thread only.
public protocol Responder: AnyObject, SendableMetatype {
    /// Answers a request, or stores its waiter to answer it later.
    ///
    /// - Parameters:
    ///   - head: ranges in `bytes`, valid during the call.
    ///   - bytes: the request from its first byte on.
    ///   - content: the request's content, transfer coding removed.
    ///   - now: read once for requests that arrived together.
    func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition

    /// Maps a verified client certificate to an identity; called once for a connection, after its handshake.
    ///
    /// - Returns: the identity in `RequestHead.peer` of all requests of the connection, 0 or more; -1 if the certificate belongs to no
    ///   known caller, which the default implementation returns.
    func identify(_ certificate: PeerCertificate) -> Int32

    /// Writes the answer to a refused request or connection, which closes after it.
    ///
    /// - Parameter peer: the client, or the proxy in front of it: a refused request tells of no client.
    func refuse(_ refusal: Refusal, from peer: PeerAddress, into response: inout ResponseWriter)

    /// Reports a connection that was closed without an answer that says why.
    func dropped(_ refusal: Refusal, from peer: PeerAddress)

    /// Reports that the client of a request with the disposition `.later` has gone; it is void.
    func abandon(_ waiter: Waiter)

    /// Reports `count` answers that were handed to the kernel, the last one `elapsed` nanoseconds after the first of their requests had been
    /// read. Answers to requests with the disposition `.later` are not among them: the responder knows how long those took.
    func answered(count: Int, elapsed: Int64)

    /// The time of the server's end is nearly over: connections are closed soon. Requests with the disposition `.later` are to be answered now,
    /// or never. Called more than once; the default implementation does nothing.
    func endIsNear(now: MonotonicInstant)

    /// Called four times a second.
    func tick(now: MonotonicInstant)
}

extension Responder {
    public func identify(_ certificate: PeerCertificate) -> Int32 { -1 }

    public func endIsNear(now: MonotonicInstant) {}
}
