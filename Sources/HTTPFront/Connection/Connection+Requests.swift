internal import NIOCore

/// Requests and their answers.
extension Connection {
    /// Handles as many requests as `bytes` hold.
    ///
    /// - Returns: how many bytes they were; the rest belongs to a request that must wait.
    func consume(_ bytes: Span<UInt8>, _ scratch: inout LoopScratch) -> Int {
        guard let responder = loop.responder else { return bytes.count }
        scratch.received = bytes.count
        var decoder = decoder
        defer { self.decoder = decoder }
        var start = 0
        while start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            switch decoder.next(rest, head: &scratch.head, limits: loop.limits) {
            case .incomplete:
                if decoder.awaitsContent {
                    awaitContent(received: rest.count, now: scratch.now)
                } else {
                    enter(.head, now: scratch.now)
                }
                return start
            case .sendContinue:
                scratch.writer.continues()
                awaitContent(received: rest.count, now: scratch.now)
                return start
            case .emptyLine(let length):
                start += length
            case .request(let length):
                start += length
                respond(responder, rest.extracting(0..<length), &scratch)
                guard wait == .idle else { return wait == .last ? bytes.count : start }
                if start < bytes.count, scratch.endsTurn() {
                    enter(.turn, now: scratch.now)
                    return start
                }
            case .refused(let refusal):
                write(refusal, &scratch)
                return bytes.count
            }
        }
        return start
    }

    private func respond(_ responder: R, _ bytes: Span<UInt8>, _ scratch: inout LoopScratch) {
        scratch.head.peer = peer
        scratch.prepareWriter(isDraining: loop.isDraining)
        let disposition: Disposition
        switch scratch.head.framing {
        case .length:
            let content = bytes.extracting(scratch.head.length..<bytes.count)
            disposition = responder.respond(
                to: scratch.head, bytes: bytes, content: content, ticket: ticket, now: scratch.now,
                into: &scratch.writer)
        case .chunked:
            scratch.content.removeAll(keepingCapacity: true)
            ChunkedContent.forEachChunk(bytes, from: scratch.head.length) { range in
                for index in range { scratch.content.append(bytes[index]) }
            }
            let content = scratch.content
            disposition = responder.respond(
                to: scratch.head, bytes: bytes, content: content.span, ticket: ticket, now: scratch.now,
                into: &scratch.writer)
        }
        switch disposition {
        case .answered:
            scratch.answered += 1
            afterAnswer(&scratch)
        case .later:
            later = (scratch.writer.closes, scratch.writer.omitsContent, scratch.writer.confirmsKeepAlive)
            enter(.answer, now: scratch.now)
        }
    }

    /// Writes the answer to the request that waits for one; called by the loop, at any time.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard wait == .answer else { return false }
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        scratch.writer.closes = later.closes || loop.isDraining
        scratch.writer.omitsContent = later.omitsContent
        scratch.writer.confirmsKeepAlive = later.confirmsKeepAlive
        write(responder, &scratch.writer)
        afterAnswer(&scratch)
        goOn(scratch)
        return true
    }

    private func afterAnswer(_ scratch: inout LoopScratch) {
        generation = loop.nextGeneration()
        largeContent = scratch.writer.takeLargeContent()
        if scratch.writer.closes {
            enter(.last, now: scratch.now)
        } else if largeContent != nil {
            // What comes behind it waits until it has left.
            enter(.room, now: scratch.now)
        } else {
            enter(.idle, now: scratch.now)
            if scratch.writer.output.count - scratch.start > LoopScratch.flushThreshold { flush(&scratch) }
        }
    }

    /// Refuses the connection, or the request that it is in the middle of.
    func refuse(_ refusal: Refusal) {
        var scratch = loop.takeScratch()
        scratch.begin(now: Clock.now())
        write(refusal, &scratch)
        finish(scratch)
    }

    private func write(_ refusal: Refusal, _ scratch: inout LoopScratch) {
        scratch.writer.closes = true
        scratch.writer.omitsContent = false
        loop.responder?.refuse(refusal, into: &scratch.writer)
        pending = nil
        enter(.last, now: scratch.now)
    }

    func takeTurn(now: Int64) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        guard wait == .turn else { return }
        if isWritable { return resume(now: now) }
        enter(.room, now: now)
        pauseReading()
    }

    /// Goes on with requests that have waited, though none of them for its answer.
    func resume(now: Int64) {
        var scratch = loop.takeScratch()
        scratch.begin(now: now)
        enter(.idle, now: now)
        goOn(scratch)
    }

    /// After a wait: requests that have arrived meanwhile, then the socket.
    func goOn(_ scratch: consuming LoopScratch) {
        consumePending(&scratch)
        finish(scratch)
        if !holdsRequests { resumeReading() }
        if loop.isDraining { drain(now: Clock.now()) }
    }
}
