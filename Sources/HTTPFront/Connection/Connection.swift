internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// One client connection over HTTP/1.x: it takes bytes, finds requests in them, hands each to the responder, and writes the answers in
/// order. While one answer is outstanding later requests are kept and reading pauses, so that the client feels back-pressure.
///
/// Bytes that come while the connection is idle wait in the loop's `ReadBatch`, outside of any step. Every other event is a step of
/// `EventDriven`: `ConnectionMachine` decides, and the methods here carry out its actions.
final class Connection<R: Responder>: EventDriven<ConnectionEvent>, ChannelInboundHandler, LoopSlot, BatchMember {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let loop: ServerLoop<R>
    private(set) var generation: UInt64 = 0
    private var machine: ConnectionMachine
    private var decoder = RequestDecoder()
    /// The bytes of an incomplete request, or of requests that wait.
    private var pending: ByteBuffer?
    /// The bytes of the connection in the loop's batch; `nil` if it is not in the batch.
    private var arrived: ByteBuffer?
    /// The place of the batch's answers in the output. If it is not empty the step that wrote them goes on until they are sent.
    private var answers = 0..<0
    private var context: ChannelHandlerContext?
    private var output = SocketOutput()
    private var unsent = UnsentAnswers()
    private var peer = Peer()
    private var slot: Int32 = -1
    private var address: ConnectionLimiter.Address?
    private var admission = ConnectionLimiter.Admission.dropped(.connections)

    /// - Parameter isSecured: true if TLS comes before it in the pipeline.
    init(loop: ServerLoop<R>, isSecured: Bool) {
        self.loop = loop
        // The TLS handshake names the protocol.
        machine = ConnectionMachine(opening: isSecured ? .handshake : loop.limits.maxStreams > 0 ? .preface : .known)
    }

    private var limits: HTTPLimits { loop.limits }

