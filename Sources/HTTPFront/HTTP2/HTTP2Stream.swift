internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Primitives
internal import Streams

/// One request of an HTTP/2 connection, and its answer. Its machine is the one of an HTTP/1.1 connection with a single request.
///
/// Every method runs in a step of the connection.
final class HTTP2Stream<R: Responder>: LoopSlot {
    let id: HTTP2StreamID
    let generation: UInt64
    /// The slot on the loop; the connection gives it back when the stream ends.
    var slot: Int32 = -1
    /// The window of the client for the content, from which padding takes too.
    var window: Int
    private unowned let connection: HTTP2Connection<R>
    private var machine = ConnectionMachine()
    /// The bytes of the answer's content that have not left.
    private var unsent = 0
    private var largeContent: LargeContent?
    /// The content of an answer that is passed on as it comes.
    private var streamed: PipeReader?
    /// The request in the form of HTTP/1.1, until the responder has it.
    private var request: [UInt8] = []
    private var headLength = 0
    /// The value of Content-Length; `nil` without it.
    private var expected: Int?
    private var omitsContent = false
    private var inputHasEnded = false

    init(_ id: HTTP2StreamID, of connection: HTTP2Connection<R>, generation: UInt64, window: Int) {
        self.id = id
        self.connection = connection
        self.generation = generation
        self.window = window
    }

    private var limits: HTTPLimits { connection.loop.limits }

    /// True if the request needs more content.
    var awaitsContent: Bool { machine.isListening && !inputHasEnded }

    /// The bytes of content that are kept.
    var held: Int { max(0, request.count - headLength) }

    private var waiter: Waiter { Waiter(loop: connection.loop.index, slot: slot, generation: generation) }

    // MARK: The request

    /// The first fields of the stream.
    func begin(_ fields: HPACKHeaders, isWhole: Bool, _ scratch: inout LoopScratch) {
        inputHasEnded = isWhole
        omitsContent = fields.first(name: ":method")?.utf8.elementsEqual("HEAD".utf8) == true
        do throws(Refusal) {
            try HTTP2ToHTTP1.write(fields, into: &request, limits: limits)
            headLength = request.count
            try scratch.head.parse(request.span, limits: limits)
            if case .length(let length) = scratch.head.framing, scratch.head[.contentLength] != nil {
                expected = length
            }
            if isWhole { return complete(&scratch, headIsRead: true) }
        } catch {
            return refuse(error, &scratch)
        }
        machine.contentIncomplete(received: 0, now: scratch.now, limits: limits)
        if scratch.head[.expect] != nil { connection.write(.headers(.init(headers: [":status": "100"])), to: id) }
    }

    /// Some of the content.
    func receive(_ data: ByteBuffer, isLast: Bool, _ scratch: inout LoopScratch) {
        if isLast { inputHasEnded = true }
        guard machine.isListening else { return }
        let count = held + data.readableBytes
        guard count <= limits.maxBodyBytes else { return refuse(.bodyTooLarge, &scratch) }
        guard count <= expected ?? .max else { return refuse(.contentLength, &scratch) }
        request += data.readableBytesView
        if isLast { complete(&scratch, headIsRead: false) }
    }

    /// The fields after the content.
    func end(_ trailers: HPACKHeaders, _ scratch: inout LoopScratch) {
        inputHasEnded = true
        guard machine.isListening else { return }
        do throws(Refusal) { try HTTP2ToHTTP1.check(trailers: trailers) } catch { return refuse(error, &scratch) }
        complete(&scratch, headIsRead: false)
    }

    private func complete(_ scratch: inout LoopScratch, headIsRead: Bool) {
        guard expected == nil || expected == held else { return refuse(.contentLength, &scratch) }
        connection.contentEnded(id)
        if connection.queues(self) {
            _ = machine.turnEnded()
        } else {
            respond(&scratch, headIsRead: headIsRead)
        }
    }

    /// The connection has its turn.
    func proceed(_ scratch: inout LoopScratch) {
        guard machine.turn(now: scratch.now, limits: limits) == .parse else { return }
        respond(&scratch, headIsRead: false)
    }

    private func respond(_ scratch: inout LoopScratch, headIsRead: Bool) {
        guard let responder = connection.loop.responder else { return }
        if !headIsRead {
            do throws(Refusal) {
                try scratch.head.parse(request.span, limits: limits)
            } catch {
                return refuse(error, &scratch)
            }
        }
        let (request, headLength) = (request, headLength)
        forgetRequest()
        scratch.head.peer = connection.peer
        if connection.peer.isTrustedProxy { scratch.head.takeClient(request.span, limits.trustedProxies) }
        scratch.writer.form = form
        let content = request.span.extracting(headLength..<request.count)
        let disposition = responder.respond(
            to: scratch.head, bytes: request.span, content: content, waiter: waiter, now: scratch.now,
            into: &scratch.writer)
        switch disposition {
        case .answered:
            scratch.answered += 1
            send(&scratch)
        case .later: machine.answerLater(form)
        }
    }

    private func forgetRequest() {
        request = []
        headLength = 0
    }

    // MARK: The answer

    private var form: AnswerForm { AnswerForm(omitsContent: omitsContent) }

    func answer(_ responder: R, _ write: @escaping (R, inout ResponseWriter) -> Void) -> Bool {
        guard !machine.isEnding else { return false }
        connection.drive(.answer(id) { write(responder, &$0) })
        return true
    }

