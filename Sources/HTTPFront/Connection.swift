internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// What the connection waits for. Each has its own deadline.
enum ConnectionWait {
    /// The first byte of the first request.
    case first
    /// The first byte of another request.
    case idle
    /// The rest of a request head.
    case head
    /// The rest of a request's content.
    case content
    /// The responder, which answers later; it keeps its own deadline.
    case answer
    /// The client, which does not read; requests that have arrived wait.
    case room
    /// Others to have their turn: it has had its own, and more requests have arrived.
    case turn
    /// HTTP/2 to take the connection over, outside of whatever is being handled: what arrives meanwhile is kept.
    case takeover
    /// The last answer to leave: what arrives is dropped.
    case last
    /// The client's end of the connection, after the last answer: what arrives is dropped.
    case end
    /// Nothing more.
    case closed
}

/// One client connection over HTTP/1.x: takes bytes, finds requests in them, hands each to the responder, writes answers in
/// order. One request at a time: what comes while an answer is outstanding is kept, and nothing more is read after it, so that a
/// client feels back-pressure.
final class Connection<R: Responder>: ChannelInboundHandler, RemovableChannelHandler, Exchange, Recipient {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let loop: ServerLoop<R>
    /// Numbers the request that is next to be answered; see `Ticket`.
    var generation: UInt64 = 0
    var wait = ConnectionWait.first
    var deadline = Int64.max
    var stall = WriteStall()
    var pace = ContentPace()
    var decoder = RequestDecoder()
    /// The bytes of an incomplete request, or of requests that wait their turn.
    var pending: ByteBuffer?
    /// What was read and is looked at before the event loop's turn ends; there if, and only if, the loop knows of it.
    var arrived: ByteBuffer?
    /// Where the answers to it are in the bench's output.
    var answers = 0..<0
    /// Whether requests are being looked at, so that the decoder is in use.
    var isConsuming = false
    private(set) var context: ChannelHandlerContext?
    private(set) var peer = Peer()
    private(set) var slot: Int32 = -1
    private var address: ConnectionLedger.Address?
    private var admission = ConnectionLedger.Admission.dropped(.connections)
    private(set) var isWritable = true
    var output = SocketOutput()
    /// The rest of a large answer.
    var largeContent: LargeContent?
    /// What the ledger counts of the connection's, and whether `largeContent` is in it.
    var countedBytes = 0
    /// Whether the channel may hold some of an answer.
    var mayHoldUnsent = false
    var countsContent = false
    /// When the client was last seen to read, while something waits to be read.
    var readAt = Int64.max
    /// Whether nothing is read from the socket, because an answer or the client is awaited.
    var readingIsPaused = false
    private(set) var inputIsClosed = false
    /// Whether the TLS handshake is not complete, so that no answer can be given.
    private var isSecuring: Bool
    /// Whether the first bytes may be those of HTTP/2.
    private var mayBeHTTP2: Bool
    /// What the head of the request that is answered later asked for.
    var later = (closes: false, omitsContent: false, confirmsKeepAlive: false)

