internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Primitives

/// One client connection over HTTP/2 (RFC 9113): it takes frames, puts requests together, and sends their answers.
///
/// NIO's codec comes before it in the pipeline. It does framing, header compression and the flow control of output, and counts floods.
/// Requests become the bytes that HTTP/1.1 would have carried, and answers are made from the bytes that HTTP/1.1 would carry, so a responder
/// does not see the difference.
final class HTTP2Connection<R: Responder>: EventDriven<HTTP2Event>, ChannelInboundHandler, LoopSlot {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    let loop: ServerLoop<R>
    let peer: Peer
    let generation: UInt64 = 0
    private let address: ConnectionLimiter.Address?
    private var isCounted = true
    private var context: ChannelHandlerContext?
    private var slot: Int32 = -1
    private var machine: ConnectionMachine
    /// The deadline of a client that reads nothing while the channel is full.
    private var stall = WriteStall()
    private var streams: [HTTP2StreamID: HTTP2Stream<R>] = [:]
    private var lastStreamID = HTTP2StreamID.rootStream
    /// The streams whose requests wait for a turn, in order.
    private var queued: [HTTP2Stream<R>] = []
    private var waitsForTurn = false
    /// True if the client knows that the connection ends.
    private var isLeaving = false
    private let failure = GoAwayWatch()
    private(set) var windows = ReceiveWindows()
    private var outboundWindow = 65_535
    /// When a part of an answer last left.
    private var lastSent = MonotonicInstant.distantPast
    private var countedBytes = 0
    /// When the frames of the current read began to be read, and the number of requests among them that were answered.
    private var batchStart: MonotonicInstant?
    private var answered = 0

    /// - Parameters:
    ///   - address: the address that the limiter counts the connection under; released at the end.
    ///   - deadline: when the first request must be complete.
    init(loop: ServerLoop<R>, peer: Peer, address: ConnectionLimiter.Address?, deadline: MonotonicInstant) {
        self.loop = loop
        self.peer = peer
        self.address = address
        machine = ConnectionMachine(firstUntil: deadline)
    }

    private var limits: HTTPLimits { loop.limits }

