internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2

/// One request of an HTTP/2 connection, and its answer.
final class HTTP2Stream<R: Responder>: LoopSlot {
    /// What the stream waits for.
    private enum Wait {
        /// The rest of the content.
        case content
        /// Answers before it, which their client does not read, or others to have their turn.
        case turn
        /// The responder, which answers later; it keeps its own deadline.
        case answer
        /// The answer to leave; content that still arrives is dropped.
        case leave
        /// Nothing more.
        case end
    }

    let id: HTTP2StreamID
    let generation: UInt64
    /// Its slot on the loop, which is given back when the stream ends.
    var slot: Int32 = -1
    /// What the client may still send of the content, which padding takes from too.
    var window: Int
    /// The content of the answer, while it has not left.
    private(set) var unsent = 0
    /// The rest of a large answer.
    private var largeContent: LargeContent?
    private var countsContent = false
    private unowned let connection: HTTP2Connection<R>
    private var wait = Wait.content
    private var deadline = Int64.max
    private var pace = MinimumBodyRate()
    /// The request as HTTP/1.1 would have sent it, until it is handed to the responder.
    private var request: [UInt8] = []
    private var headLength = 0
    /// What Content-Length says.
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

    /// True if it needs more content.
    var awaitsContent: Bool { if case .content = wait { !inputHasEnded } else { false } }

    /// The bytes of content that it keeps.
    var held: Int { max(0, request.count - headLength) }

    private var ticket: Ticket { Ticket(loop: connection.loop.index, slot: slot, generation: generation) }

    // MARK: The request

    /// The stream's first fields.
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
        deadline = scratch.now &+ limits.bodyTimeout
        pace.begin(received: 0, now: scratch.now, limits: limits)
        if scratch.head[.expect] != nil { connection.write(.headers(.init(headers: [":status": "100"])), to: self) }
    }

    /// Some of the content.
    func receive(_ data: ByteBuffer, isLast: Bool, _ scratch: inout LoopScratch) {
        if isLast { inputHasEnded = true }
        guard case .content = wait else { return }
        let count = held + data.readableBytes
        guard count <= limits.maxBodyBytes else { return refuse(.bodyTooLarge, &scratch) }
        guard count <= expected ?? .max else { return refuse(.contentLength, &scratch) }
        request += data.readableBytesView
        if isLast { complete(&scratch, headIsRead: false) }
    }

    /// The fields after the content.
    func end(_ trailers: HPACKHeaders, _ scratch: inout LoopScratch) {
        inputHasEnded = true
        guard case .content = wait else { return }
        do throws(Refusal) { try HTTP2ToHTTP1.check(trailers: trailers) } catch { return refuse(error, &scratch) }
        complete(&scratch, headIsRead: false)
    }

    /// The request has arrived.
    private func complete(_ scratch: inout LoopScratch, headIsRead: Bool, isItsTurn: Bool = false) {
        guard expected == nil || expected == held else { return refuse(.contentLength, &scratch) }
        deadline = .max
        connection.narrow(id)
        guard isItsTurn || connection.queued.isEmpty && connection.takesRequests else {
            wait = .turn
            return connection.queue(self)
        }
        if !headIsRead {
            do throws(Refusal) {
                try scratch.head.parse(request.span, limits: limits)
            } catch {
                return refuse(error, &scratch)
            }
        }
        respond(&scratch)
    }

    /// Its turn has come.
    func proceed(_ scratch: inout LoopScratch) {
        guard case .turn = wait else { return }
        complete(&scratch, headIsRead: false, isItsTurn: true)
    }

    private func respond(_ scratch: inout LoopScratch) {
        guard let responder = connection.loop.responder else { return }
        let (request, headLength) = (request, headLength)
        forgetRequest()
        scratch.head.peer = connection.peer
        prepare(&scratch.writer)
        let content = request.span.extracting(headLength..<request.count)
        let disposition = responder.respond(
            to: scratch.head, bytes: request.span, content: content, ticket: ticket, now: scratch.now,
            into: &scratch.writer)
        switch disposition {
        case .answered:
            scratch.answered += 1
            send(&scratch)
        case .later:
            wait = .answer
        }
    }

    private func forgetRequest() {
        request = []
        headLength = 0
    }

    // MARK: The answer

    private func prepare(_ writer: inout ResponseWriter) {
        writer.closes = false
        writer.omitsContent = omitsContent
        writer.confirmsKeepAlive = false
    }

    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard case .answer = wait else { return false }
        connection.batch { scratch in
            prepare(&scratch.writer)
            write(responder, &scratch.writer)
            send(&scratch)
        }
        return true
    }

    private func refuse(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        forgetRequest()
        connection.narrow(id)
        prepare(&scratch.writer)
        connection.loop.responder?.refuse(refusal, into: &scratch.writer)
        // What is wrong with one stream is no fault of the others.
        scratch.writer.closes = false
        send(&scratch)
    }

    private func send(_ scratch: inout LoopScratch) {
        defer { scratch.writer.clear() }
        let answer = HTTP1ToHTTP2(scratch.writer.output.span)
        wait = .leave
        deadline = scratch.now &+ limits.idleTimeout
        largeContent = scratch.writer.takeLargeContent()
        unsent = answer.content.count + (largeContent?.left ?? 0)
        connection.send(
            answer, scratch.writer.output, largeContent, of: self, resets: !inputHasEnded, closes: scratch.writer.closes
        )
    }

    /// Takes out the next part of a large answer; `nil` if there is none.
    func takePart(of size: Int, _ allocator: ByteBufferAllocator) -> (part: ByteBuffer, isLast: Bool)? {
        guard var content = largeContent, content.left > 0 else { return nil }
        let part = content.takePart(of: size, allocator)
        if !countsContent, content.left > 0 {
            countsContent = true
            connection.loop.unsent.retain(content.bytes)
        }
        largeContent = content
        if content.left == 0 { forgetContent() }
        return (part, content.left == 0)
    }

    private func forgetContent() {
        if countsContent, let largeContent { connection.loop.unsent.release(largeContent.bytes) }
        countsContent = false
        largeContent = nil
    }

    /// How much is held of the answer as a copy.
    var heldAnswer: Int { unsent - (largeContent?.left ?? 0) }

    /// A part of the answer has left: the client reads.
    func sent(_ count: Int, now: Int64) {
        guard case .leave = wait else { return }
        unsent = max(0, unsent - count)
        deadline = now &+ limits.idleTimeout
    }

    // MARK: Deadlines and end

    func checkDeadline(now: Int64) {
        if case .content = wait, contentIsSlow(now: now) {
            return connection.batch { scratch in refuse(.bodyTimeout, &scratch) }
        }
        guard now >= deadline else { return }
        deadline = .max
        switch wait {
        case .content: connection.batch { scratch in refuse(.bodyTimeout, &scratch) }
        case .leave:
            if !connection.giveUp(self, now: now) { deadline = now &+ limits.idleTimeout }
        case .turn, .answer, .end: break
        }
    }

    private func contentIsSlow(now: Int64) -> Bool {
        if connection.wishes.contains(id) {
            // It may not send; that is no fault of the client's. The streams before it have this long at the most.
            deadline = now &+ limits.bodyTimeout
            pace.begin(received: held, now: now, limits: limits)
            return false
        }
        return pace.hasExpired(received: held, now: now, limits: limits)
    }

    /// The stream is no more, because its answer has left or its client wants none.
    func close() {
        if case .answer = wait { connection.loop.responder?.abandon(ticket) }
        wait = .end
        deadline = .max
        forgetRequest()
        forgetContent()
        unsent = 0
    }
}