    /// - Parameter isSecured: whether TLS comes before it in the pipeline.
    init(loop: ServerLoop<R>, isSecured: Bool) {
        self.loop = loop
        isSecuring = isSecured
        // TLS says which protocol follows.
        mayBeHTTP2 = !isSecured && loop.limits.maxStreams > 0
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        slot = loop.add(self)
        if !isSecuring { output = SocketOutput(context) }
        generation = loop.nextGeneration()
        peer = Peer(context.remoteAddress)
        address = loop.ledger.address(context.remoteAddress)
        let now = Clock.now()
        enter(.first, now: now)
        admission = loop.ledger.admit(address, canAnswer: !isSecuring)
        switch admission {
        case .admitted:
            // It was accepted before the server stopped to listen, and may have sent its request already.
            if loop.isDraining { drain(now: now) }
        case .shed(let refusal): refuse(refusal)
        case .dropped(let refusal):
            loop.responder?.dropped(refusal)
            isSecuring = false
            closeNow()
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        output.close()
        settle()
        closeNow()
        pending = nil
        loop.remove(slot: slot)
        loop.ledger.release(address, admission)
        admission = .dropped(.connections)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Answers could not be written in the midst of it: NIO reads what is left, and closes.
        guard !isConsuming else { return }
        settle()
        var incoming = Incoming.unwrapInboundIn(data)
        guard isListening else {
            keep(&incoming)
            // Not before: most clients wait for their answer, and to pause and go on costs two system calls.
            if wait == .answer || wait == .turn { pauseReading() }
            return
        }
        if mayBeHTTP2, isHTTP2(&incoming) { return }
        assert(arrived == nil, "what arrived before is lost")
        // Nobody else's answer waits until all of many requests are answered.
        let isLarge = incoming.readableBytes > ReceiveSize.kept
        if isLarge { loop.answerArrivals() }
        arrived = incoming
        loop.arrived(at: self)
        if isLarge { loop.answerArrivals() }
    }

    /// Nothing comes after it in the pipeline that waits for this: HTTP/2 takes its place.
    func channelReadComplete(context: ChannelHandlerContext) {}

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        settle()
        isWritable = context.channel.isWritable
        if wait == .room, isWritable, largeContent == nil { resume(now: Clock.now()) }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        settle()
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputIsClosed = true
            if !holdsRequests { closeAfterFlush() }
        } else if case .handshakeCompleted(let name) = event as? TLSUserEvent, wait == .first {
            isSecuring = false
            peer.identity = identity(context)
            if name == "h2" { enter(.takeover, now: Clock.now()) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Then its socket may be somebody else's.
        if !context.channel.isActive { output.close() }
        settle()
        // The end of input without a closing alert; requests say how long they are, so that nothing can be cut off unseen.
        if case .uncleanShutdown = error as? NIOSSLError { return }
        failHandshake()
        closeNow()
    }

    /// Whether bytes that arrive are looked at now.
    var isListening: Bool {
        switch wait {
        case .first, .idle, .head, .content: true
        case .answer, .room, .turn, .takeover, .last, .end, .closed: false
        }
    }

    /// Whether bytes that arrive are looked at now or later.
    var keepsInput: Bool {
        switch wait {
        case .first, .idle, .head, .content, .answer, .room, .turn, .takeover: true
        case .last, .end, .closed: false
        }
    }

    /// Whether requests that have arrived wait for something else than more of their bytes.
    var holdsRequests: Bool {
        switch wait {
        case .answer, .room, .turn: true
        case .first, .idle, .head, .content, .takeover, .last, .end, .closed: false
        }
    }

    // MARK: Handshake

    /// Counts a handshake that does not end well. Where nothing has come there was none: load balancers open connections only to
    /// see that they can.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func failHandshake() -> Bool {
        guard isSecuring else { return false }
        isSecuring = false
        let watch = try? context?.pipeline.syncOperations.handler(type: FirstByteWatch.self)
        guard watch?.hasSeenOne == true else { return false }
        loop.responder?.dropped(.handshake)
        return true
    }

    /// What the responder says of the client's certificate.
    private func identity(_ context: ChannelHandlerContext) -> Int32 {
        guard let shown = try? context.pipeline.syncOperations.nioSSL_peerCertificate(),
            let der = try? shown.toDERBytes(), let certificate = try? PeerCertificate(der: der)
        else { return -1 }
        return loop.responder?.identify(certificate) ?? -1
    }

    // MARK: HTTP/2

    /// Looks whether a connection begins as one of HTTP/2 does whose client knows that the server speaks it.
    ///
    /// - Returns: whether nothing is left to be done with the bytes, because they are, or because more of them are needed.
    private func isHTTP2(_ incoming: inout ByteBuffer) -> Bool {
        let isPreface =
            pending == nil ? HTTP2Preface.begins(incoming.readableBytesUInt8Span) : nil
        if isPreface == false {
            mayBeHTTP2 = false
            return false
        }
        keep(&incoming)
        guard let bytes = pending else { return false }
        switch HTTP2Preface.begins(bytes.readableBytesUInt8Span) {
        case true?:
            enter(.takeover, now: Clock.now())
            return true
        case false?:
            mayBeHTTP2 = false
            return false
        case nil:
            enter(.head, now: Clock.now())
            return true
        }
    }

    /// Gives the connection over to HTTP/2, together with what has arrived.
    ///
    /// The event loop calls it by itself, not in the midst of an event: to add the codec writes to the socket, and where that fails NIO
    /// reads what is left and ends the channel before it returns. What is read then is kept, and whose the connection is has been
    /// decided before.
    func handOver() {
        guard wait == .takeover, let context else { return }
        let connection = HTTP2Connection(loop: loop, peer: peer, address: address, deadline: deadline)
        admission = .dropped(.connections)
        loop.remove(slot: slot)
        slot = -1
        do {
            try connection.install(in: context.pipeline.syncOperations, behind: self)
        } catch {
            connection.channelHasEnded()
            return closeNow()
        }
        guard wait == .takeover else { return }
        wait = .closed
        if let bytes = pending {
            pending = nil
            context.fireChannelRead(wrapInboundOut(bytes))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// What a connection's bytes are unwrapped as. A type of its own because it is not generic: the compiler knows then how it is done.
private final class Incoming: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
}
