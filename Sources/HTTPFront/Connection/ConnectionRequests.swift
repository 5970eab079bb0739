internal import NIOCore
internal import Primitives

/// The requests of one connection over HTTP/1.x: it takes bytes, finds requests in them, hands each to the responder, and sends the answers
/// in order. While one answer is outstanding later requests are kept and reading pauses, so that the client feels back-pressure.
///
/// Bytes that come while the connection is idle wait in the loop's `ReadBatch`, outside of any step. `Connection`, the subclass, handles the
/// other events and carries out the machine's actions.
class ConnectionRequests<R: Responder>: EventDriven<ConnectionEvent>, LoopSlot, BatchMember {
    final let loop: ServerLoop<R>
    final let output: ConnectionOutput
    final private(set) var generation: UInt64 = 0
    final private(set) var machine: ConnectionMachine
    final private var decoder = RequestDecoder()
    /// The bytes of an incomplete request, or of requests that wait.
    final private(set) var pending: ByteBuffer?
    /// The bytes of the connection in the loop's batch; `nil` if it is not in the batch.
    final private var arrived: ByteBuffer?
    /// The place of the batch's answers in the output. If it is not empty the step that wrote them goes on until they are sent.
    final private var answers = 0..<0
    final private(set) var context: ChannelHandlerContext?
    final var peer = Peer()
    final private(set) var slot: Int32 = -1

    init(loop: ServerLoop<R>, machine: consuming ConnectionMachine) {
        self.loop = loop
        self.machine = machine
        output = ConnectionOutput(loop.unsent)
    }

    final var limits: HTTPLimits { loop.limits }

    final var waiter: Waiter { Waiter(loop: loop.index, slot: slot, generation: generation) }

    final func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    final func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Takes a slot on the loop.
    final func join(as peer: Peer) {
        self.peer = peer
        slot = loop.add(self)
        generation = loop.nextGeneration()
    }

    /// Gives the slot back.
    final func leave() {
        pending = nil
        loop.remove(slot: slot)
        slot = -1
    }

    /// The responder knows the client's certificate as this identity.
    final func identify(as identity: Int32) { peer.identity = identity }

    /// Tells the machine of an event. The subclass changes it in no other way.
    ///
    /// Inlined, because a call while the property is accessed would have the runtime check every access.
    @inline(__always)
    final func change<Result>(_ event: (inout ConnectionMachine, HTTPLimits) -> Result) -> Result {
        event(&machine, limits)
    }

    /// Carries out an action of the machine; overridden by the subclass.
    func perform(_ action: ConnectionMachine.Action, now: MonotonicInstant) {}

    final func drive(_ event: LoopEvent) { drive(.loop(event)) }

    /// Handles an event after the bytes that came before it.
    final func settle(_ event: ConnectionEvent) {
        if arrived != nil { loop.answerBatch() }
        drive(event)
    }

    // MARK: Bytes

