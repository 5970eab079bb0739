internal import Primitives

/// The life of an HTTP/1.1 connection, an HTTP/2 connection or an HTTP/2 stream: events in, one action out.
///
/// The machine does no I/O and reads no clock. Its owner calls one method for each event, in a step of `EventDriven`, and carries out the
/// returned action.
struct ConnectionMachine: ~Copyable {
    /// The time that a client has to close its side after the last answer.
    static let endTimeout: Int64 = 2_000_000_000

    private(set) var state: State
    private(set) var opening: Opening
    /// True if the client has closed its side.
    private(set) var inputHasEnded = false
    /// True while the content of a large answer has not left whole.
    private(set) var holdsContent = false
    /// True if the channel takes more bytes.
    private var isWritable = true
    private var isReadingPaused = false

    init(opening: Opening = .known, firstUntil: MonotonicInstant = .distantFuture) {
        state = .first(until: firstUntil)
        self.opening = opening
    }

    // MARK: Questions

    /// True if bytes are parsed when they come.
    var isListening: Bool {
        switch state {
        case .first, .idle, .head, .content: true
        case .answer, .streaming, .room, .turn, .streams, .switching, .last, .end, .closed, .handedOver: false
        }
    }

    /// True if bytes are parsed when they come, or later.
    var keepsInput: Bool {
        switch state {
        case .first, .idle, .head, .content, .answer, .streaming, .room, .turn, .switching: true
        case .streams, .last, .end, .closed, .handedOver: false
        }
    }

    /// True if requests that have arrived wait for anything but the rest of their bytes.
    var holdsRequests: Bool {
        switch state {
        case .answer, .streaming, .room, .turn: true
        case .first, .idle, .head, .content, .streams, .switching, .last, .end, .closed, .handedOver: false
        }
    }

    /// True if the client has to read, so that `tick` needs the number of bytes that it has not read.
    var watchesClient: Bool {
        switch state {
        case .room, .last, .streaming: true
        default: false
        }
    }

    var isClosed: Bool { if case .closed = state { true } else { false } }

    var isStreaming: Bool { if case .streaming = state { true } else { false } }

    /// True if the next part of a streamed answer may be sent, because none waits.
    var takesPart: Bool { if case .streaming(_, nil) = state { true } else { false } }

    var isLast: Bool { if case .last = state { true } else { false } }

    /// The time since which a request is awaited of which no byte has come; `nil` if none is.
    func idleSince(_ limits: HTTPLimits) -> MonotonicInstant? {
        switch state {
        case .first(let until): until - limits.headTimeout
        case .idle(let until): until - limits.idleTimeout
        default: nil
        }
    }

    /// True if no request is accepted any more.
    var isEnding: Bool {
        switch state {
        case .last, .end, .closed: true
        default: false
        }
    }

    /// The form of the answer that is awaited; `nil` if none is.
    var awaitedAnswer: AnswerForm? { if case .answer(let form) = state { form } else { nil } }

    /// The treatment of the bytes behind a request: `parse`, `keep` or `drop`.
    var remainder: Action {
        switch state {
        case .idle: .parse
        case .last: .drop
        default: .keep
        }
    }

    // MARK: Input

    mutating func opened(now: MonotonicInstant, limits: HTTPLimits) { state = .first(until: now + limits.headTimeout) }

    mutating func bytes() -> Action {
        switch state {
        case .first, .head: return opening == .preface ? .matchPreface : .parse
        case .idle, .content: return .parse
        case .answer, .streaming, .turn:
            // Not earlier: most clients wait for their answer, and pausing costs two system calls.
            return pauseReading() == .pauseReading ? .keepAndPause : .keep
        case .room, .switching: return .keep
        case .streams, .last, .end, .closed: return .drop
        case .handedOver: return .forward
        }
    }

    /// The bytes compare with HTTP/2's preface so; `nil` if there are too few to tell.
    mutating func preface(_ matches: Bool?, now: MonotonicInstant, limits: HTTPLimits) -> Action {
        switch matches {
        case true?: return beginSwitch()
        case false?:
            opening = .known
            return .parse
        case nil:
            headIncomplete(now: now, limits: limits)
            return .none
        }
    }

    mutating func secured(speaksHTTP2: Bool) -> Action {
        guard case .first = state else { return .none }
        opening = .known
        return speaksHTTP2 ? beginSwitch() : .none
    }

    private mutating func beginSwitch() -> Action {
        switch state {
        case .first(let until), .head(let until): state = .switching(until: until)
        default: return .none
        }
        return .scheduleSwitch
    }

    /// The task of the switch runs.
    ///
    /// - Returns: the deadline of the first request; `nil` if the connection does not switch any more.
    mutating func switchToHTTP2() -> MonotonicInstant? {
        guard case .switching(let until) = state else { return nil }
        state = .handedOver
        return until
    }

