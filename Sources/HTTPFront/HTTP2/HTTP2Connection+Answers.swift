internal import NIOCore
internal import NIOHTTP2

/// Answers.
extension HTTP2Connection {
    /// Content is sent in parts of this many bytes, each of which shows that the client reads.
    private static var partSize: Int { 64 * 1024 }

    func write(_ payload: HTTP2Frame.FramePayload, to stream: HTTP2Stream<R>) {
        context?.write(wrapOutboundOut(HTTP2Frame(streamID: stream.id, payload: payload)), promise: nil)
    }

    /// Sends an answer, and whatever flow control holds back of it as the client makes room.
    ///
    /// - Parameters:
    ///   - resets: whether the client must be told not to send the rest of its request (RFC 9113, section 8.1).
    ///   - closes: whether the connection takes no more requests.
    func send(_ answer: RaisedAnswer, _ output: [UInt8], of stream: HTTP2Stream<R>, resets: Bool, closes: Bool) {
        guard let context else { return }
        if closes { leave() }
        let content = answer.content
        write(.headers(.init(headers: answer.fields, endStream: content.isEmpty)), to: stream)
        if content.isEmpty, resets { write(.rstStream(.noError), to: stream) }
        var start = content.lowerBound
        while start < content.upperBound {
            let end = min(start + Self.partSize, content.upperBound)
            let isLast = end == content.upperBound
            var part = context.channel.allocator.buffer(capacity: end - start)
            part.writeBytes(output[start..<end])
            let frame = HTTP2Frame(
                streamID: stream.id, payload: .data(.init(data: .byteBuffer(part), endStream: isLast)))
            let left = context.eventLoop.makePromise(of: Void.self)
            let count = end - start
            left.futureResult.assumeIsolated().whenSuccess { self.sent(count, of: stream, resets: isLast && resets) }
            context.write(wrapOutboundOut(frame), promise: left)
            start = end
        }
    }

    /// A part of an answer has left. A reset may not come earlier: it would take the rest of the answer away.
    private func sent(_ count: Int, of stream: HTTP2Stream<R>, resets: Bool) {
        let now = Clock.now()
        lastSent = now
        stream.sent(count, now: now)
        if resets, streams[stream.id] === stream {
            write(.rstStream(.noError), to: stream)
            context?.flush()
        }
        proceed()
    }

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
