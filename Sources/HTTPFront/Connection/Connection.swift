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
    /// Nothing more by itself: it hands on to HTTP/2 what happens.
    case handedOver
}

/// What happens to a connection.
enum ConnectionEvent {
    case active
    case bytes(ByteBuffer)
    case readComplete
    case writabilityChanged
    /// An event of another handler or the channel, such as the end of input.
    case user(Any)
    case failed(any Error)
    case inactive
    /// HTTP/2 may take over.
    case takeover
    /// The last answer has left, or never will.
    case lastAnswerLeft
    /// A part of a large answer has left, or never will.
    case partLeft(succeeded: Bool)
    /// All that was written has left, or never will, and the connection is to be closed.
    case flushedToClose
}

/// One client connection over HTTP/1.x: takes bytes, finds requests in them, hands each to the responder, writes answers in
/// order. One request at a time: what comes while an answer is outstanding is kept, and nothing more is read after it, so that a
/// client feels back-pressure.
final class Connection<R: Responder>: ChannelInboundHandler, LoopSlot, BatchMember {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let loop: ServerLoop<R>
    /// Numbers the request that is next to be answered; see `Ticket`.
    var generation: UInt64 = 0
    var wait = ConnectionWait.first
    var deadline = Int64.max
    var stall = WriteStall()
    var pace = MinimumBodyRate()
    var decoder = RequestDecoder()
    /// The bytes of an incomplete request, or of requests that wait their turn.
    var pending: ByteBuffer?
    /// What was read and is looked at before the event loop's turn ends; there if, and only if, the loop knows of it.
    var arrived: ByteBuffer?
    /// Where the answers to it are in the scratch's output.
    var answers = 0..<0
    private(set) var context: ChannelHandlerContext?
    /// True if an event is being handled, or a step of the loop's taken; what comes meanwhile waits.
    private var isBusy = false
    private var hasWaiting = false
    private var events = EventQueue<ConnectionEvent>()
    private(set) var peer = Peer()
    private(set) var slot: Int32 = -1
    private var address: ConnectionLimiter.Address?
    private var admission = ConnectionLimiter.Admission.dropped(.connections)
    private(set) var isWritable = true
    var output = SocketOutput()
    /// The rest of a large answer.
    var largeContent: LargeContent?
    /// What the ledger counts of the connection's, and whether `largeContent` is in it.
    var countedBytes = 0
    /// True if the channel may hold some of an answer.
    var mayHoldUnsent = false
    var countsContent = false
    /// When the client was last seen to read, while something waits to be read.
    var readAt = Int64.max
    /// True if nothing is read from the socket, because an answer or the client is awaited.
    var readingIsPaused = false
    private(set) var inputIsClosed = false
    /// True if the TLS handshake is not complete, so that no answer can be given.
    private var isSecuring: Bool
    /// True if the first bytes may be those of HTTP/2.
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

    func channelActive(context: ChannelHandlerContext) { drive(.active) }

    func channelInactive(context: ChannelHandlerContext) {
        // At once: its descriptor may be another's.
        output.close()
        drive(.inactive)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Incoming.unwrapInboundIn(data)
        // As `drive` does, but that no event is made of what comes so often.
        guard !isBusy, wait != .handedOver else { return drive(.bytes(bytes)) }
        isBusy = true
        receive(bytes)
        handleWaiting()
    }

    /// Only HTTP/2 waits for it.
    func channelReadComplete(context: ChannelHandlerContext) { if wait == .handedOver { drive(.readComplete) } }

