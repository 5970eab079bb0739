internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// What the connection waits for. Each has its own deadline.
private enum Wait {
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
    /// The last answer to leave: what arrives is dropped.
    case last
    /// The client's end of the connection, after the last answer: what arrives is dropped.
    case end
    /// Nothing more.
    case closed
}

/// One client connection over HTTP/1.x: takes bytes, finds requests in them, hands each to the responder, writes answers in
/// order. One request at a time: while an answer is outstanding nothing more is read, so a client feels back-pressure.
final class Connection<R: Responder>: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Answers are handed to the channel at the latest when this many bytes have come together.
    private static var flushThreshold: Int { 256 * 1024 }
    /// How long a client may take to close after the last answer.
    private static var endTimeout: Int64 { 2_000_000_000 }

    let loop: ServerLoop<R>
    /// Numbers the request that is next to be answered; see `Ticket`.
    private(set) var generation: UInt64 = 0
    private var slot: Int32 = -1
    private var wait = Wait.first
    private var deadline = Int64.max
    private var decoder = RequestDecoder()
    /// The bytes of an incomplete request, or of requests that wait their turn.
    private var pending: ByteBuffer?
    private var context: ChannelHandlerContext?
    private var peer = Peer()
    private var address: ConnectionLedger.Address?
    /// Whether the ledger counts it.
    private var isCounted = false
    private var isWritable = true
    /// Whether nothing is read from the socket, because an answer or the client is awaited.
    private var readingIsPaused = false
    private var inputIsClosed = false
    /// Whether the TLS handshake is not complete, so that no answer can be given.
    private var isSecuring: Bool
    /// What the head of the request that is answered later asked for.
    private var later = (closes: false, omitsContent: false, confirmsKeepAlive: false)

    /// - Parameter isSecured: whether TLS comes before it in the pipeline.
    init(loop: ServerLoop<R>, isSecured: Bool) {
        self.loop = loop
        isSecuring = isSecured
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        slot = loop.add(self)
        generation = loop.nextGeneration()
        peer = Peer(context.remoteAddress)
        address = loop.ledger.address(context.remoteAddress)
        enter(.first, now: Clock.now())
        if let refusal = loop.ledger.admit(address) {
            refuse(refusal)
        } else {
            isCounted = true
            if loop.isDraining { closeNow() }
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        closeNow()
        pending = nil
        loop.remove(slot: slot)
        if isCounted { loop.ledger.release(address) }
        isCounted = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var incoming = unwrapInboundIn(data)
        guard isListening else {
            keep(&incoming)
            return
        }
        var bench = loop.takeBench()
        bench.begin(now: Clock.now())
        if pending == nil {
            let used = consume(incoming.readableBytesUInt8Span, &bench)
            incoming.moveReaderIndex(forwardBy: used)
            keep(&incoming)
        } else {
            keep(&incoming)
            consumePending(&bench)
        }
        finish(bench)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if wait == .room, isWritable {
            var bench = loop.takeBench()
            bench.begin(now: Clock.now())
            enter(.idle, now: bench.now)
            goOn(bench)
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputIsClosed = true
            if wait != .answer, wait != .room { closeAfterFlush() }
        } else if case .handshakeCompleted = event as? TLSUserEvent {
            isSecuring = false
            peer.identity = identity(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of input without a closing alert; requests say how long they are, so that nothing can be cut off unseen.
        if case .uncleanShutdown = error as? NIOSSLError { return }
        failHandshake()
        closeNow()
    }

    /// Counts a handshake that does not end well.
    private func failHandshake() {
        guard isSecuring else { return }
        isSecuring = false
        loop.responder?.dropped(.handshake)
    }

    /// What the responder says of the client's certificate.
    private func identity(_ context: ChannelHandlerContext) -> Int32 {
        guard let shown = try? context.pipeline.syncOperations.nioSSL_peerCertificate(),
            let der = try? shown.toDERBytes(), let certificate = try? PeerCertificate(der: der)
        else { return -1 }
        return loop.responder?.identify(certificate) ?? -1
    }

    /// Whether bytes that arrive are looked at now.
    private var isListening: Bool {
        switch wait {
        case .first, .idle, .head, .content: true
        case .answer, .room, .last, .end, .closed: false
        }
    }

    // MARK: Requests

    /// Handles as many requests as `bytes` hold.
    ///
    /// - Returns: how many bytes they were; the rest belongs to a request that must wait.
    private func consume(_ bytes: Span<UInt8>, _ bench: inout Workbench) -> Int {
        guard let responder = loop.responder else { return bytes.count }
        var decoder = decoder
        defer { self.decoder = decoder }
        var start = 0
        while start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            switch decoder.next(rest, head: &bench.head, limits: loop.limits) {
            case .incomplete:
                enter(decoder.awaitsContent ? .content : .head, now: bench.now)
                return start
            case .sendContinue:
                bench.writer.continues()
                enter(.content, now: bench.now)
                return start
            case .emptyLine(let length):
                start += length
            case .request(let length):
                start += length
                respond(responder, rest.extracting(0..<length), &bench)
                guard wait == .idle else { return wait == .last ? bytes.count : start }
            case .refused(let refusal):
                write(refusal, &bench)
                return bytes.count
            }
        }
        return start
    }

    private func respond(_ responder: R, _ bytes: Span<UInt8>, _ bench: inout Workbench) {
        bench.head.peer = peer
        bench.prepareWriter(isDraining: loop.isDraining)
        let disposition: Disposition
        switch bench.head.framing {
        case .length:
            let content = bytes.extracting(bench.head.length..<bytes.count)
            disposition = responder.respond(
                to: bench.head, bytes: bytes, content: content, ticket: ticket, now: bench.now, into: &bench.writer)
        case .chunked:
            bench.content.removeAll(keepingCapacity: true)
            ChunkedContent.forEachChunk(bytes, from: bench.head.length) { range in
                for index in range { bench.content.append(bytes[index]) }
            }
            let content = bench.content
            disposition = responder.respond(
                to: bench.head, bytes: bytes, content: content.span, ticket: ticket, now: bench.now,
                into: &bench.writer)
        }
        switch disposition {
        case .answered:
            afterAnswer(&bench)
        case .later:
            later = (bench.writer.closes, bench.writer.omitsContent, bench.writer.confirmsKeepAlive)
            enter(.answer, now: bench.now)
        }
    }

    /// Writes the answer to the request that waits for one; called by the loop, at any time.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard wait == .answer else { return false }
        var bench = loop.takeBench()
        bench.begin(now: Clock.now())
        bench.writer.closes = later.closes || loop.isDraining
        bench.writer.omitsContent = later.omitsContent
        bench.writer.confirmsKeepAlive = later.confirmsKeepAlive
        write(responder, &bench.writer)
        afterAnswer(&bench)
        goOn(bench)
        return true
    }

    private func afterAnswer(_ bench: inout Workbench) {
        bench.answered += 1
        generation = loop.nextGeneration()
        if bench.writer.closes {
            enter(.last, now: bench.now)
        } else {
            enter(.idle, now: bench.now)
            if bench.writer.output.readableBytes > Self.flushThreshold { flush(&bench) }
        }
    }

    /// Refuses the connection, or the request that it is in the middle of.
    private func refuse(_ refusal: Refusal) {
        var bench = loop.takeBench()
        bench.begin(now: Clock.now())
        write(refusal, &bench)
        finish(bench)
    }

    private func write(_ refusal: Refusal, _ bench: inout Workbench) {
        bench.writer.closes = true
        bench.writer.omitsContent = false
        loop.responder?.refuse(refusal, into: &bench.writer)
        pending = nil
        enter(.last, now: bench.now)
    }

    /// After a wait: requests that have arrived meanwhile, then the socket.
    private func goOn(_ bench: consuming Workbench) {
        consumePending(&bench)
        finish(bench)
        if wait != .answer, wait != .room { resumeReading() }
        if loop.isDraining { drain() }
    }

    /// Lets the client feel that it must wait: what it sends stays in the socket.
    private func pauseReading() {
        guard !readingIsPaused else { return }
        readingIsPaused = true
        try? context?.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    /// Reads on after an answer or the client was awaited.
    private func resumeReading() {
        guard readingIsPaused else { return }
        readingIsPaused = false
        try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
    }

    // MARK: Bytes

    private func consumePending(_ bench: inout Workbench) {
        guard isListening, var buffer = pending else { return }
        // Given up while it is read, so that moving its reader index copies nothing.
        pending = nil
        let used = consume(buffer.readableBytesUInt8Span, &bench)
        buffer.moveReaderIndex(forwardBy: used)
        if buffer.readableBytes > 0 {
            buffer.discardReadBytes()
            pending = buffer
        }
    }

    /// Copies what is left of `incoming`: a slice of the receive buffer would keep NIO from using it again.
    private func keep(_ incoming: inout ByteBuffer) {
        guard incoming.readableBytes > 0, isListening || wait == .answer || wait == .room else { return }
        if pending == nil {
            pending = context?.channel.allocator.buffer(capacity: incoming.readableBytes)
        }
        pending?.writeBuffer(&incoming)
    }

    /// Ends a batch: hands its answers to the channel and puts the bench back.
    private func finish(_ bench: consuming Workbench) {
        flush(&bench)
        if bench.answered > 0 {
            loop.responder?.answered(count: bench.answered, elapsed: Clock.now() - bench.now)
        }
        loop.putBack(bench)
        if inputIsClosed, isListening { closeAfterFlush() }
    }

    /// Hands the answers that have come together to the channel.
    private func flush(_ bench: inout Workbench) {
        guard bench.writer.output.readableBytes > 0 else { return }
        defer { bench.writer.clear() }
        guard let context else { return }
        if wait == .last {
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(bench.writer.output), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.endOutput() }
        } else {
            context.writeAndFlush(wrapOutboundOut(bench.writer.output), promise: nil)
            if !isWritable, isListening { enter(.room, now: bench.now) }
        }
    }

    // MARK: Deadlines and end

    private func enter(_ next: Wait, now: Int64) {
        // These deadlines count from the first byte, not from the last.
        if wait == next, next == .head || next == .content { return }
        if wait == .first, next == .head {
            wait = .head
            return
        }
        wait = next
        if next == .answer || next == .room { pauseReading() }
        switch next {
        case .first, .head: deadline = now &+ loop.limits.headTimeout
        case .idle, .room, .last: deadline = now &+ loop.limits.idleTimeout
        case .content: deadline = now &+ loop.limits.bodyTimeout
        case .end: deadline = now &+ Self.endTimeout
        case .answer, .closed: deadline = .max
        }
    }

    func checkDeadline(now: Int64) {
        guard now >= deadline else { return }
        switch wait {
        case .head: refuse(.headTimeout)
        case .content: refuse(.bodyTimeout)
        case .first, .idle, .room, .last, .end:
            failHandshake()
            closeNow()
        case .answer, .closed: break
        }
    }

    func drain() {
        if wait == .first || wait == .idle, pending == nil { closeAfterFlush() }
    }

    func closeNow() {
        if wait == .answer { loop.responder?.abandon(ticket) }
        enter(.closed, now: 0)
        context?.close(promise: nil)
    }

    /// Closes once everything that was written has left. No request is being answered, so that no input is unread.
    private func closeAfterFlush() {
        switch wait {
        case .first, .idle, .head, .content, .room:
            guard let context else { return }
            enter(.last, now: Clock.now())
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.closeNow() }
        case .end: closeNow()
        // An answer is on its way, and the end comes after it.
        case .answer, .last, .closed: break
        }
    }

    /// Says that no answer follows, and leaves the client time to read the last one: closing at once with unread input
    /// would make the kernel reset the connection, and the answer could be lost (RFC 9112, section 9.6).
    private func endOutput() {
        guard wait == .last else { return }
        if inputIsClosed {
            closeNow()
        } else {
            enter(.end, now: Clock.now())
            context?.close(mode: .output, promise: nil)
            // Only by reading does one learn that the client has closed too.
            resumeReading()
        }
    }

    private var ticket: Ticket { Ticket(loop: loop.index, slot: slot, generation: generation) }
}
