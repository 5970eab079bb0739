/// Names one request that waits for its answer: the event loop, the connection's slot there, and which of the requests
/// that used the slot it was. A ticket that outlived its request is recognised and does nothing.
public struct Ticket: Sendable, Hashable {
    /// The event loop's index.
    public let loop: Int32
    /// The connection's slot on that loop.
    public let slot: Int32
    /// Counts the requests and connections of the loop.
    public let generation: UInt64

    /// A ticket that a responder has kept in another form.
    public init(loop: Int32, slot: Int32, generation: UInt64) {
        self.loop = loop
        self.slot = slot
        self.generation = generation
    }
}

/// What a responder did with a request.
public enum Disposition: Sendable {
    /// The answer is written.
    case answered
    /// The answer comes later, through `ServerLoop.answer`; until then the connection's next requests wait.
    case later
}

/// Answers the requests of one event loop, on that loop's thread only.
public protocol Responder: AnyObject, SendableMetatype {
    /// Answers a request, or remembers its ticket for later.
    ///
    /// - Parameters:
    ///   - head: places in `bytes`, valid during the call.
    ///   - bytes: the request from its first byte on.
    ///   - content: the request's content, transfer coding removed.
    ///   - now: monotonic nanoseconds, read once for requests that arrived together.
    func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, ticket: Ticket, now: Int64,
        into response: inout ResponseWriter
    ) -> Disposition

    /// Says who owns a client certificate; called once for a connection, after its handshake, for a certificate that was
    /// verified.
    ///
    /// - Returns: what `RequestHead.peer` gives as the identity of all requests of the connection, 0 or more; -1 if the
    ///   certificate belongs to nobody known, which is what the default implementation says.
    func identify(_ certificate: PeerCertificate) -> Int32

    /// Words the answer to what was refused before it became a request. The connection closes after it.
    func refuse(_ refusal: Refusal, into response: inout ResponseWriter)

    /// A connection was ended for a reason that its client could not be told.
    func dropped(_ refusal: Refusal)

    /// The client of a request that was to be answered later has gone; the ticket is void.
    func abandon(_ ticket: Ticket)

    /// `count` answers were handed to the kernel, the last one `elapsed` nanoseconds after the first of their requests had been read.
    /// Those that came later are not among them: how long they took only the responder knows.
    func answered(count: Int, elapsed: Int64)

    /// Called about four times a second.
    func tick(now: Int64)
}

extension Responder {
    public func identify(_ certificate: PeerCertificate) -> Int32 { -1 }
}
