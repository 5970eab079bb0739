internal import NIOCore

/// Requests and their answers.
extension Connection {
    /// Handles as many requests as `bytes` hold.
    ///
    /// - Returns: how many bytes they were; the rest belongs to a request that must wait.
    func consume(_ bytes: Span<UInt8>, _ bench: inout Workbench) -> Int {
        guard let responder = loop.responder else { return bytes.count }
        bench.received = bytes.count
        var decoder = decoder
        defer { self.decoder = decoder }
        var start = 0
        while start < bytes.count {
            let rest = bytes.extracting(start..<bytes.count)
            switch decoder.next(rest, head: &bench.head, limits: loop.limits) {
            case .incomplete:
                if decoder.awaitsContent {
                    awaitContent(received: rest.count, now: bench.now)
                } else {
                    enter(.head, now: bench.now)
                }
                return start
            case .sendContinue:
                bench.writer.continues()
                awaitContent(received: rest.count, now: bench.now)
                return start
            case .emptyLine(let length):
                start += length
            case .request(let length):
                start += length
                respond(responder, rest.extracting(0..<length), &bench)
                guard wait == .idle else { return wait == .last ? bytes.count : start }
                if start < bytes.count, bench.endsTurn() {
                    enter(.turn, now: bench.now)
                    return start
                }
            case .refused(let refusal):
                write(refusal, &bench)
                return bytes.count
            }
        }
        return start
    }

    private func respond(_ responder: R, _ bytes: Span<UInt8>, _ bench: inout Workbench) {
        bench.head.peer = peer
        bench.prepareWriter(isDraining: loop.isDraining)
        let disposition: Disposition
        switch bench.head.framing {
        case .length:
            let content = bytes.extracting(bench.head.length..<bytes.count)
            disposition = responder.respond(
                to: bench.head, bytes: bytes, content: content, ticket: ticket, now: bench.now, into: &bench.writer)
        case .chunked:
            bench.content.removeAll(keepingCapacity: true)
            ChunkedContent.forEachChunk(bytes, from: bench.head.length) { range in
                for index in range { bench.content.append(bytes[index]) }
            }
            let content = bench.content
            disposition = responder.respond(
                to: bench.head, bytes: bytes, content: content.span, ticket: ticket, now: bench.now,
                into: &bench.writer)
        }
        switch disposition {
        case .answered:
            bench.answered += 1
            afterAnswer(&bench)
        case .later:
            later = (bench.writer.closes, bench.writer.omitsContent, bench.writer.confirmsKeepAlive)
            enter(.answer, now: bench.now)
        }
    }

    /// Writes the answer to the request that waits for one; called by the loop, at any time.
    func answerNow(_ responder: R, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard wait == .answer else { return false }
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        var bench = loop.takeBench()
        bench.begin(now: Clock.now())
        bench.writer.closes = later.closes || loop.isDraining
        bench.writer.omitsContent = later.omitsContent
        bench.writer.confirmsKeepAlive = later.confirmsKeepAlive
        write(responder, &bench.writer)
        afterAnswer(&bench)
        goOn(bench)
        return true
    }

    private func afterAnswer(_ bench: inout Workbench) {
        generation = loop.nextGeneration()
        largeContent = bench.writer.takeLargeContent()
        if bench.writer.closes {
            enter(.last, now: bench.now)
        } else if largeContent != nil {
            // What comes behind it waits until it has left.
            enter(.room, now: bench.now)
        } else {
            enter(.idle, now: bench.now)
            if bench.writer.output.count - bench.start > Workbench.flushThreshold { flush(&bench) }
        }
    }

    /// Refuses the connection, or the request that it is in the middle of.
    func refuse(_ refusal: Refusal) {
        var bench = loop.takeBench()
        bench.begin(now: Clock.now())
        write(refusal, &bench)
        finish(bench)
    }

    private func write(_ refusal: Refusal, _ bench: inout Workbench) {
        bench.writer.closes = true
        bench.writer.omitsContent = false
        loop.responder?.refuse(refusal, into: &bench.writer)
        pending = nil
        enter(.last, now: bench.now)
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
        var bench = loop.takeBench()
        bench.begin(now: now)
        enter(.idle, now: now)
        goOn(bench)
    }

    /// After a wait: requests that have arrived meanwhile, then the socket.
    func goOn(_ bench: consuming Workbench) {
        consumePending(&bench)
        finish(bench)
        if !holdsRequests { resumeReading() }
        if loop.isDraining { drain(now: Clock.now()) }
    }
}