    /// The handshake has failed, or ends with the connection.
    ///
    /// - Returns: true if it was not complete.
    mutating func handshakeEnded() -> Bool {
        guard opening == .handshake else { return false }
        opening = .known
        return true
    }

    mutating func inputEnded(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        inputHasEnded = true
        // A client that waits for what may never come, and has closed its side, has most likely gone.
        if isStreaming { return .close }
        return holdsRequests ? .none : closeAfterFlush(now: now, limits: limits)
    }

    // MARK: Requests

    /// A request head is incomplete. The time counts from the first byte, for the first request from the start of the connection.
    mutating func headIncomplete(now: MonotonicInstant, limits: HTTPLimits) {
        switch state {
        case .head: break
        case .first(let until): state = .head(until: until)
        default: state = .head(until: now + limits.headTimeout)
        }
    }

    /// The content of a request is incomplete. The time counts from the first call.
    ///
    /// - Parameter received: the bytes that have come, the head included.
    mutating func contentIncomplete(received: Int, now: MonotonicInstant, limits: HTTPLimits) {
        if case .content = state { return }
        restartContent(received: received, now: now, limits: limits)
    }

    /// The client could not send content, because it had no window for it: the time begins anew.
    mutating func restartContent(received: Int, now: MonotonicInstant, limits: HTTPLimits) {
        var rate = MinimumBodyRate()
        rate.begin(received: received, now: now, limits: limits)
        state = .content(until: now + limits.bodyTimeout, rate: rate)
    }

    mutating func answerLater(_ form: AnswerForm) { state = .answer(form) }

    /// An answer is written.
    ///
    /// - Parameters:
    ///   - closes: true if it is the last one.
    ///   - isLarge: true if its content is sent apart, so that the next request waits until the client has read it.
    @inline(__always)
    mutating func answered(closes: Bool, isLarge: Bool, now: MonotonicInstant, limits: HTTPLimits) {
        holdsContent = isLarge
        if closes {
            state = .last(WriteStall(now: now, idleTimeout: limits.idleTimeout))
        } else if isLarge {
            state = .room(WriteStall(now: now, idleTimeout: limits.idleTimeout))
        } else {
            state = .idle(until: now + limits.idleTimeout)
        }
    }

    /// The turn is over and requests are left.
    mutating func turnEnded() -> Action {
        state = .turn
        return .queueTurn
    }

    /// The event loop gives a turn.
    mutating func turn(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        guard case .turn = state else { return .none }
        return isWritable ? resume(now: now, limits: limits) : waitForRoom(now: now, limits: limits)
    }

    private mutating func resume(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        state = .idle(until: now + limits.idleTimeout)
        return .parse
    }

    // MARK: Output

    /// The channel takes more bytes, or takes no more.
    mutating func writabilityChanged(_ isWritable: Bool, now: MonotonicInstant, limits: HTTPLimits) -> Action {
        self.isWritable = isWritable
        guard case .room = state, isWritable, !holdsContent else { return .none }
        return resume(now: now, limits: limits)
    }

    /// Answers were handed to the channel, because the kernel did not take all of them.
    mutating func answersQueued(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        isWritable || !isListening ? .none : waitForRoom(now: now, limits: limits)
    }

    private mutating func waitForRoom(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        state = .room(WriteStall(now: now, idleTimeout: limits.idleTimeout))
        return pauseReading()
    }

    /// All content of a large answer has left.
    ///
    /// - Parameter hasPending: true if bytes of further requests are kept.
    mutating func contentLeft(hasPending: Bool, now: MonotonicInstant, limits: HTTPLimits) -> Action {
        holdsContent = false
        switch state {
        case .last: return lastAnswerLeft(now: now)
        case .room where hasPending: return turnEnded()
        case .room:
            state = .idle(until: now + limits.idleTimeout)
            return inputHasEnded ? closeAfterFlush(now: now, limits: limits) : .none
        default: return .none
        }
    }

    mutating func clientHasRead(now: MonotonicInstant, limits: HTTPLimits) {
        let stall = WriteStall(now: now, idleTimeout: limits.idleTimeout)
        switch state {
        case .last: state = .last(stall)
        case .streaming(let closes, .some): state = .streaming(closes: closes, stall)
        default: break
        }
    }

    // MARK: Streamed answers

    /// The head of an answer is written, and its content follows as it comes.
    mutating func streamBegins(closes: Bool) { state = .streaming(closes: closes, nil) }

    /// A part waits to be sent, and the client has a deadline to read it.
    mutating func partWaits(now: MonotonicInstant, limits: HTTPLimits) {
        guard case .streaming(let closes, _) = state else { return }
        state = .streaming(closes: closes, WriteStall(now: now, idleTimeout: limits.idleTimeout))
    }

