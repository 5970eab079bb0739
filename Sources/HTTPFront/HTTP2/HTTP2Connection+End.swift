internal import NIOCore
internal import NIOHTTP2

/// Deadlines, and the end of the connection.
extension HTTP2Connection {
    /// How long a client may take to close after the last answer.
    private static var endTimeout: Int64 { 2_000_000_000 }

    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool { false }

    func checkDeadline(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        countUnsent()
        if let context,
            stall.hasExpired(left: context.unsentBytes, now: now, idleTimeout: loop.limits.idleTimeout)
        {
            loop.responder?.dropped(.unreadAnswer)
            return closeNow()
        }
        guard now >= deadline else { return }
        switch wait {
        case .first:
            if !isDraining { loop.responder?.dropped(.headTimeout) }
            finish()
        case .idle:
            if !isDraining { loop.responder?.dropped(.idle) }
            finish()
        case .end: closeNow()
        case .streams, .last, .closed: break
        }
    }

    func drain(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        isDraining = true
        switch wait {
        case .first, .idle: deadline = min(deadline, loop.drainGrace)
        case .streams: leave()
        case .last, .end, .closed: break
        }
        if now >= deadline { finish() }
    }

    /// Tells the client up to which request it will get answers; those after it were not looked at, and it may send them
    /// again elsewhere (RFC 9113, section 6.8). NIOHTTP2Handler takes no new streams once this has been said, so there is no
    /// use in saying first that it will be said.
    func leave() {
        guard !isLeaving, let context else { return }
        isLeaving = true
        context.writeAndFlush(wrapOutboundOut(goAway), promise: nil)
    }

    private var goAway: HTTP2Frame {
        HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: lastStreamID, errorCode: .noError, opaqueData: nil))
    }

    /// No request is being answered: says so behind the last answer, and then leaves the client time to read that.
    func finish() {
        guard wait != .last, wait != .end, wait != .closed, let context else { return }
        isLeaving = true
        wait = .last
        deadline = .max
        stall.begin(now: Clock.now(), idleTimeout: loop.limits.idleTimeout)
        let written = context.eventLoop.makePromise(of: Void.self)
        // The promise is of this handler's own event loop.
        written.futureResult.assumeIsolated().whenComplete { _ in self.drive(.lastAnswerLeft) }
        context.writeAndFlush(wrapOutboundOut(goAway), promise: written)
    }

    func endOutput() {
        guard wait == .last else { return }
        wait = .end
        stall.end()
        deadline = Clock.now() &+ Self.endTimeout
        context?.close(mode: .output, promise: nil)
    }

    func closeNow() {
        guard wait != .closed else { return }
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        wait = .closed
        deadline = .max
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
}
