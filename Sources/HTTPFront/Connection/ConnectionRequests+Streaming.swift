internal import NIOCore
internal import Primitives
internal import Streams

// Answers whose content is passed on as it comes. One part of it at a time waits for the client; the rest waits in the pipe, and so its
// writer feels a client that reads slowly.

extension ConnectionRequests {
    /// So many parts are sent before other connections have their turn.
    private static var partsInTurn: Int { 16 }

    /// The head of the answer has been written, and its content follows.
    final func prepare(_ content: PipeReader, form: AnswerForm) {
        output.begin(content, isChunked: form.takesChunks)
        change { machine, _ in machine.streamBegins(closes: form.closes) }
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        content.onBytes { bound.eventLoop.execute { bound.value.drive(.streamed) } }
    }

    /// The head of the answer has been sent.
    final func beginStream(now: MonotonicInstant) {
        // The client has closed its side before; see `ConnectionMachine.inputEnded`.
        if machine.inputHasEnded { return perform(.close, now: now) }
        sendStream(now: now)
    }

    /// Sends what has come, as far as the kernel takes it.
    final func sendStream(now: MonotonicInstant) {
        guard machine.takesPart, let context else { return }
        for _ in 0..<Self.partsInTurn {
            switch output.sendStream(context, of: self, now: now) {
            case .waits: return
            case .left: break
            case .queued: return change { $0.partWaits(now: now, limits: $1) }
            case .ended(isWhole: true): return endStream(now: now)
            // Without the last chunk the client knows that some of the answer is missing.
            case .ended(isWhole: false): return perform(.close, now: now)
            }
        }
        // Isolated because a connection is driven on its event loop alone.
        loop.eventLoop.assumeIsolated().execute { self.drive(.streamed) }
    }

    final func streamPartLeft(now: MonotonicInstant) {
        output.clientReads(now: now)
        change { machine, _ in machine.partLeft() }
        sendStream(now: now)
    }

    private func endStream(now: MonotonicInstant) {
        change { $0.streamEnded(now: now, limits: $1) }
        let end = output.streamEnd
        let isLast = machine.isLast
        output.clientReads(now: now)
        let isQueued = output.send(
            end.indices, in: end, isLast: isLast, hasContent: false, context, of: self)
        guard !isLast else { return }
        if isQueued { perform(change { $0.answersQueued(now: now, limits: $1) }, now: now) }
        guard machine.isListening else { return }
        if pending != nil { return perform(change { machine, _ in machine.turnEnded() }, now: now) }
        resumeReading()
        if loop.isDraining { drainNow(now: now) }
    }
}