    func channelWritabilityChanged(context: ChannelHandlerContext) { drive(.writabilityChanged) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { drive(.user(event)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !context.channel.isActive { output.close() }
        drive(.failed(error))
    }

    // MARK: Handling

    /// Handles an event, or has it wait until the one that is being handled has been.
    func drive(_ event: ConnectionEvent) {
        guard !isBusy else {
            hasWaiting = true
            return events.add(event)
        }
        isBusy = true
        handle(event)
        handleWaiting()
    }

    /// Begins a step of the loop's. Whoever gets true calls `handleWaiting` at its end.
    ///
    /// - Returns: false if it is part of the handling of an event, which goes on after it.
    func beginStep() -> Bool {
        guard !isBusy else { return false }
        isBusy = true
        return true
    }

    func handleWaiting() {
        if hasWaiting {
            while let event = events.next() { handle(event) }
            hasWaiting = false
        }
        isBusy = false
    }

    private func handle(_ event: ConnectionEvent) {
        guard wait != .handedOver else { return forward(event) }
        switch event {
        case .active: begin()
        case .bytes(let bytes): receive(bytes)
        case .readComplete: break
        case .writabilityChanged:
            settle()
            isWritable = context?.channel.isWritable ?? false
            if wait == .room, isWritable, largeContent == nil { resume(now: Clock.now()) }
        case .user(let event):
            settle()
            handle(user: event)
        case .failed(let error):
            settle()
            // The end of input without a closing alert; requests say how long they are, so that nothing can be cut off unseen.
            if case .uncleanShutdown = error as? NIOSSLError { return }
            failHandshake()
            closeNow()
        case .inactive: end()
        case .takeover: handOver()
        case .lastAnswerLeft: endOutput()
        case .partLeft(let succeeded): partHasLeft(succeeded)
        case .flushedToClose: closeNow()
        }
    }

    private func begin() {
        guard let context else { return }
        slot = loop.add(self)
        if !isSecuring { output = SocketOutput(context) }
        generation = loop.nextGeneration()
        peer = Peer(context.remoteAddress)
        address = loop.limiter.address(context.remoteAddress)
        let now = Clock.now()
        enter(.first, now: now)
        admission = loop.limiter.admit(address, canAnswer: !isSecuring)
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
    }

    private func receive(_ bytes: consuming ByteBuffer) {
        settle()
        var incoming = bytes
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
        if isLarge { loop.answerBatch() }
        arrived = incoming
        loop.arrived(at: self)
        if isLarge { loop.answerBatch() }
    }

    private func handle(user event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputIsClosed = true
            if !holdsRequests { closeAfterFlush() }
        } else if case .handshakeCompleted(let name) = event as? TLSUserEvent, wait == .first {
            isSecuring = false
            peer.identity = identity()
            if name == "h2" { enter(.takeover, now: Clock.now()) }
        }
    }

    private func end() {
        settle()
        closeNow()
        pending = nil
        loop.remove(slot: slot)
        loop.limiter.release(address, admission)
        admission = .dropped(.connections)
    }

    /// True if bytes that arrive are looked at now.
    var isListening: Bool {
        switch wait {
        case .first, .idle, .head, .content: true
        case .answer, .room, .turn, .takeover, .last, .end, .closed, .handedOver: false
        }
    }

    /// True if bytes that arrive are looked at now or later.
    var keepsInput: Bool {
        switch wait {
        case .first, .idle, .head, .content, .answer, .room, .turn, .takeover: true
        case .last, .end, .closed, .handedOver: false
        }
    }

    /// True if requests that have arrived wait for something else than more of their bytes.
    var holdsRequests: Bool {
        switch wait {
        case .answer, .room, .turn: true
        case .first, .idle, .head, .content, .takeover, .last, .end, .closed, .handedOver: false
        }
    }

    // MARK: Handshake

    /// Counts a handshake that does not end well. Where nothing has come there was none: load balancers open connections only to
    /// see that they can.
    ///
    /// - Returns: true if there was one.
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
    private func identity() -> Int32 {
        guard let shown = try? context?.pipeline.syncOperations.nioSSL_peerCertificate(),
            let der = try? shown.toDERBytes(), let certificate = try? PeerCertificate(der: der)
        else { return -1 }
        return loop.responder?.identify(certificate) ?? -1
    }

    // MARK: HTTP/2

    /// Looks whether a connection begins as one of HTTP/2 does whose client knows that the server speaks it.
    ///
    /// - Returns: true if nothing is left to be done with the bytes, because they are, or because more of them are needed.
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
    /// The event loop calls it by itself, not in the midst of a read: to add the codec writes to the socket, and where that fails NIO
    /// reads what is left and ends the channel before it returns. From now on this handler is HTTP/2's entrance: it hands events on,
    /// one after the other.
    private func handOver() {
        guard wait == .takeover, let context else { return }
        let connection = HTTP2Connection(loop: loop, peer: peer, address: address, deadline: deadline)
        admission = .dropped(.connections)
        loop.remove(slot: slot)
        slot = -1
        wait = .handedOver
        do {
            try connection.install(in: context.pipeline.syncOperations, behind: self)
        } catch {
            connection.channelHasEnded()
            context.close(promise: nil)
            return
        }
        if let bytes = pending {
            pending = nil
            context.fireChannelRead(wrapInboundOut(bytes))
            context.fireChannelReadComplete()
        }
    }

    /// Hands an event on to HTTP/2.
    private func forward(_ event: ConnectionEvent) {
        guard let context else { return }
        switch event {
        case .bytes(let bytes): context.fireChannelRead(wrapInboundOut(bytes))
        case .readComplete: context.fireChannelReadComplete()
        case .writabilityChanged: context.fireChannelWritabilityChanged()
        case .user(let event): context.fireUserInboundEventTriggered(event)
        case .failed(let error): context.fireErrorCaught(error)
        case .inactive: context.fireChannelInactive()
        case .active, .takeover, .lastAnswerLeft, .partLeft, .flushedToClose: break
        }
    }
}

/// What a connection's bytes are unwrapped as. A type of its own because it is not generic: the compiler knows then how it is done.
private final class Incoming: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
}
