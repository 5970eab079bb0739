internal import NIOCore

/// What arrives and what leaves.
extension Connection {
    func answerArrival(_ scratch: inout LoopScratch) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        if var incoming = arrived.take(), isListening {
            if pending == nil {
                let used = consume(incoming.readableBytesUInt8Span, &scratch)
                incoming.moveReaderIndex(forwardBy: used)
                keep(&incoming)
            } else {
                keep(&incoming)
                consumePending(&scratch)
            }
        }
        // The answer that is awaited must not pass those before it.
        if wait == .answer { flush(&scratch) }
        answers = scratch.start..<scratch.writer.output.count
    }

    func sendAnswers(_ scratch: borrowing LoopScratch) {
        let isOutermost = beginStep()
        defer { if isOutermost { handleWaiting() } }
        send(answers, scratch)
    }

    /// What has arrived comes before whatever else happens to the connection. (While it is in a batch nothing does: what a batch does
    /// to one connection makes nothing happen to another.)
    func settle() {
        if arrived != nil { loop.answerBatch() }
    }

    func consumePending(_ scratch: inout LoopScratch) {
        guard isListening, var buffer = pending else { return }
        // Given up while it is read, so that moving its reader index copies nothing.
        pending = nil
        let used = consume(buffer.readableBytesUInt8Span, &scratch)
        buffer.moveReaderIndex(forwardBy: used)
        if buffer.readableBytes > 0 {
            buffer.discardReadBytes()
            pending = buffer
        }
    }

    /// Copies what is left of `incoming`: a slice of the receive buffer would keep NIO from using it again.
    func keep(_ incoming: inout ByteBuffer) {
        guard incoming.readableBytes > 0, keepsInput else { return }
        var kept = pending ?? ByteBufferAllocator().buffer(capacity: incoming.readableBytes)
        // Given up while it is written into, so that it is not copied.
        pending = nil
        kept.writeBuffer(&incoming)
        pending = kept
    }

    /// Ends a batch: hands its answers to the channel and puts the scratch back.
    func finish(_ scratch: consuming LoopScratch) {
        flush(&scratch)
        loop.report(scratch, since: scratch.now)
        loop.putBack(scratch)
        if inputIsClosed, isListening { closeAfterFlush() }
    }

    /// Hands the answers to the channel that have come together since the scratch was last told of the connection.
    func flush(_ scratch: inout LoopScratch) {
        send(scratch.start..<scratch.writer.output.count, scratch)
        scratch.writer.truncate(to: scratch.start)
    }

    /// - Parameter answers: their place in the output; the content of the last of them may be apart.
    private func send(_ answers: Range<Int>, _ scratch: borrowing LoopScratch) {
        guard !answers.isEmpty, wait != .closed else { return }
        var start = answers.lowerBound
        let isLast = wait == .last && largeContent == nil
        if !isLast {
            // On a copy: what is changed in place, and for longer than a moment, is watched by the runtime.
            var output = output
            start += output.write(
                scratch.writer.output.span.extracting(answers), unsentBytes: context?.unsentBytes ?? 0,
                more: largeContent != nil)
            self.output = output
            if start == answers.upperBound {
                if largeContent != nil { sendContent(now: scratch.now) }
                return
            }
        }
        guard let context else { return }
        var rest = context.channel.allocator.buffer(capacity: answers.upperBound - start)
        rest.writeBytes(scratch.writer.output[start..<answers.upperBound])
        mayHoldUnsent = true
        if isLast {
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(rest), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.drive(.lastAnswerLeft) }
        } else if largeContent != nil {
            context.write(wrapOutboundOut(rest), promise: nil)
            sendContent(now: scratch.now)
        } else {
            context.writeAndFlush(wrapOutboundOut(rest), promise: nil)
            if !isWritable, isListening {
                enter(.room, now: scratch.now)
                pauseReading()
            }
        }
    }

    // MARK: Large answers

    /// Sends as much of a large answer's content as the kernel takes now. A part of the rest goes to the channel, and when that has
    /// left the next one follows: what is held of the content is a reference and one part.
    private func sendContent(now: Int64) {
        guard var content = largeContent, let context, wait != .closed else { return }
        var output = output
        content.advance(
            by: output.write(content.bytes.span.extracting(content.offset...), unsentBytes: context.unsentBytes))
        self.output = output
        guard content.left > 0 else { return contentHasLeft(now: now) }
        if !countsContent {
            countsContent = true
            loop.unsent.retain(content.bytes)
        }
        let part = content.takePart(of: LargeContent.partBytes, context.channel.allocator)
        largeContent = content
        mayHoldUnsent = true
        pauseReading()
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(part), promise: written)
        countUnsent(now: now)
        loop.unsent.relieve()
        written.futureResult.assumeIsolated().whenComplete { result in
            if case .success = result {
                self.drive(.partLeft(succeeded: true))
            } else {
                self.drive(.partLeft(succeeded: false))
            }
        }
    }

    func partHasLeft(_ succeeded: Bool) {
        guard succeeded else { return closeNow() }
        readAt = Clock.now()
        sendContent(now: readAt)
    }

    private func contentHasLeft(now: Int64) {
        forgetContent()
        if countedBytes > 0 { countUnsent(now: now) }
        switch wait {
        case .last: endOutput()
        case .room where pending != nil: enter(.turn, now: now)
        case .room:
            enter(.idle, now: now)
            resumeReading()
            if inputIsClosed { closeAfterFlush() }
            if loop.isDraining { drain(now: now) }
        default: break
        }
    }

    private func forgetContent() {
        if countsContent, let largeContent { loop.unsent.release(largeContent.bytes) }
        countsContent = false
        largeContent = nil
    }

    /// Tells the ledger how much waits to be read.
    func countUnsent(now: Int64) {
        let unsent = context?.unsentBytes ?? 0
        if unsent < countedBytes || countedBytes == 0 { readAt = now }
        loop.unsent.addCopied(unsent - countedBytes)
        countedBytes = unsent
        if unsent == 0, largeContent == nil { mayHoldUnsent = false }
    }

    /// Nothing is held for the client any more.
    func forgetUnsent() {
        forgetContent()
        loop.unsent.addCopied(-countedBytes)
        countedBytes = 0
        mayHoldUnsent = false
    }

    var unreadSince: Int64? { countedBytes > 0 || countsContent ? readAt : nil }

    func relieve() { closeNow() }

    // MARK: Input

    /// Lets the client feel that it must wait: what it sends stays in the socket.
    func pauseReading() {
        guard !readingIsPaused else { return }
        readingIsPaused = true
        try? context?.channel.syncOptions?.setOption(.autoRead, value: false)
    }

    /// Reads on after an answer or the client was awaited.
    func resumeReading() {
        guard readingIsPaused else { return }
        readingIsPaused = false
        try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
    }
}
