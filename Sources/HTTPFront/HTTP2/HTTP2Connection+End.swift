internal import NIOCore
internal import NIOHTTP2

/// Deadlines, and the end of the connection.
extension HTTP2Connection {
    /// How long a client may take to close after the last answer.
    private static var endTimeout: Int64 { 2_000_000_000 }

    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool { false }

    func checkDeadline(now: Int64) {
        if let context, stall.hasExpired(context, now: now, limits: loop.limits) {
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
        case .streams, .closed: break
        }
    }

    func drain(now: Int64) {
        isDraining = true
        switch wait {
        case .first, .idle: deadline = min(deadline, loop.drainGrace)
        case .streams: leave()
        case .end, .closed: break
        }
        if now >= deadline { finish() }
    }

    /// Tells the client up to which request it will get answers; those after it were not looked at, and it may send them
    /// again elsewhere (RFC 9113, section 6.8). NIOHTTP2Handler takes no new streams once this has been said, so there is no
    /// use in saying first that it will be said.
    func leave() {
        guard !isLeaving, let context else { return }
        isLeaving = true
        let frame = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: lastStreamID, errorCode: .noError, opaqueData: nil))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }

    /// No request is being answered: says so, and leaves the client time to read what it was sent.
    func finish() {
        guard wait != .end, wait != .closed else { return }
        leave()
        wait = .end
        deadline = Clock.now() &+ Self.endTimeout
        context?.close(mode: .output, promise: nil)
    }

    func closeNow() {
        guard wait != .closed else { return }
        wait = .closed
        deadline = .max
        queued = []
        for stream in streams.values {
            stream.close()
            loop.remove(slot: stream.slot)
        }
        streams = [:]
        context?.close(promise: nil)
    }
}
