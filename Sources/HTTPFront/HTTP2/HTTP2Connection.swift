internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// One client connection over HTTP/2 (RFC 9113): takes frames, puts requests together, sends their answers.
///
/// Framing, header compression, flow control of what is sent, and the counting of floods are NIOHTTP2Handler's, which is
/// before it in the pipeline. Requests become what HTTP/1.1 would have sent, and answers are made from what HTTP/1.1 would
/// send, so that a responder cannot tell the two apart.
final class HTTP2Connection<R: Responder>: ChannelInboundHandler, LoopSlot {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// What happens to the connection.
    enum Event {
        case frame(HTTP2Frame)
        case readComplete
        case writabilityChanged
        /// An event of the codec or the channel, such as the end of a stream.
        case user(Any)
        case failed
        case inactive
        /// A part of an answer has left.
        case partLeft(count: Int, of: HTTP2Stream<R>, isLast: Bool, resets: Bool)
        /// All answers have left, or never will.
        case lastAnswerLeft
    }

    enum Wait {
        /// The first request.
        case first
        /// Another request.
        case idle
        /// What the streams wait for.
        case streams
        /// The last answer to leave: what arrives is dropped.
        case last
        /// The client's end of the connection, after the last answer: what arrives is dropped.
        case end
        /// Nothing more.
        case closed
    }

    /// Requests are not handed to the responder while more than this of earlier answers has not left.
    private static var maxUnsent: Int { 256 * 1024 }

    let loop: ServerLoop<R>
    let peer: Peer
    let generation: UInt64 = 0
    private let address: ConnectionLimiter.Address?
    /// True if the ledger counts the connection.
    private var isCounted = true
    var context: ChannelHandlerContext?
    /// True if an event is being handled, or a step of the loop's taken; what comes meanwhile waits.
    private var isBusy = false
    private var hasWaiting = false
    private var events = EventQueue<Event>()
    private var slot: Int32 = -1
    var wait = Wait.first
    var deadline: Int64
    var stall = WriteStall()
    var streams: [HTTP2StreamID: HTTP2Stream<R>] = [:]
    var lastStreamID = HTTP2StreamID.rootStream
    /// Requests that wait for earlier answers to leave, in their order.
    var queued: [HTTP2Stream<R>] = []
    var isDraining = false
    /// True if the client has been told that the connection ends.
    var isLeaving = false
    /// The code of a GOAWAY that broke the connection off.
    private let failure = GoAwayWatch()
    /// What the client may still send without being told that it may send more.
    var window = 65_535
    /// What the client takes of all answers without saying that it takes more, and when some of one has last left.
    var outboundWindow = 65_535
    var lastSent = Int64.min
    /// What a client may send of a new stream's content; what the settings say as soon as it has confirmed them.
    var initialWindow = 65_535
    /// The streams that may send all of their content, and those that wish to, in their order.
    var wide: Set<HTTP2StreamID> = []
    var wishes: [HTTP2StreamID] = []
    /// True if it is in the loop's queue for another turn.
    private var waitsForTurn = false
    /// What the ledger counts of the connection's.
    var countedBytes = 0
    /// When the frames that are being read began to be read, and the requests among them that were answered.
    private var batchStart: Int64?
    private var answered = 0

    /// - Parameters:
    ///   - address: what the ledger counts the connection under; it is given back at the end.
    ///   - deadline: when the first request must be there.
    init(loop: ServerLoop<R>, peer: Peer, address: ConnectionLimiter.Address?, deadline: Int64) {
        self.loop = loop
        self.peer = peer
        self.address = address
        self.deadline = deadline
    }

