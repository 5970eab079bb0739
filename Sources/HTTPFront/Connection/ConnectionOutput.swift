internal import Glibc
internal import NIOCore
internal import Primitives
internal import Streams

/// The answers of one HTTP/1.x connection on their way to its socket.
///
/// They are written directly to the socket while NIO's queue of writes is empty. The bytes that the kernel does not take go through that
/// queue, and so do all bytes after them until it is empty again. The content of a large answer follows in parts: the connection
/// holds a reference to the content and a copy of one part.
final class ConnectionOutput {
    private var socket = SocketOutput()
    /// The content of a large answer that has not left whole.
    private var content: LargeContent?
    /// The content of an answer that is passed on as it comes.
    private var stream: PipeReader?
    private var isChunked = true
    private var mayBeQueued = false
    private var countedBytes = 0
    /// When the client last read a byte while bytes waited for it.
    private var readAt = MonotonicInstant.distantFuture
    private let ledger: UnsentLedger

    init(_ ledger: UnsentLedger) { self.ledger = ledger }

    /// Writes to the socket of a channel that has become active, from now on.
    func open(_ context: ChannelHandlerContext) { socket = SocketOutput(context) }

    /// The channel is closed, or about to be. The descriptor may belong to another connection now.
    func forgetSocket() { socket.close() }

    /// No more is sent.
    func end() {
        forgetSocket()
        endContent()
        stream = nil
        ledger.addCopied(-countedBytes)
        countedBytes = 0
        mayBeQueued = false
    }

    // MARK: Answers

    /// Sends answers.
    ///
    /// - Parameters:
    ///   - answers: their place in `output`.
    ///   - isLast: true if `.lastAnswerLeft` is driven when they have left.
    ///   - hasContent: true if the content of the last of them follows at once, through `sendContent`.
    /// - Returns: true if some of them wait in the channel's queue.
    func send(
        _ answers: Range<Int>, in output: [UInt8], isLast: Bool, hasContent: Bool, _ context: ChannelHandlerContext?,
        of connection: EventDriven<ConnectionEvent>
    ) -> Bool {
        var start = answers.lowerBound
        if !isLast {
            start += write(output.span.extracting(answers), context, more: hasContent)
            if start == answers.upperBound { return false }
        }
        guard let context else { return false }
        var rest = context.channel.allocator.buffer(capacity: answers.upperBound - start)
        rest.writeBytes(output[start..<answers.upperBound])
        mayBeQueued = true
        if isLast {
            context.writeAndFlush(rest) { _ in connection.drive(.lastAnswerLeft) }
        } else if hasContent {
            context.write(NIOAny(rest), promise: nil)
        } else {
            context.writeAndFlush(NIOAny(rest), promise: nil)
        }
        return true
    }

    @inline(__always)
    private func write(_ bytes: Span<UInt8>, _ context: ChannelHandlerContext?, more: Bool = false) -> Int {
        // A local copy, because the runtime checks longer accesses to a property.
        var socket = socket
        let count = socket.write(bytes, unsentBytes: context?.unsentBytes ?? 0, more: more)
        self.socket = socket
        return count
    }

    /// The content of an answer follows the answers that are sent next.
    func begin(_ content: LargeContent) { self.content = content }

    /// Sends as much of the content as the kernel takes, and hands one part of the rest to the channel; `.partLeft` is driven when that one
    /// has left.
    ///
    /// - Returns: true if all of the content has left; `nil` if there is none.
    func sendContent(
        _ context: ChannelHandlerContext, of connection: EventDriven<ConnectionEvent>, now: MonotonicInstant
    ) -> Bool? {
        guard var content else { return nil }
        content.advance(by: write(content.bytes.span.extracting(content.offset...), context))
        guard content.left > 0 else {
            endContent()
            if unreadSince != nil { count(context, now: now) }
            return true
        }
        ledger.retain(&content)
        let part = content.takePart(of: LargeContent.partBytes, context.channel.allocator)
        self.content = content
        mayBeQueued = true
        context.writeAndFlush(part) { connection.drive(.partLeft(succeeded: $0)) }
        count(context, now: now)
        ledger.relieve()
        return false
    }

    private func endContent() {
        if var content { ledger.release(&content) }
        content = nil
    }

    // MARK: Streams

    /// How far a streamed answer has been sent.
    enum StreamStep {
        /// No content has come; the reader of it is woken.
        case waits
        /// The kernel has taken a part. More may be there.
        case left
        /// The channel has a part that the kernel has not taken whole; `.streamPartLeft` is driven when that has left.
        case queued
        case ended(isWhole: Bool)
    }

