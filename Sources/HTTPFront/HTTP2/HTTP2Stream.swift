internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

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
    /// The rest of a large answer.
    private var largeContent: LargeContent?
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

    private var ticket: Ticket { Ticket(loop: connection.loop.index, slot: slot, generation: generation) }

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
        if connection.isQueueEmpty, connection.takesRequests {
            respond(&scratch, headIsRead: headIsRead)
        } else {
            _ = machine.turnEnded()
            connection.queue(self)
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
        scratch.writer.form = form
        let content = request.span.extracting(headLength..<request.count)
        let disposition = responder.respond(
            to: scratch.head, bytes: request.span, content: content, ticket: ticket, now: scratch.now,
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

    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard let form = machine.awaitedAnswer else { return false }
        return connection.step { scratch in
            scratch.writer.form = form
            write(responder, &scratch.writer)
            send(&scratch)
        }
    }

    func refuse(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        forgetRequest()
        connection.contentEnded(id)
        scratch.writer.form = form
        connection.loop.responder?.refuse(refusal, into: &scratch.writer)
        // The other streams are not at fault.
        scratch.writer.closes = false
        send(&scratch)
    }

    private func send(_ scratch: inout LoopScratch) {
        defer { scratch.writer.clear() }
        let answer = HTTP1ToHTTP2(scratch.writer.output.span)
        largeContent = scratch.writer.takeLargeContent()
        unsent = answer.content.count + (largeContent?.left ?? 0)
        machine.answered(closes: true, isLarge: false, now: scratch.now, limits: limits)
        connection.send(
            answer, scratch.writer.output, isLarge: largeContent != nil, of: self, resets: !inputHasEnded,
            closes: scratch.writer.closes)
    }

    /// Removes the next part of a large answer; `nil` if there is none.
    func takePart(of size: Int, _ allocator: ByteBufferAllocator) -> (part: ByteBuffer, isLast: Bool)? {
        guard var content = largeContent, content.left > 0 else { return nil }
        let part = content.takePart(of: size, allocator)
        if content.left > 0 { connection.loop.unsent.retain(&content) }
        largeContent = content
        if content.left == 0 { forgetContent() }
        return (part, content.left == 0)
    }

    private func forgetContent() {
        if var content = largeContent { connection.loop.unsent.release(&content) }
        largeContent = nil
    }

    /// The bytes of the answer that are held as a copy.
    var heldAnswer: Int { unsent - (largeContent?.left ?? 0) }

    func sent(_ count: Int, now: Int64) {
        guard machine.isLast else { return }
        unsent = max(0, unsent - count)
        clientHasRead(now: now)
    }

    /// The time in which the client must read more begins anew.
    func clientHasRead(now: Int64) { machine.clientHasRead(now: now, limits: limits) }

    // MARK: Deadlines and end

    /// The connection handles the other events of the loop for its streams.
    func drive(_ event: LoopEvent) { if case .tick(let now) = event { connection.drive(.streamTick(id, now: now)) } }

    var unreadSince: Int64? { nil }

    /// The machine's action at a tick.
    func deadlineAction(now: Int64) -> ConnectionMachine.Action {
        if awaitsContent, connection.isHeldUp(id) {
            // The client may not send. The streams before it have this long at the most.
            machine.restartContent(received: held, now: now, limits: limits)
            return .none
        }
        return machine.tick(now: now, received: held, unread: 0, limits: limits)
    }

    func close() {
        if machine.close() { connection.loop.responder?.abandon(ticket) }
        forgetRequest()
        forgetContent()
        unsent = 0
    }
}