    private var ticket: Ticket { Ticket(loop: loop.index, slot: slot, generation: generation) }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        // At once, because the descriptor may belong to another connection now.
        output.close()
        settle(.inactive)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Incoming.unwrapInboundIn(data)
        if arrived != nil { loop.answerBatch() }
        guard beginStep() else { return drive(.bytes(bytes)) }
        let parses = accept(bytes)
        endStep()
        guard parses else { return }
        // The answers of other connections must not wait for a large read.
        let isLarge = bytes.readableBytes > ReceiveSize.kept
        if isLarge { loop.answerBatch() }
        arrived = consume bytes
        loop.arrived(at: self)
        if isLarge { loop.answerBatch() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .handedOver = machine.state { drive(.readComplete) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !context.channel.isActive { output.close() }
        settle(.failed(error))
    }

    /// Handles an event after the bytes that came before it.
    func settle(_ event: ConnectionEvent) {
        if arrived != nil { loop.answerBatch() }
        drive(event)
    }

    override func handle(_ event: ConnectionEvent) {
        if case .handedOver = machine.state {
            context?.forward(event)
            return
        }
        switch event {
        case .active: open()
        case .bytes(let bytes):
            guard accept(bytes) else { return }
            keep(bytes)
            resume(now: Clock.now())
        case .readComplete: break
        case .writabilityChanged:
            let now = Clock.now()
            let isWritable = context?.channel.isWritable ?? false
            perform(machine.writabilityChanged(isWritable, now: now, limits: limits), now: now)
        case .user(let event): handle(user: event)
        case .failed(let error):
            // The client has closed without TLS's closing alert. Requests carry their length, so nothing can be cut off unnoticed.
            if case .uncleanShutdown = error as? NIOSSLError { return }
            countFailedHandshake()
            close()
        case .inactive: end()
        case .takeOver: switchToHTTP2()
        case .lastAnswerLeft: perform(machine.lastAnswerLeft(now: Clock.now()), now: Clock.now())
        case .partLeft(let succeeded):
            guard succeeded else { return close() }
            let now = Clock.now()
            unsent.clientReads(now: now)
            sendContent(now: now)
        case .flushed, .loop(.close): close()
        case .loop(.turn(let now)): perform(machine.turn(now: now, limits: limits), now: now)
        case .loop(.tick(let now)): tick(now: now)
        case .loop(.drain(let now)): drainNow(now: now)
        }
    }

    /// Carries out an action of the machine.
    private func perform(_ action: ConnectionMachine.Action, now: Int64) {
        switch action {
        case .none: break
        case .parse: resume(now: now)
        case .pauseReading: setReading(false)
        case .queueTurn: loop.queueTurn(of: self)
        case .scheduleSwitch: loop.eventLoop.assumeIsolated().execute { self.drive(.takeOver) }
        case .refuse(let refusal): refuse(refusal)
        case .abort(let refusal):
            // A drain shortens the time of idle connections, which is not their clients' fault.
            if !countFailedHandshake(), !loop.isDraining { loop.responder?.dropped(refusal) }
            close()
        case .closeAfterFlush:
            unsent.clientReads(now: now)
            context?.writeAndFlush(ByteBuffer()) { _ in self.drive(.flushed) }
        case .halfClose:
            // Closing at once with unread input makes the kernel reset the connection, and the answer could be lost (RFC 9112, section 9.6).
            context?.close(mode: .output, promise: nil)
            resumeReading()
        case .close: close()
        // These concern bytes, and are carried out where the bytes are.
        case .matchPreface, .keep, .keepAndPause, .drop, .forward: break
        }
    }

    // MARK: Life

    private func open() {
        guard let context else { return }
        slot = loop.add(self)
        if machine.opening != .handshake { output = SocketOutput(context) }
        generation = loop.nextGeneration()
        peer = Peer(context.remoteAddress)
        address = loop.limiter.address(context.remoteAddress)
        let now = Clock.now()
        machine.opened(now: now, limits: limits)
        admission = loop.limiter.admit(address, canAnswer: machine.opening != .handshake)
        switch admission {
        case .admitted:
            // It was accepted before the server stopped listening, and may have sent its request already.
            if loop.isDraining { drainNow(now: now) }
        case .shed(let refusal): refuse(refusal)
        case .dropped(let refusal):
            loop.responder?.dropped(refusal)
            _ = machine.handshakeEnded()
            close()
        }
    }

    private func handle(user event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            let now = Clock.now()
            perform(machine.inputEnded(now: now, limits: limits), now: now)
        } else if case .handshakeCompleted(let name) = event as? TLSUserEvent, case .first = machine.state {
            // The responder's identity for the client's certificate.
            peer.identity = context?.peerCertificate.flatMap { loop.responder?.identify($0) } ?? -1
            perform(machine.secured(speaksHTTP2: name == "h2"), now: Clock.now())
        }
    }

    private func tick(now: Int64) {
        if unsent.mayBeQueued { countUnsent(now: now) }
        let unread = machine.watchesClient ? (context?.unsentBytes ?? 0) + (unsent.content?.left ?? 0) : 0
        let received = pending?.readableBytes ?? 0
        perform(machine.tick(now: now, received: received, unread: unread, limits: limits), now: now)
    }

    private func drainNow(now: Int64) {
        let action = machine.drain(until: loop.drainGrace, hasPending: pending != nil, now: now, limits: limits)
        perform(action, now: now)
    }

    private func close() {
        if machine.close() { loop.responder?.abandon(ticket) }
        output.close()
        unsent.end(loop.unsent)
        context?.close(promise: nil)
    }

    private func end() {
        close()
        pending = nil
        loop.remove(slot: slot)
        loop.limiter.release(address, admission)
        admission = .dropped(.connections)
    }

    // MARK: Bytes

    /// Keeps bytes, drops them, or hands them on to HTTP/2, unless they are to be parsed now.
    private func accept(_ bytes: ByteBuffer) -> Bool {
        switch machine.bytes() {
        case .parse: return true
        case .matchPreface: return !isPreface(bytes)
        case .keepAndPause:
            keep(bytes)
            setReading(false)
        case .keep: keep(bytes)
        case .forward: context?.fireChannelRead(wrapInboundOut(bytes))
        default: break
        }
        return false
    }

