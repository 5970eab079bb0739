internal import Glibc
internal import NIOCore
internal import Primitives

/// Appends answers to the output of an event loop: `start`, fields, then `finish` with the content.
///
/// The writer adds `Date`, `Content-Length` and `Connection` itself. Control characters in values that are not literals become spaces,
/// so that no caller can split an answer.
public struct ResponseWriter {
    /// The answers that have not been handed to the channel yet. An array, because appending small pieces to a `ByteBuffer` costs several
    /// times as much.
    private(set) var output: [UInt8] = []
    /// The content of the last answer if it is too large to be copied into the output. It is sent right after the output.
    private var largeContent: LargeContent?
    /// The line of the `Date` field, kept current by the event loop, and the start of an answer with status 200.
    private var dateLine: [UInt8] = []
    private var goodStart: [UInt8] = []
    /// The demands of the request on its answer.
    var form = AnswerForm()
    /// True if the connection closes after this answer. The responder may set it, and nothing clears it.
    public var closes: Bool {
        get { form.closes }
        set { form.closes = newValue }
    }
    /// True if the answer's status is one that has neither content nor a length of it (RFC 9110, section 8.6).
    private var hasNoContent = false

    init() { output.reserveCapacity(16_384) }

    /// Begins an answer.
    public mutating func start(_ status: Status) {
        hasNoContent = status.code == 204 || status.code == 304
        if status == .ok {
            // Unsafe only in its pointer, which does not leave the closure; passing the array would retain it.
            unsafe goodStart.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
        } else if status.line.utf8CodeUnitCount > 0 {
            text(status.line)
            output += dateLine
        } else {
            output += "HTTP/1.1 \(status.code) \r\n".utf8
            output += dateLine
        }
    }

    mutating func setDate(_ date: [UInt8]) {
        dateLine = Array("Date: ".utf8) + date + Array("\r\n".utf8)
        goodStart = Array("HTTP/1.1 200 OK\r\n".utf8) + dateLine
    }

    /// Adds a whole field line that the caller has rendered; no part of it comes from a client or an upstream.
    public mutating func line(_ line: [UInt8]) { output.append(copying: line.span) }

    /// Adds a whole literal field line: name, colon, space, value and line end.
    public mutating func line(_ line: StaticString) { text(line) }

    /// Adds a field whose value is a literal.
    public mutating func field(_ name: StaticString, _ value: StaticString) { field(name) { $0.text(value) } }

    /// Adds a field whose value is a decimal number.
    public mutating func field(_ name: StaticString, _ value: Int64) { field(name) { $0.number(value) } }

    /// Adds a field whose value comes from any source; control characters in it become spaces.
    public mutating func field(_ name: StaticString, _ value: [UInt8]) { field(name) { $0.text(value) } }

    /// Adds a field whose value `body` appends in pieces, through `text` and `number`.
    public mutating func field(_ name: StaticString, composedBy body: (inout ResponseWriter) -> Void) {
        text(name)
        text(": ")
        body(&self)
        text("\r\n")
    }

    /// Appends a literal to the field that is being composed.
    public mutating func text(_ literal: StaticString) { pieces(upTo: literal.utf8CodeUnitCount) { $0.text(literal) } }

    /// Appends bytes of any source to the field that is being composed; control characters in them become spaces.
    public mutating func text(_ value: [UInt8]) {
        let start = output.count
        output.append(copying: value.span)
        for index in start..<output.count where (output[index] < 0x20 && output[index] != 0x09) || output[index] == 0x7f
        {
            output[index] = 0x20
        }
    }

    /// Appends a decimal number to the field that is being composed.
    public mutating func number(_ value: Int64) { pieces(upTo: 20) { $0.number(value) } }

    /// Appends several pieces of fields for the cost of one.
    ///
    /// - Parameter size: at least as many bytes as `body` appends; a number takes 20 at the most.
    @inline(__always)
    public mutating func pieces(upTo size: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        output.append(addingCapacity: size) { body(&$0) }
    }

    /// Ends the answer with its content.
    public mutating func finish(_ content: [UInt8]) {
        if closes {
            text("Connection: close\r\n")
        } else if form.confirmsKeepAlive {
            text("Connection: keep-alive\r\n")
        }
        guard !hasNoContent else { return text("\r\n") }
        let isLarge = content.count > LargeContent.minBytes
        let written = form.omitsContent || isLarge ? Span() : content.span
        if isLarge, !form.omitsContent { largeContent = LargeContent(content) }
        pieces(upTo: 40 + written.count) { output in
            output.text("Content-Length: ")
            output.number(Int64(content.count))
            output.text("\r\n\r\n")
            output.append(copying: written)
        }
    }

    /// Takes out the content of the answer that was just finished, if the output does not hold it.
    mutating func takeLargeContent() -> LargeContent? { largeContent.take() }

    /// Writes `100 Continue` (RFC 9110, section 15.2.1).
    mutating func continues() { text("HTTP/1.1 100 Continue\r\n\r\n") }

    /// Forgets the answers, which the channel has, and keeps the memory.
    mutating func clear() { output.removeAll(keepingCapacity: true) }

    mutating func truncate(to count: Int) { output.removeLast(output.count - count) }
}

/// The demands of a request on its answer.
struct AnswerForm: Equatable {
    var closes = false
    /// The request is a HEAD, whose answer has no content.
    var omitsContent = false
    /// The answer says `Connection: keep-alive`, as an HTTP/1.0 client that asked for it needs.
    var confirmsKeepAlive = false
}

extension [UInt8] {
    /// Appends bytes without retaining the array that may hold them.
    fileprivate mutating func append(copying bytes: Span<UInt8>) {
        append(addingCapacity: bytes.count) { $0.append(copying: bytes) }
    }
}

/// The answers of one HTTP/1.x connection on their way to its socket.
///
/// They are written directly to the socket while NIO's queue of writes is empty. The bytes that the kernel does not take go through that
/// queue, and so do all bytes after them until it is empty again. The content of a large answer follows in parts: the connection
/// holds a reference to the content and a copy of one part.
final class ConnectionOutput {
    private var socket = SocketOutput()
    /// The content of a large answer that has not left whole.
    private var content: LargeContent?
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

    // MARK: Unsent answers

    func clientReads(now: MonotonicInstant) { readAt = now }

    /// The time since which the client has read nothing; `nil` without unsent answers.
    var unreadSince: MonotonicInstant? { countedBytes > 0 || content?.isCounted == true ? readAt : nil }

    /// The bytes that the kernel has not taken.
    func unsentBytes(_ context: ChannelHandlerContext?) -> Int { (context?.unsentBytes ?? 0) + (content?.left ?? 0) }

    /// A quarter of a second has passed.
    func tick(_ context: ChannelHandlerContext?, now: MonotonicInstant) { if mayBeQueued { count(context, now: now) } }

    private func count(_ context: ChannelHandlerContext?, now: MonotonicInstant) {
        let queuedBytes = context?.unsentBytes ?? 0
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