    /// Puts HTTP/2 into the pipeline, behind `handler`. The codec comes last, because adding it writes: any event that follows finds all
    /// handlers in place.
    ///
    /// - Returns: false if the pipeline is being taken apart; the connection has ended then.
    func install(in context: ChannelHandlerContext, behind handler: any ChannelHandler) -> Bool {
        do {
            guard beginStep() else { return false }
            defer { endStep() }
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandler(self, position: .after(handler))
            try pipeline.addHandler(HTTP2Codec.make(limits, failure), position: .before(self))
            guard let context = self.context else { return true }
            slot = loop.add(self)
            // A client that has closed its side can say no more about its streams and has gone. The option also keeps NIO from closing the
            // input of a channel that its last frames found broken.
            try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            updateWindow()
            context.flush()
            if loop.isDraining { drainNow(now: Clock.now()) }
            return true
        } catch {
            drive(.inactive)
            context.close(promise: nil)
            return false
        }
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    override func handle(_ event: HTTP2Event) {
        switch event {
        case .frame(let frame): receive(frame)
        case .readComplete: endRead()
        case .writabilityChanged:
            let isFull = context?.channel.isWritable == false
            stall = isFull ? WriteStall(now: Clock.now(), idleTimeout: limits.idleTimeout) : WriteStall()
        case .user(let event): handle(user: event)
        case .failed:
            // The codec has answered the fault of a stream with a reset. Only a broken connection ends.
            guard let code = failure.code else { return }
            if !machine.isClosed {
                loop.responder?.dropped(code == .enhanceYourCalm ? .flood : .brokenProtocol, from: peer.address)
            }
            close()
        case .inactive: end()
        case .partLeft(let count, let id, let isLast, let resets):
            partHasLeft(count, of: id, isLast: isLast, resets: resets)
        case .streamed(let id):
            streams[id]?.sendStream(now: Clock.now())
            context?.flush()
        case .lastAnswerLeft: perform(machine.lastAnswerLeft(now: Clock.now()))
        case .loop(.turn(let now)): turn(now: now)
        case .loop(.tick(let now)): tick(now: now)
        case .streamTick(let id, let now):
            guard let stream = streams[id], let refusal = stream.tick(now: now) else { return }
            write { scratch in stream.refuse(refusal, &scratch) }
        case .answer(let id, let write):
            if let stream = streams[id] { self.write { scratch in stream.answer(write, &scratch) } }
        case .loop(.drain(let now)): drainNow(now: now)
        case .loop(.close): close()
        }
    }

    private func handle(user event: Any) {
        switch event {
        case let event as StreamClosedEvent: remove(event.streamID)
        case let event as NIOHTTP2WindowUpdatedEvent where event.streamID == .rootStream:
            if let size = event.inboundWindowSize { windows.connectionChanged(to: size) }
            if let size = event.outboundWindowSize { outboundWindow = size }
        case let event as NIOHTTP2WindowUpdatedEvent:
            if let size = event.inboundWindowSize { windowShrank(to: size, of: event.streamID) }
        case let event as NIOHTTP2BulkStreamWindowChangeEvent:
            windows.initialChanged(by: event.delta)
            for (id, stream) in streams.sorted(by: { $0.key < $1.key }) {
                windowShrank(to: stream.window + event.delta, of: id)
            }
        default: break
        }
    }

    private func perform(_ action: ConnectionMachine.Action) {
        switch action {
        case .abort(.unreadAnswer):
            loop.responder?.dropped(.unreadAnswer, from: peer.address)
            close()
        case .abort(let refusal):
            if !loop.isDraining { loop.responder?.dropped(refusal, from: peer.address) }
            finish()
        case .closeAfterFlush:
            isLeaving = true
            context?.writeAndFlush(HTTP2Codec.goAway(after: lastStreamID)) { _ in self.drive(.lastAnswerLeft) }
        case .halfClose: context?.close(mode: .output, promise: nil)
        case .close: close()
        // The others concern the bytes of HTTP/1.x.
        default: break
        }
    }

    // MARK: Requests

    /// True if a request may be answered now: the turn is not over, and the client has read enough of earlier answers. The content of a
    /// large answer counts only as far as it is copied, so that one unread answer does not hold up the other streams.
    private var takesRequests: Bool {
        !hasHadTurn && streams.values.reduce(0) { $0 + $1.heldAnswer } <= HTTPLimits.heldAnswers
    }

    private var hasHadTurn: Bool {
        answered >= LoopScratch.turnRequests || batchStart.map { Clock.now() - $0 >= LoopScratch.turnTime } ?? false
    }

    private func receive(_ frame: HTTP2Frame) {
        guard !machine.isEnding else { return }
        switch frame.payload {
        case .headers(let payload):
            let stream = streams[frame.streamID]
            read { scratch in
                if let stream {
                    stream.end(payload.headers, &scratch)
                } else {
                    open(frame.streamID).begin(payload.headers, isWhole: payload.endStream, &scratch)
                }
            }
        case .data(let payload):
            guard let stream = streams[frame.streamID], case .byteBuffer(let buffer) = payload.data else { return }
            read { scratch in stream.receive(buffer, isLast: payload.endStream, &scratch) }
        default: break
        }
    }

    private func read(_ body: (inout LoopScratch) -> Void) {
        var scratch = loop.takeScratch()
        let now = batchStart ?? Clock.now()
        batchStart = now
        scratch.begin(now: now)
        body(&scratch)
        answered += scratch.answered
        loop.putBack(scratch)
    }

    private func endRead() {
        updateWindow()
        context?.flush()
        if let start = batchStart, answered > 0 {
            loop.responder?.answered(count: answered, elapsed: Clock.now() - start)
        }
        batchStart = nil
        answered = 0
        proceed()
    }

    /// Lends the scratch memory for answers, and sends them.
    private func write(_ body: (inout LoopScratch) -> Void) {
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        body(&scratch)
        answered += scratch.answered
        if scratch.answered > 0 {
            loop.responder?.answered(count: scratch.answered, elapsed: Clock.now() - scratch.now)
        }
        loop.putBack(scratch)
        updateWindow()
        context?.flush()
    }

    private func open(_ id: HTTP2StreamID) -> HTTP2Stream<R> {
        let stream = HTTP2Stream(id, of: self, generation: loop.nextGeneration(), window: windows.initial)
        stream.slot = loop.add(stream)
        streams[id] = stream
        lastStreamID = max(lastStreamID, id)
        machine.streamOpened()
        if loop.isDraining { leave() }
        return stream
    }

    /// - Returns: false if the request may be answered now, because no other waits; it is not queued then.
    func queues(_ stream: HTTP2Stream<R>) -> Bool {
        if queued.isEmpty, takesRequests { return false }
        queued.append(stream)
        return true
    }

    /// A stream has ended: its answer has left, or either side has reset it.
    private func remove(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.close()
        loop.remove(slot: stream.slot)
        contentEnded(id)
        queued.removeAll { $0 === stream }
        if streams.isEmpty, machine.streamsEnded(now: Clock.now(), limits: limits) {
            if isLeaving { finish() }
        } else {
            proceed()
        }
    }

    /// Asks for a turn if requests wait and may be answered. They are not answered at once, because the frame that makes room for them is
    /// still being written.
    private func proceed() {
        guard !queued.isEmpty, !waitsForTurn, takesRequests else { return }
        waitsForTurn = true
        loop.queueTurn(of: self)
    }

    private func turn(now: MonotonicInstant) {
        waitsForTurn = false
        guard !queued.isEmpty, !machine.isEnding else { return }
        batchStart = now
        while takesRequests, !queued.isEmpty {
            let stream = queued.removeFirst()
            write { scratch in stream.proceed(&scratch) }
        }
        batchStart = nil
        answered = 0
        proceed()
    }

    // MARK: Answers

    func write(_ payload: HTTP2Frame.FramePayload, to id: HTTP2StreamID) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: nil)
    }

    func reset(_ id: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        write(.rstStream(code), to: id)
        context?.flush()
    }

    /// Sends a part of an answer's content. The codec keeps what flow control does not let out yet.
    ///
    /// - Parameter resets: true if the stream is reset when the last part has left.
    func send(_ part: ByteBuffer, isLast: Bool, to id: HTTP2StreamID, resets: Bool) {
        guard let context else { return }
        let left = context.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenSuccess {
            self.drive(.partLeft(count: part.readableBytes, of: id, isLast: isLast, resets: resets))
        }
        let frame = HTTP2Frame(streamID: id, payload: .data(.init(data: .byteBuffer(part), endStream: isLast)))
        context.write(wrapOutboundOut(frame), promise: left)
    }

    private func partHasLeft(_ count: Int, of id: HTTP2StreamID, isLast: Bool, resets: Bool) {
        let now = Clock.now()
        lastSent = now
        if let stream = streams[id] {
            stream.sent(count, now: now)
            if !isLast {
                stream.sendMore(resets: resets, now: now)
                context?.flush()
            } else if resets {
                // Not earlier: a reset would discard the rest of the answer.
                reset(id, .noError)
            }
        }
        proceed()
    }

    private func countUnsent() {
        let unsent =
            streams.isEmpty
            ? 0 : streams.values.reduce(context?.unsentBytes ?? 0) { $0 + $1.heldAnswer + $1.waitingContent }
        if countedBytes == 0, unsent > 0 { lastSent = max(lastSent, Clock.now()) }
        loop.unsent.addCopied(unsent - countedBytes)
        countedBytes = unsent
    }

    var unreadSince: MonotonicInstant? { countedBytes > 0 ? lastSent : nil }
    var idleSince: MonotonicInstant? { machine.idleSince(limits) }

    // MARK: Windows

    private func windowShrank(to size: Int, of id: HTTP2StreamID) {
        guard let stream = streams[id] else { return }
        stream.window = size
        if stream.awaitsContent { widen(windows.streamShrank(id, to: size, limits: limits)) }
    }

    /// A stream needs no more content.
    func contentEnded(_ id: HTTP2StreamID) { widen(windows.streamEnded(id)) }

    private func widen(_ id: HTTP2StreamID?) {
        if let id { write(.windowUpdate(windowSizeIncrement: limits.wideWindow), to: id) }
    }

    /// Gives the client the window of content that is not kept any more.
    private func updateWindow() {
        guard !machine.isEnding else { return }
        let kept = streams.values.reduce(0) { $0 + $1.held }
        guard let increment = windows.increment(kept: kept, limits: limits) else { return }
        write(.windowUpdate(windowSizeIncrement: increment), to: .rootStream)
    }

    // MARK: Deadlines and end

    private func tick(now: MonotonicInstant) {
        countUnsent()
        let unread = context?.unsentBytes ?? 0
        let isStuck = stall.hasExpired(left: unread, now: now, idleTimeout: limits.idleTimeout)
        perform(isStuck ? .abort(.unreadAnswer) : machine.tick(now: now, received: 0, unread: unread, limits: limits))
    }

    /// True if the answer of a stream waits because the client reads those of other streams, which come first.
    func isBusy(now: MonotonicInstant) -> Bool {
        (outboundWindow <= 0 || context?.channel.isWritable == false) && lastSent > now - limits.idleTimeout
    }

    private func drainNow(now: MonotonicInstant) {
        if case .streams = machine.state { return leave() }
        perform(machine.drain(until: loop.drainGrace, hasPending: false, now: now, limits: limits))
    }

    /// Tells the client the last request that will be answered; it may send later ones again elsewhere (RFC 9113, section 6.8). The codec
    /// takes no new streams after a GOAWAY, so an earlier warning would be of no use.
    func leave() {
        guard !isLeaving, let context else { return }
        isLeaving = true
        context.writeAndFlush(wrapOutboundOut(HTTP2Codec.goAway(after: lastStreamID)), promise: nil)
    }

    /// Ends the connection behind the last answer. No request is being answered.
    private func finish() { perform(machine.closeAfterFlush(now: Clock.now(), limits: limits)) }

    private func close() {
        guard !machine.isClosed else { return }
        _ = machine.close()
        queued = []
        for stream in streams.values {
            stream.close()
            loop.remove(slot: stream.slot)
        }
        streams = [:]
        loop.unsent.addCopied(-countedBytes)
        countedBytes = 0
        context?.close(promise: nil)
    }

    private func end() {
        close()
        loop.remove(slot: slot)
        slot = -1
        if isCounted { loop.limiter.release(address) }
        isCounted = false
    }
}