    final func channelRead(context: ChannelHandlerContext, data: NIOAny) {
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

    /// Keeps bytes, drops them, or hands them on to HTTP/2, unless they are to be parsed now.
    final func accept(_ bytes: ByteBuffer) -> Bool {
        switch machine.bytes() {
        case .parse: return true
        case .matchPreface: return !isPreface(bytes)
        case .keepAndPause:
            keep(bytes)
            setReading(false)
        case .keep: keep(bytes)
        case .forward: context?.fireChannelRead(NIOAny(bytes))
        default: break
        }
        return false
    }

    /// Compares the first bytes with HTTP/2's preface, and keeps them if they match it or are too few to tell.
    ///
    /// - Returns: false if the bytes are to be parsed as HTTP/1.x.
    private final func isPreface(_ bytes: ByteBuffer) -> Bool {
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

    /// Keeps the bytes, as a copy: a slice of the receive buffer would keep NIO from using it again.
    final func keep(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, machine.keepsInput else { return }
        var kept = pending ?? ByteBufferAllocator().buffer(capacity: bytes.readableBytes)
        // Given up while it is written to, so that it is not copied.
        pending = nil
        kept.writeImmutableBuffer(bytes)
        pending = kept
    }

    final func answerArrival(_ scratch: inout LoopScratch) {
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

    final func sendAnswers(_ scratch: borrowing LoopScratch) {
        guard !answers.isEmpty else { return }
        send(answers, scratch)
        answers = 0..<0
        endStep()
    }

    private final func consumePending(_ scratch: inout LoopScratch) {
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
    private final func consume(_ bytes: Span<UInt8>, _ scratch: inout LoopScratch) -> Int {
        guard let responder = loop.responder else { return bytes.count }
        scratch.received = bytes.count
        // A local copy, because the runtime checks longer accesses to a property.
        var decoder = decoder
        defer { self.decoder = decoder }
        var start = 0
        while start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            let step = decoder.next(rest, head: &scratch.head, limits: limits)
            switch step {
            case .incomplete where !decoder.awaitsContent:
                machine.headIncomplete(now: scratch.now, limits: limits)
                return start
            case .incomplete, .sendContinue:
                if case .sendContinue = step { scratch.writer.continues() }
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

    private final func respond(_ responder: R, _ bytes: Span<UInt8>, _ scratch: inout LoopScratch) {
        scratch.head.peer = peer
        if peer.isTrustedProxy { scratch.head.takeClient(bytes, limits.trustedProxies) }
        scratch.prepareWriter(isDraining: loop.isDraining)
        switch scratch.respond(responder, bytes, as: waiter) {
        case .answered: afterAnswer(&scratch)
        case .later:
            scratch.writer.form.takesChunks = scratch.head.isHTTP11
            machine.answerLater(scratch.writer.form)
        }
    }

    final func answer(_ responder: R, _ write: @escaping (R, inout ResponseWriter) -> Void) -> Bool {
        guard beginStep() else {
            drive(.answer(generation) { write(responder, &$0) })
            return true
        }
        let isAwaited = answer({ write(responder, &$0) }, now: Clock.now())
        endStep()
        return isAwaited
    }

    /// Writes the awaited answer.
    ///
    /// - Returns: false if none is awaited.
    @discardableResult
    final func answer(_ write: (inout ResponseWriter) -> Void, now: MonotonicInstant) -> Bool {
        guard let form = machine.awaitedAnswer else { return false }
        var scratch = loop.takeScratch()
        scratch.begin(now: now)
        scratch.writer.form = form
        if loop.isDraining { scratch.writer.closes = true }
        write(&scratch.writer)
        if let stream = scratch.writer.takeStream() {
            generation = loop.nextGeneration()
            prepare(stream, form: scratch.writer.form)
        } else {
            afterAnswer(&scratch)
        }
        goOn(scratch)
        if machine.isStreaming { beginStream(now: now) }
        return true
    }

    private final func afterAnswer(_ scratch: inout LoopScratch) {
        generation = loop.nextGeneration()
        let content = scratch.writer.takeLargeContent()
        if let content { output.begin(content) }
        let closes = scratch.writer.closes
        machine.answered(closes: closes, isLarge: content != nil, now: scratch.now, limits: limits)
        if closes || content != nil {
            output.clientReads(now: scratch.now)
        } else if scratch.writer.output.count - scratch.start > LoopScratch.flushThreshold {
            flush(&scratch)
        }
    }

    /// Refuses the connection, or its incomplete request.
    final func refuse(_ refusal: Refusal) {
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        write(refusal, &scratch)
        finish(scratch)
    }

    private final func write(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        scratch.writer.form = AnswerForm(closes: true)
        loop.responder?.refuse(refusal, from: peer.address, into: &scratch.writer)
        pending = nil
        machine.answered(closes: true, isLarge: false, now: scratch.now, limits: limits)
        output.clientReads(now: scratch.now)
    }

    /// Answers requests that were kept.
    final func resume(now: MonotonicInstant) {
        var scratch = loop.takeScratch()
        scratch.begin(now: now)
        goOn(scratch)
    }

    /// Answers kept requests, then reads on.
    private final func goOn(_ scratch: consuming LoopScratch) {
        consumePending(&scratch)
        finish(scratch)
        resumeReading()
        if loop.isDraining { drainNow(now: Clock.now()) }
    }

    final func drainNow(now: MonotonicInstant) {
        let action = machine.drain(until: loop.drainGrace, hasPending: pending != nil, now: now, limits: limits)
        perform(action, now: now)
    }

    // MARK: Output

    /// Sends the answers of a step and gives the scratch memory back.
    private final func finish(_ scratch: consuming LoopScratch) {
        flush(&scratch)
        let now = scratch.now
        loop.report(scratch, since: now)
        loop.putBack(scratch)
        if machine.inputHasEnded, machine.isListening {
            perform(machine.closeAfterFlush(now: Clock.now(), limits: limits), now: now)
        }
    }

    /// Sends the connection's answers in the output.
    private final func flush(_ scratch: inout LoopScratch) {
        send(scratch.start..<scratch.writer.output.count, scratch)
        scratch.writer.truncate(to: scratch.start)
    }

    /// - Parameter answers: their place in the output. The content of the last of them may be apart.
    private final func send(_ answers: Range<Int>, _ scratch: borrowing LoopScratch) {
        guard !answers.isEmpty, !machine.isClosed else { return }
        let hasContent = machine.holdsContent
        let isLast = machine.isLast && !hasContent
        let isQueued = output.send(
            answers, in: scratch.writer.output, isLast: isLast, hasContent: hasContent, context, of: self)
        if hasContent { return sendContent(now: scratch.now) }
        guard isQueued, !isLast else { return }
        let action = machine.answersQueued(now: scratch.now, limits: limits)
        if machine.watchesClient { output.clientReads(now: scratch.now) }
        perform(action, now: scratch.now)
    }

    final func sendContent(now: MonotonicInstant) {
        guard let context, !machine.isClosed, let hasLeft = output.sendContent(context, of: self, now: now) else {
            return
        }
        guard hasLeft else { return perform(machine.pauseReading(), now: now) }
        perform(machine.contentLeft(hasPending: pending != nil, now: now, limits: limits), now: now)
        guard case .idle = machine.state else { return }
        resumeReading()
        if loop.isDraining { drainNow(now: now) }
    }

    final var unreadSince: MonotonicInstant? { output.unreadSince }

    final var idleSince: MonotonicInstant? { machine.idleSince(limits) }

    final func resumeReading() { if machine.resumesReading() { setReading(true) } }

    final func setReading(_ isOn: Bool) { try? context?.channel.syncOptions?.setOption(.autoRead, value: isOn) }
}

/// Unwraps the bytes of a read. A type of its own because it is not generic, so the compiler knows how.
private final class Incoming: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
}