    func answer(_ write: (inout ResponseWriter) -> Void, _ scratch: inout LoopScratch) {
        guard let form = machine.awaitedAnswer else { return }
        scratch.writer.form = form
        write(&scratch.writer)
        send(&scratch)
    }

    var peer: Peer { connection.peer }

    func refuse(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        forgetRequest()
        connection.contentEnded(id)
        scratch.writer.form = form
        connection.loop.responder?.refuse(refusal, from: connection.peer.address, into: &scratch.writer)
        // The other streams are not at fault.
        scratch.writer.closes = false
        send(&scratch)
    }

    private func send(_ scratch: inout LoopScratch) {
        defer { scratch.writer.clear() }
        let answer = HTTP1ToHTTP2(scratch.writer.output.span)
        if let content = scratch.writer.takeStream() { return begin(content, answer.fields, now: scratch.now) }
        largeContent = scratch.writer.takeLargeContent()
        unsent = answer.content.count + (largeContent?.left ?? 0)
        machine.answered(closes: true, isLarge: false, now: scratch.now, limits: limits)
        // A client that has not sent all of its request must be told not to send the rest (RFC 9113, section 8.1).
        let resets = !inputHasEnded
        if scratch.writer.closes { connection.leave() }
        let isEmpty = unsent == 0
        connection.write(.headers(.init(headers: answer.fields, endStream: isEmpty)), to: id)
        if isEmpty {
            if resets { connection.write(.rstStream(.noError), to: id) }
        } else if largeContent != nil {
            sendPart(resets: resets)
        } else {
            var part = ByteBufferAllocator().buffer(capacity: answer.content.count)
            part.writeBytes(scratch.writer.output[answer.content])
            connection.send(part, isLast: true, to: id, resets: resets)
        }
    }

    /// Sends the next part of an answer after one has left.
    func sendMore(resets: Bool, now: MonotonicInstant) {
        guard machine.isStreaming else { return sendPart(resets: resets) }
        machine.partLeft()
        sendStream(now: now)
    }

    private func begin(_ content: PipeReader, _ fields: HPACKHeaders, now: MonotonicInstant) {
        streamed = content
        machine.streamBegins(closes: true)
        let bound = NIOLoopBound(connection, eventLoop: connection.loop.eventLoop)
        let id = id
        content.onBytes { bound.eventLoop.execute { bound.value.drive(.streamed(id)) } }
        connection.write(.headers(.init(headers: fields)), to: id)
        sendStream(now: now)
    }

    /// Sends a part of what has come, unless one waits for the client already. The caller flushes.
    func sendStream(now: MonotonicInstant) {
        guard machine.takesPart, let streamed else { return }
        switch streamed.next() {
        case .later: break
        case .part(let bytes):
            machine.partWaits(now: now, limits: limits)
            unsent = bytes.count
            var part = ByteBufferAllocator().buffer(capacity: bytes.count)
            part.writeBytes(bytes)
            connection.send(part, isLast: false, to: id, resets: false)
        case .end(isWhole: true):
            self.streamed = nil
            machine.streamEnded(now: now, limits: limits)
            connection.send(ByteBuffer(), isLast: true, to: id, resets: false)
        case .end(isWhole: false):
            self.streamed = nil
            connection.reset(id, .internalError)
        }
    }

    /// The bytes of a streamed answer that wait for their turn.
    var waitingContent: Int { streamed?.count ?? 0 }

    /// Sends the next part of a large answer, as one frame (RFC 9113, section 4.2).
    ///
    /// - Parameter resets: true if the stream is reset after the last part.
    func sendPart(resets: Bool) {
        guard var content = largeContent, content.left > 0 else { return }
        let part = content.takePart(of: 16 * 1024, ByteBufferAllocator())
        if content.left > 0 { connection.loop.unsent.retain(&content) }
        largeContent = content
        if content.left == 0 { forgetContent() }
        connection.send(part, isLast: content.left == 0, to: id, resets: resets)
    }

    private func forgetContent() {
        if var content = largeContent { connection.loop.unsent.release(&content) }
        largeContent = nil
    }

    var heldAnswer: Int { unsent - (largeContent?.left ?? 0) }

    func sent(_ count: Int, now: MonotonicInstant) {
        guard machine.isLast || machine.isStreaming else { return }
        unsent = max(0, unsent - count)
        machine.clientHasRead(now: now, limits: limits)
    }

    // MARK: Deadlines and end

    /// The connection handles the other events of the loop for its streams.
    func drive(_ event: LoopEvent) { if case .tick(let now) = event { connection.drive(.streamTick(id, now: now)) } }

    var unreadSince: MonotonicInstant? { nil }

    /// Ends the stream if the client does not read its answer in time.
    ///
    /// - Returns: the refusal of a request that has not come in time.
    func tick(now: MonotonicInstant) -> Refusal? {
        if awaitsContent, connection.windows.isHeldUp(id) {
            // The client may not send. The streams before it have this long at the most.
            machine.restartContent(received: held, now: now, limits: limits)
            return nil
        }
        switch machine.tick(now: now, received: held, unread: 0, limits: limits) {
        case .refuse(let refusal): return refusal
        case .abort:
            if connection.isBusy(now: now) {
                machine.clientHasRead(now: now, limits: limits)
            } else {
                connection.loop.responder?.dropped(.unreadAnswer, from: connection.peer.address)
                connection.reset(id, .cancel)
            }
        default: break
        }
        return nil
    }

    func close() {
        if machine.close() { connection.loop.responder?.abandon(waiter) }
        forgetRequest()
        forgetContent()
        streamed = nil
        unsent = 0
    }
}