    /// Keeps the bytes, as a copy: a slice of the receive buffer would keep NIO from using it again.
    private func keep(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, machine.keepsInput else { return }
        var kept = pending ?? ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        // Given up while it is written to, so that it is not copied.
        pending = nil
        kept.writeImmutableBuffer(bytes)
        pending = kept
    }

    func answerArrival(_ scratch: inout LoopScratch) {
        guard var bytes = arrived.take() else { return }
        guard beginStep() else { return drive(.bytes(bytes)) }
        if machine.isListening {
            if pending == nil {
                let used = consume(bytes.readableBytesUInt8Span, &scratch)
                bytes.moveReaderIndex(forwardBy: used)
                keep(bytes)
            } else {
                keep(bytes)
                consumePending(&scratch)
            }
        }
        // The awaited answer must not pass those before it.
        if machine.awaitedAnswer != nil { flush(&scratch) }
        answers = scratch.start..<scratch.writer.output.count
        if answers.isEmpty { endStep() }
    }

    func sendAnswers(_ scratch: borrowing LoopScratch) {
        guard !answers.isEmpty else { return }
        send(answers, scratch)
        answers = 0..<0
        endStep()
    }

    private func consumePending(_ scratch: inout LoopScratch) {
        guard machine.isListening, var buffer = pending else { return }
        // Given up while it is read, so that moving its reader index copies nothing.
        pending = nil
        let used = consume(buffer.readableBytesUInt8Span, &scratch)
        buffer.moveReaderIndex(forwardBy: used)
        if buffer.readableBytes > 0 {
            buffer.discardReadBytes()
            pending = buffer
        }
    }

    // MARK: Requests

