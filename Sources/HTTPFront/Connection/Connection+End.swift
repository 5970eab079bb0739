internal import NIOCore

/// Deadlines, and the end of the connection.
extension Connection {
    /// How long a client may take to close after the last answer.
    private static var endTimeout: Int64 { 2_000_000_000 }

    func enter(_ next: ConnectionWait, now: Int64) {
        // These deadlines count from the first byte, not from the last.
        if wait == next, next == .head || next == .content { return }
        if wait == .first, next == .head {
            wait = .head
            return
        }
        wait = next
        switch next {
        case .first, .head: deadline = now &+ loop.limits.headTimeout
        case .idle: deadline = now &+ loop.limits.idleTimeout
        case .content: deadline = now &+ loop.limits.bodyTimeout
        case .room, .last:
            // They end when the client reads too little.
            readAt = now
            stall.begin(now: now, idleTimeout: loop.limits.idleTimeout)
            deadline = .max
        case .end: deadline = now &+ Self.endTimeout
        case .turn:
            deadline = .max
            loop.queueTurn(of: self)
        case .takeover: loop.eventLoop.assumeIsolated().execute { self.drive(.takeover) }
        case .answer, .closed, .handedOver: deadline = .max
        }
    }

    /// More of a request's content is needed, of which this much has come, the head included.
    func awaitContent(received: Int, now: Int64) {
        if wait != .content { pace.begin(received: received, now: now, limits: loop.limits) }
        enter(.content, now: now)
    }

    func checkDeadline(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        if mayHoldUnsent { countUnsent(now: now) }
        if wait == .room || wait == .last {
            let left = (context?.unsentBytes ?? 0) + (largeContent?.left ?? 0)
            if stall.hasExpired(left: left, now: now, idleTimeout: loop.limits.idleTimeout) { drop(.unreadAnswer) }
            return
        }
        if wait == .content, pace.hasExpired(received: pending?.readableBytes ?? 0, now: now, limits: loop.limits) {
            return refuse(.bodyTimeout)
        }
        guard now >= deadline else { return }
        switch wait {
        case .head: refuse(.headTimeout)
        case .content: refuse(.bodyTimeout)
        case .first: drop(.headTimeout)
        case .idle: drop(.idle)
        case .end: closeNow()
        case .answer, .room, .turn, .takeover, .last, .closed, .handedOver: break
        }
    }

    /// Ends the connection without an answer.
    private func drop(_ refusal: Refusal) {
        // A drain shortens the time of what is idle; that is no fault of the client's.
        if !failHandshake(), !loop.isDraining { loop.responder?.dropped(refusal) }
        closeNow()
    }

    func drain(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        guard wait == .first || wait == .idle, pending == nil else { return }
        if now >= loop.drainGrace {
            closeAfterFlush()
        } else {
            deadline = min(deadline, loop.drainGrace)
        }
    }

    func closeNow() {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        if wait == .answer { loop.responder?.abandon(ticket) }
        enter(.closed, now: 0)
        output.close()
        forgetUnsent()
        context?.close(promise: nil)
    }

    /// Closes once everything that was written has left. No request is being answered, so that no input is unread.
    func closeAfterFlush() {
        switch wait {
        case .first, .idle, .head, .content, .takeover:
            guard let context else { return }
            enter(.last, now: Clock.now())
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.drive(.flushedToClose) }
        case .end: closeNow()
        // Answers are on their way, and the end comes after them.
        case .answer, .room, .turn, .last, .closed, .handedOver: break
        }
    }

    /// Says that no answer follows, and leaves the client time to read the last one: closing at once with unread input
    /// would make the kernel reset the connection, and the answer could be lost (RFC 9112, section 9.6).
    func endOutput() {
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

    var ticket: Ticket { Ticket(loop: loop.index, slot: slot, generation: generation) }
}

extension ChannelHandlerContext {
    /// The bytes that the channel has been given and the kernel has not taken.
    var unsentBytes: Int { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }
}