    /// The content of an answer follows as it comes.
    ///
    /// - Parameter isChunked: true if its end is marked by the last chunk, and not by that of the connection.
    func begin(_ stream: PipeReader, isChunked: Bool) {
        self.stream = stream
        self.isChunked = isChunked
    }

    /// Sends the next part of the content.
    func sendStream(
        _ context: ChannelHandlerContext, of connection: EventDriven<ConnectionEvent>, now: MonotonicInstant
    ) -> StreamStep {
        guard let stream else { return .waits }
        let part: [UInt8]
        switch stream.next() {
        case .part(let bytes): part = isChunked ? Self.chunk(bytes) : bytes
        case .later: return .waits
        case .end(let isWhole):
            self.stream = nil
            return .ended(isWhole: isWhole)
        }
        let sent = write(part.span, context)
        guard sent < part.count else { return .left }
        var rest = context.channel.allocator.buffer(capacity: part.count - sent)
        rest.writeBytes(part[sent...])
        mayBeQueued = true
        context.writeAndFlush(rest) { connection.drive(.streamPartLeft(succeeded: $0)) }
        count(context, now: now)
        ledger.relieve()
        return .queued
    }

    /// The bytes behind the last part.
    var streamEnd: [UInt8] { isChunked ? Array("0\r\n\r\n".utf8) : [] }

    /// RFC 9112, section 7.1.
    private static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        var chunk = Array(String(bytes.count, radix: 16).utf8)
        chunk.reserveCapacity(bytes.count + 16)
        chunk += [0x0d, 0x0a]
        chunk += bytes
        chunk += [0x0d, 0x0a]
        return chunk
    }

    // MARK: Unsent answers

    func clientReads(now: MonotonicInstant) { readAt = now }

    /// The time since which the client has read nothing; `nil` without unsent answers.
    var unreadSince: MonotonicInstant? { countedBytes > 0 || content?.isCounted == true ? readAt : nil }

    /// The bytes that the kernel has not taken.
    func unsentBytes(_ context: ChannelHandlerContext?) -> Int { (context?.unsentBytes ?? 0) + (content?.left ?? 0) }

    /// A quarter of a second has passed.
    func tick(_ context: ChannelHandlerContext?, now: MonotonicInstant) { if mayBeQueued { count(context, now: now) } }

    private func count(_ context: ChannelHandlerContext?, now: MonotonicInstant) {
        let queuedBytes = (context?.unsentBytes ?? 0) + (stream?.count ?? 0)
        if queuedBytes < countedBytes || countedBytes == 0 { readAt = now }
        ledger.addCopied(queuedBytes - countedBytes)
        countedBytes = queuedBytes
        if queuedBytes == 0, content == nil { mayBeQueued = false }
    }
}

/// A socket that is written to past NIO's queue of writes, which costs a fifth of a small answer's total.
///
/// `@safe` because: the descriptor is the channel's, which closes it on this thread and then says so (`channelInactive`, or an error of
/// an inactive channel), where it is forgotten. In between NIO only fails promises of writes, whose callbacks never write. The pointer
/// does not leave the call.
@safe private struct SocketOutput {
    /// `nil` if the channel has no socket, another handler stands in between, or the connection is closed.
    private var descriptor: CInt?
    private var mayBeQueued = false

    /// An output that writes no byte: no channel is active.
    init() {}

    /// Writes to the socket of a channel that has become active.
    init(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// The channel is closed, or about to be.
    mutating func close() { descriptor = nil }

    /// Writes as many bytes as the kernel takes now.
    ///
    /// - Parameters:
    ///   - unsentBytes: the bytes in NIO's queue.
    ///   - more: true if more bytes follow at once, so that the kernel need not send a short segment.
    /// - Returns: the number of bytes written; the caller gives the rest to NIO.
    mutating func write(_ bytes: Span<UInt8>, unsentBytes: @autoclosure () -> Int, more: Bool = false) -> Int {
        guard let descriptor, !mayBeQueued || unsentBytes() == 0 else { return 0 }
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe send(
                descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | (more ? CInt(MSG_MORE) : 0))
        }
        // NIO runs into an error of the socket too, and handles it.
        let written = max(0, min(count, bytes.count))
        mayBeQueued = written < bytes.count
        return written
    }
}

extension ChannelHandlerContext {
    /// The bytes in the channel's queue, which the kernel has not taken.
    var unsentBytes: Int { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Writes and flushes; `body` is called with true when the value has left, or with false if it never will.
    func writeAndFlush(_ value: some Sendable, then body: @escaping (Bool) -> Void) {
        let written = eventLoop.makePromise(of: Void.self)
        writeAndFlush(NIOAny(value), promise: written)
        // Isolated because handlers run on their channel's event loop alone.
        written.futureResult.assumeIsolated().whenComplete { body((try? $0.get()) != nil) }
    }
}