    /// Answers as many requests as `bytes` hold.
    ///
    /// - Returns: the number of bytes that are done with; the rest belongs to a request that waits.
    private func consume(_ bytes: Span<UInt8>, _ scratch: inout LoopScratch) -> Int {
        guard let responder = loop.responder else { return bytes.count }
        scratch.received = bytes.count
        // A local copy, because the runtime checks longer accesses to a property.
        var decoder = decoder
        defer { self.decoder = decoder }
        var start = 0
        while start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            switch decoder.next(rest, head: &scratch.head, limits: limits) {
            case .incomplete:
                if decoder.awaitsContent {
                    machine.contentIncomplete(received: rest.count, now: scratch.now, limits: limits)
                } else {
                    machine.headIncomplete(now: scratch.now, limits: limits)
                }
                return start
            case .sendContinue:
                scratch.writer.continues()
                machine.contentIncomplete(received: rest.count, now: scratch.now, limits: limits)
                return start
            case .emptyLine(let length):
                start += length
            case .request(let length):
                start += length
                respond(responder, rest.extracting(0..<length), &scratch)
                switch machine.remainder {
                case .parse: break
                case .drop: return bytes.count
                default: return start
                }
                if start < bytes.count, scratch.endsTurn() {
                    perform(machine.turnEnded(), now: scratch.now)
                    return start
                }
            case .refused(let refusal):
                write(refusal, &scratch)
                return bytes.count
            }
        }
        return start
    }

    private func respond(_ responder: R, _ bytes: Span<UInt8>, _ scratch: inout LoopScratch) {
        scratch.head.peer = peer
        scratch.prepareWriter(isDraining: loop.isDraining)
        let disposition: Disposition
        switch scratch.head.framing {
        case .length:
            let content = bytes.extracting(scratch.head.length..<bytes.count)
            disposition = responder.respond(
                to: scratch.head, bytes: bytes, content: content, ticket: ticket, now: scratch.now,
                into: &scratch.writer)
        case .chunked:
            scratch.content.removeAll(keepingCapacity: true)
            ChunkedContent.forEachChunk(bytes, from: scratch.head.length) { range in
                for index in range { scratch.content.append(bytes[index]) }
            }
            let content = scratch.content
            disposition = responder.respond(
                to: scratch.head, bytes: bytes, content: content.span, ticket: ticket, now: scratch.now,
                into: &scratch.writer)
        }
        switch disposition {
        case .answered:
            scratch.answered += 1
            afterAnswer(&scratch)
        case .later: machine.answerLater(scratch.writer.form)
        }
    }

    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard let form = machine.awaitedAnswer, beginStep() else { return false }
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        scratch.writer.form = form
        if loop.isDraining { scratch.writer.closes = true }
        write(responder, &scratch.writer)
        afterAnswer(&scratch)
        goOn(scratch)
        endStep()
        return true
    }

    private func afterAnswer(_ scratch: inout LoopScratch) {
        generation = loop.nextGeneration()
        let content = scratch.writer.takeLargeContent()
        if let content { unsent.begin(content) }
        let closes = scratch.writer.closes
        machine.answered(closes: closes, isLarge: content != nil, now: scratch.now, limits: limits)
        if closes || content != nil {
            unsent.clientReads(now: scratch.now)
        } else if scratch.writer.output.count - scratch.start > LoopScratch.flushThreshold {
            flush(&scratch)
        }
    }

    /// Refuses the connection, or its incomplete request.
    private func refuse(_ refusal: Refusal) {
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        write(refusal, &scratch)
        finish(scratch)
    }

    private func write(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        scratch.writer.form = AnswerForm(closes: true)
        loop.responder?.refuse(refusal, into: &scratch.writer)
        pending = nil
        machine.answered(closes: true, isLarge: false, now: scratch.now, limits: limits)
        unsent.clientReads(now: scratch.now)
    }

    /// Answers requests that were kept.
    private func resume(now: Int64) {
        var scratch = loop.takeScratch()
        scratch.begin(now: now)
        goOn(scratch)
    }

    /// Answers kept requests, then reads on.
    private func goOn(_ scratch: consuming LoopScratch) {
        consumePending(&scratch)
        finish(scratch)
        resumeReading()
        if loop.isDraining { drainNow(now: Clock.now()) }
    }

    // MARK: Output

    /// Sends the answers of a step and gives the scratch memory back.
    private func finish(_ scratch: consuming LoopScratch) {
        flush(&scratch)
        let now = scratch.now
        loop.report(scratch, since: now)
        loop.putBack(scratch)
        if machine.inputHasEnded, machine.isListening {
            perform(machine.closeAfterFlush(now: Clock.now(), limits: limits), now: now)
        }
    }

    /// Sends the connection's answers in the output.
    private func flush(_ scratch: inout LoopScratch) {
        send(scratch.start..<scratch.writer.output.count, scratch)
        scratch.writer.truncate(to: scratch.start)
    }

    /// - Parameter answers: their place in the output. The content of the last of them may be apart.
    private func send(_ answers: Range<Int>, _ scratch: borrowing LoopScratch) {
        guard !answers.isEmpty, !machine.isClosed else { return }
        var start = answers.lowerBound
        let hasContent = machine.holdsContent
        let isLast = machine.isLast && !hasContent
        if !isLast {
            // A local copy, because the runtime checks longer accesses to a property.
            var output = output
            start += output.write(
                scratch.writer.output.span.extracting(answers), unsentBytes: context?.unsentBytes ?? 0,
                more: hasContent)
            self.output = output
            if start == answers.upperBound {
                if hasContent { sendContent(now: scratch.now) }
                return
            }
        }
        guard let context else { return }
        var rest = context.channel.allocator.buffer(capacity: answers.upperBound - start)
        rest.writeBytes(scratch.writer.output[start..<answers.upperBound])
        unsent.mayBeQueued = true
        if isLast {
            context.writeAndFlush(rest) { _ in self.drive(.lastAnswerLeft) }
        } else if hasContent {
            context.write(wrapOutboundOut(rest), promise: nil)
            sendContent(now: scratch.now)
        } else {
            context.writeAndFlush(wrapOutboundOut(rest), promise: nil)
            let action = machine.answersQueued(now: scratch.now, limits: limits)
            if machine.watchesClient { unsent.clientReads(now: scratch.now) }
            perform(action, now: scratch.now)
        }
    }

    /// Sends as much of a large answer's content as the kernel takes, and hands one part of the rest to the channel; the next part follows
    /// when that one has left. So the connection holds a reference to the content and a copy of one part.
    private func sendContent(now: Int64) {
        guard var content = unsent.content, let context, !machine.isClosed else { return }
        var output = output
        content.advance(
            by: output.write(content.bytes.span.extracting(content.offset...), unsentBytes: context.unsentBytes))
        self.output = output
        guard content.left > 0 else { return endContent(now: now) }
        loop.unsent.retain(&content)
        let part = content.takePart(of: LargeContent.partBytes, context.channel.allocator)
        unsent.update(content)
        perform(machine.pauseReading(), now: now)
        context.writeAndFlush(part) { self.drive(.partLeft(succeeded: $0)) }
        countUnsent(now: now)
        loop.unsent.relieve()
    }

    private func endContent(now: Int64) {
        unsent.endContent(loop.unsent)
        if unsent.unreadSince != nil { countUnsent(now: now) }
        perform(machine.contentLeft(hasPending: pending != nil, now: now, limits: limits), now: now)
        if case .idle = machine.state {
            resumeReading()
            if loop.isDraining { drainNow(now: now) }
        }
    }

    private func countUnsent(now: Int64) { unsent.count(context?.unsentBytes ?? 0, now: now, loop.unsent) }

    var unreadSince: Int64? { unsent.unreadSince }

    private func resumeReading() { if machine.resumesReading() { setReading(true) } }

    private func setReading(_ isOn: Bool) { try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn) }

    // MARK: TLS

    /// Reports a handshake that was not completed.
    ///
    /// - Returns: true if there was one.
    @discardableResult
    private func countFailedHandshake() -> Bool {
        guard machine.handshakeEnded(), context?.hasReceivedByte == true else { return false }
        loop.responder?.dropped(.handshake)
        return true
    }

    // MARK: HTTP/2

    /// Compares the first bytes with HTTP/2's preface, and keeps them if they match it or are too few to tell.
    ///
    /// - Returns: false if the bytes are to be parsed as HTTP/1.x.
    private func isPreface(_ bytes: ByteBuffer) -> Bool {
        let now = Clock.now()
        var matches = HTTP2Codec.hasPreface(bytes.readableBytesUInt8Span)
        if pending == nil, matches == false {
            _ = machine.preface(false, now: now, limits: limits)
            return false
        }
        keep(bytes)
        matches = pending.flatMap { HTTP2Codec.hasPreface($0.readableBytesUInt8Span) }
        let action = machine.preface(matches, now: now, limits: limits)
        if action == .parse { resume(now: now) } else { perform(action, now: now) }
        return true
    }

    /// Hands the connection over to HTTP/2, together with the bytes that have come. This handler stays HTTP/2's entrance: it hands events on,
    /// one after the other.
    ///
    /// It runs in a task of its own, never in a read: adding the codec writes to the socket, and if that fails NIO reads the rest of the
    /// input and closes the channel before it returns.
    private func switchToHTTP2() {
        guard let context, let deadline = machine.switchToHTTP2() else { return }
        let connection = HTTP2Connection(loop: loop, peer: peer, address: address, deadline: deadline)
        admission = .dropped(.connections)
        loop.remove(slot: slot)
        slot = -1
        do {
            try connection.install(in: context.pipeline.syncOperations, behind: self)
        } catch {
            connection.drive(.inactive)
            context.close(promise: nil)
            return
        }
        if let bytes = pending {
            pending = nil
            context.fireChannelRead(wrapInboundOut(bytes))
            context.fireChannelReadComplete()
        }
    }
}

/// Unwraps the bytes of a read. A type of its own because it is not generic, so the compiler knows how.
private final class Incoming: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
}