    mutating func partLeft() {
        guard case .streaming(let closes, _) = state else { return }
        state = .streaming(closes: closes, nil)
    }

    /// The content has ended. The bytes that mark its end are sent next.
    mutating func streamEnded(now: MonotonicInstant, limits: HTTPLimits) {
        guard case .streaming(let closes, _) = state else { return }
        answered(closes: closes, isLarge: false, now: now, limits: limits)
    }

    mutating func lastAnswerLeft(now: MonotonicInstant) -> Action {
        guard case .last = state else { return .none }
        if inputHasEnded { return .close }
        state = .end(until: now + Self.endTimeout)
        return .halfClose
    }

    // MARK: HTTP/2 connections

    mutating func streamOpened() { state = .streams }

    /// The last stream has ended.
    ///
    /// - Returns: true if the connection was waiting for it.
    mutating func streamsEnded(now: MonotonicInstant, limits: HTTPLimits) -> Bool {
        guard case .streams = state else { return false }
        state = .idle(until: now + limits.idleTimeout)
        return true
    }

    // MARK: Reading

    /// Pauses reading, so that the client feels that it must wait.
    mutating func pauseReading() -> Action {
        guard !isReadingPaused else { return .none }
        isReadingPaused = true
        return .pauseReading
    }

    /// Returns true if reading was paused and goes on now.
    mutating func resumesReading() -> Bool {
        guard isReadingPaused, !holdsRequests else { return false }
        isReadingPaused = false
        return true
    }

    // MARK: Time and end

    /// A quarter of a second has passed.
    ///
    /// - Parameters:
    ///   - received: the bytes of an incomplete request.
    ///   - unread: the bytes that the client has not read; needed only if `watchesClient`.
    mutating func tick(now: MonotonicInstant, received: Int, unread: Int, limits: HTTPLimits) -> Action {
        switch state {
        case .first(let until): return now >= until ? .abort(.headTimeout) : .none
        case .idle(let until): return now >= until ? .abort(.idle) : .none
        case .head(let until): return now >= until ? .refuse(.headTimeout) : .none
        case .content(let until, var rate):
            let isSlow = rate.hasExpired(received: received, now: now, limits: limits)
            state = .content(until: until, rate: rate)
            return isSlow || now >= until ? .refuse(.bodyTimeout) : .none
        case .room(var stall):
            let hasExpired = stall.hasExpired(left: unread, now: now, idleTimeout: limits.idleTimeout)
            state = .room(stall)
            return hasExpired ? .abort(.unreadAnswer) : .none
        case .last(var stall):
            let hasExpired = stall.hasExpired(left: unread, now: now, idleTimeout: limits.idleTimeout)
            // Reported once.
            state = .last(hasExpired ? WriteStall() : stall)
            return hasExpired ? .abort(.unreadAnswer) : .none
        case .streaming(let closes, .some(var stall)):
            let hasExpired = stall.hasExpired(left: unread, now: now, idleTimeout: limits.idleTimeout)
            state = .streaming(closes: closes, stall)
            return hasExpired ? .abort(.unreadAnswer) : .none
        case .end(let until): return now >= until ? .close : .none
        case .streaming, .answer, .turn, .streams, .switching, .closed, .handedOver: return .none
        }
    }

    /// The event loop drains. A connection between two requests stays until `grace`, any other until its next answer.
    mutating func drain(until grace: MonotonicInstant, hasPending: Bool, now: MonotonicInstant, limits: HTTPLimits)
        -> Action
    {
        switch state {
        case .first, .idle:
            if hasPending { return .none }
            if now >= grace { return closeAfterFlush(now: now, limits: limits) }
        default: return .none
        }
        if case .first(let until) = state { state = .first(until: min(until, grace)) }
        if case .idle(let until) = state { state = .idle(until: min(until, grace)) }
        return .none
    }

    /// No further request is accepted: close as soon as everything that was written has left.
    mutating func closeAfterFlush(now: MonotonicInstant, limits: HTTPLimits) -> Action {
        switch state {
        case .first, .idle, .head, .content, .switching:
            state = .last(WriteStall(now: now, idleTimeout: limits.idleTimeout))
            return .closeAfterFlush
        case .end: return .close
        // The end comes after the answers that are on their way.
        case .answer, .streaming, .room, .turn, .streams, .last, .closed, .handedOver: return .none
        }
    }

    /// The connection, or the stream, is closed.
    ///
    /// - Returns: true if an answer was awaited, which the responder must forget.
    mutating func close() -> Bool {
        let wasAwaited = awaitedAnswer != nil
        state = .closed
        return wasAwaited
    }
}