    /// Puts HTTP/2 into a pipeline, behind `handler`.
    ///
    /// The codec comes last, because to add it writes: whatever happens to the channel then finds everybody in place.
    ///
    /// - Throws: NIO's error, if the pipeline is being taken apart.
    func install(in pipeline: ChannelPipeline.SynchronousOperations, behind handler: any ChannelHandler) throws {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: loop.limits.maxStreams),
            HTTP2Setting(parameter: .initialWindowSize, value: loop.limits.streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: loop.limits.headerListBytes),
        ]
        // Both are checked here, so that the client gets an answer and the refusal is counted by its reason.
        connection.headerBlockValidation = .disabled
        connection.contentLengthValidation = .disabled
        connection.maximumBufferedControlFrames = 1000
        let codec = NIOHTTP2Handler(mode: .server, frameDelegate: failure, connectionConfiguration: connection)
        try pipeline.addHandler(self, position: .after(handler))
        try pipeline.addHandler(codec, position: .before(self))
        begin()
    }

    private func begin() {
        guard wait != .closed, let context else { return }
        slot = loop.add(self)
        // A client that can say nothing more about its streams has gone. To say so here also keeps NIO from closing the input of
        // a channel whose last frames found, as the end was read, that it cannot be written to any more.
        try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        updateWindow()
        context.flush()
        if loop.isDraining { drain(now: Clock.now()) }
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) { drive(.inactive) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { drive(.frame(unwrapInboundIn(data))) }

    func channelReadComplete(context: ChannelHandlerContext) { drive(.readComplete) }

    func channelWritabilityChanged(context: ChannelHandlerContext) { drive(.writabilityChanged) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { drive(.user(event)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { drive(.failed) }

    // MARK: Handling

    /// Handles an event, or has it wait until the one that is being handled has been.
    func drive(_ event: Event) {
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

    private func handle(_ event: Event) {
        switch event {
        case .frame(let frame): receive(frame)
        case .readComplete: endRead()
        case .writabilityChanged:
            if context?.channel.isWritable == false {
                stall.begin(now: Clock.now(), idleTimeout: loop.limits.idleTimeout)
            } else if wait != .last {
                stall.end()
            }
        case .user(let event): handle(user: event)
        case .failed:
            // What is wrong with a stream has been answered with its reset; only a broken connection ends.
            guard let code = failure.code else { return }
            if wait != .closed { loop.responder?.dropped(code == .enhanceYourCalm ? .flood : .brokenProtocol) }
            closeNow()
        case .inactive: channelHasEnded()
        case .partLeft(let count, let stream, let isLast, let resets):
            sent(count, of: stream, isLast: isLast, resets: resets)
        case .lastAnswerLeft: endOutput()
        }
    }

    /// Gives back what the connection has on its loop and in the ledger; once, however often it is called.
    func channelHasEnded() {
        closeNow()
        loop.remove(slot: slot)
        slot = -1
        if isCounted { loop.limiter.release(address) }
        isCounted = false
    }

    private func receive(_ frame: HTTP2Frame) {
        switch frame.payload {
        case .headers(let payload):
            read { scratch in
                if let stream = streams[frame.streamID] {
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

    private func handle(user event: Any) {
        switch event {
        case let event as StreamClosedEvent: remove(event.streamID)
        case let event as NIOHTTP2WindowUpdatedEvent where event.streamID == .rootStream:
            if let size = event.inboundWindowSize { window = size }
            if let size = event.outboundWindowSize { outboundWindow = size }
        case let event as NIOHTTP2WindowUpdatedEvent:
            if let size = event.inboundWindowSize { windowShrank(to: size, of: event.streamID) }
        case let event as NIOHTTP2BulkStreamWindowChangeEvent: windowsChanged(by: event.delta)
        default: break
        }
    }

    // MARK: Requests

    /// True if a request may be answered, or must wait for its client to read earlier answers.
    var takesRequests: Bool { !hasHadTurn && streams.values.reduce(0) { $0 + $1.unsent } <= Self.maxUnsent }

    /// True if others are to have their turn before more of its requests are answered.
    private var hasHadTurn: Bool {
        answered >= LoopScratch.turnRequests || batchStart.map { Clock.now() - $0 >= LoopScratch.turnTime } ?? false
    }

    /// Lends the scratch for a frame.
    private func read(_ body: (inout LoopScratch) -> Void) {
        guard wait != .closed, wait != .last, wait != .end else { return }
        var scratch = loop.takeScratch()
        let now = batchStart ?? Clock.now()
        batchStart = now
        scratch.begin(now: now)
        body(&scratch)
        answered += scratch.answered
        loop.putBack(scratch)
    }

    /// Lends the scratch for an answer that comes later.
    func batch(_ body: (inout LoopScratch) -> Void) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
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
        let stream = HTTP2Stream(id, of: self, generation: loop.nextGeneration(), window: initialWindow)
        stream.slot = loop.add(stream)
        streams[id] = stream
        lastStreamID = max(lastStreamID, id)
        wait = .streams
        deadline = .max
        if isDraining { leave() }
        return stream
    }

    func queue(_ stream: HTTP2Stream<R>) { queued.append(stream) }

    /// A stream has ended, on either side's wish.
    private func remove(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.close()
        loop.remove(slot: stream.slot)
        narrow(id)
        queued.removeAll { $0 === stream }
        if streams.isEmpty, wait == .streams {
            wait = .idle
            deadline = Clock.now() &+ loop.limits.idleTimeout
            if isLeaving { finish() }
        } else {
            proceed()
        }
    }

    /// Has requests that have waited handed to the responder, unless their turn is on its way.
    func proceed() {
        guard !queued.isEmpty, !waitsForTurn, takesRequests else { return }
        // Not at once: the frame that gave them their turn is still being written.
        waitsForTurn = true
        loop.queueTurn(of: self)
    }

    func takeTurn(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        waitsForTurn = false
        guard !queued.isEmpty, wait == .streams else { return }
        batchStart = now
        while takesRequests, !queued.isEmpty {
            let stream = queued.removeFirst()
            batch { scratch in stream.proceed(&scratch) }
        }
        batchStart = nil
        answered = 0
        proceed()
    }
}

/// Remembers whether NIOHTTP2Handler has broken the connection off: of its errors only those are the connection's.
private final class GoAwayWatch: NIOHTTP2FrameDelegate {
    private(set) var code: HTTP2ErrorCode?

    func wroteFrame(_ frame: HTTP2Frame) {
        if case .goAway(_, let code, _) = frame.payload, code != .noError { self.code = code }
    }
}
