internal import NIOCore
internal import NIOHTTP2

/// Answers.
extension HTTP2Connection {
    /// Content is sent in parts of this many bytes, one frame each (RFC 9113, section 4.2), of which a stream has one under way: what is
    /// held of a large answer is a reference and one part.
    private static var partSize: Int { 16 * 1024 }

    func write(_ payload: HTTP2Frame.FramePayload, to stream: HTTP2Stream<R>) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: stream.id, payload: payload)), promise: nil)
    }

    /// Sends an answer, and whatever flow control holds back of it as the client makes room.
    ///
    /// - Parameters:
    ///   - large: the content, if it is not in `output`.
    ///   - resets: whether the client must be told not to send the rest of its request (RFC 9113, section 8.1).
    ///   - closes: whether the connection takes no more requests.
    func send(
        _ answer: HTTP1ToHTTP2, _ output: [UInt8], _ large: LargeContent?, of stream: HTTP2Stream<R>, resets: Bool,
        closes: Bool
    ) {
        guard let context else { return }
        if closes { leave() }
        let isEmpty = answer.content.isEmpty && large == nil
        write(.headers(.init(headers: answer.fields, endStream: isEmpty)), to: stream)
        if isEmpty {
            if resets { write(.rstStream(.noError), to: stream) }
        } else if large != nil {
            sendPart(of: stream, resets: resets)
        } else {
            var part = context.channel.allocator.buffer(capacity: answer.content.count)
            part.writeBytes(output[answer.content])
            send(part, isLast: true, of: stream, resets: resets)
        }
    }

    /// Sends the next part of a large answer.
    private func sendPart(of stream: HTTP2Stream<R>, resets: Bool) {
        guard let context, let (part, isLast) = stream.takePart(of: Self.partSize, context.channel.allocator) else {
            return
        }
        send(part, isLast: isLast, of: stream, resets: resets)
    }

    private func send(_ part: ByteBuffer, isLast: Bool, of stream: HTTP2Stream<R>, resets: Bool) {
        guard let context else { return }
        let count = part.readableBytes
        let frame = HTTP2Frame(
            streamID: stream.id, payload: .data(.init(data: .byteBuffer(part), endStream: isLast)))
        let left = context.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenSuccess {
            self.drive(.partLeft(count: count, of: stream, isLast: isLast, resets: resets))
        }
        context.write(wrapOutboundOut(frame), promise: left)
    }

    /// A part of an answer has left. A reset may not come earlier: it would take the rest of the answer away.
    func sent(_ count: Int, of stream: HTTP2Stream<R>, isLast: Bool, resets: Bool) {
        let now = Clock.now()
        lastSent = now
        stream.sent(count, now: now)
        if streams[stream.id] === stream {
            if !isLast {
                sendPart(of: stream, resets: resets)
                context?.flush()
            } else if resets {
                write(.rstStream(.noError), to: stream)
                context?.flush()
            }
        }
        proceed()
    }

    // MARK: What waits to be read

    /// Tells the ledger how much is held of answers.
    func countUnsent() {
        let unsent = streams.isEmpty ? 0 : streams.values.reduce(context?.unsentBytes ?? 0) { $0 + $1.heldAnswer }
        if countedBytes == 0, unsent > 0 { lastSent = max(lastSent, Clock.now()) }
        loop.unsent.addCopied(unsent - countedBytes)
        countedBytes = unsent
    }

    var unreadSince: Int64? { countedBytes > 0 ? lastSent : nil }

    func relieve() { closeNow() }

    /// Ends a stream whose client leaves its answer unread.
    ///
    /// - Returns: false if that is not the stream's fault: others come before it, and the client reads those.
    func giveUp(_ stream: HTTP2Stream<R>, now: Int64) -> Bool {
        let isHeldUp = outboundWindow <= 0 || context?.channel.isWritable == false
        if isHeldUp, lastSent > now &- loop.limits.idleTimeout { return false }
        loop.responder?.dropped(.unreadAnswer)
        write(.rstStream(.cancel), to: stream)
        context?.flush()
        return true
    }
}
