public import Streams

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
    /// The content of the last answer if it follows as it comes.
    private var stream: PipeReader?
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
    /// Where the last answer begins in the output.
    private var answerStart = 0
    /// The bytes of content of the last answer that is finished; 0 for one whose content follows as it comes.
    public private(set) var contentLength = 0

    init() { output.reserveCapacity(16_384) }

    /// Begins an answer.
    public mutating func start(_ status: Status) {
        hasNoContent = status.code == 204 || status.code == 304
        answerStart = output.count
        contentLength = 0
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

    /// The value of a field of the last answer, before it is sent; empty if it has none. For records, because it is searched for.
    ///
    /// - Parameter name: in the spelling in which it was written.
    public func lastValue(of name: StaticString) -> [UInt8] {
        let mark = Array("\r\n\(name): ".utf8)
        var index = answerStart
        while index + mark.count <= output.count {
            if output[index] == 13, output[index..<index + mark.count].elementsEqual(mark) {
                return Array(output[(index + mark.count)...].prefix { $0 != 13 })
            }
            // The empty line ends the head.
            if output[index] == 13, output[index..<index + 4].elementsEqual("\r\n\r\n".utf8) { return [] }
            index += 1
        }
        return []
    }

    /// Ends the answer with its content.
    public mutating func finish(_ content: [UInt8]) {
        connectionField()
        guard !hasNoContent else { return text("\r\n") }
        contentLength = content.count
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

    @inline(__always)
    private mutating func connectionField() {
        if closes {
            text("Connection: close\r\n")
        } else if form.confirmsKeepAlive {
            text("Connection: keep-alive\r\n")
        }
    }

    /// Ends the head of an answer whose content follows as it comes. Only an answer to a request with the disposition `.later` may have
    /// such content. Its end is marked by chunks, by HTTP/2, or for a client of HTTP/1.0 by the end of the connection. If it breaks
    /// off, the client sees that its end is missing.
    public mutating func stream(_ content: PipeReader) {
        if !form.takesChunks { closes = true }
        connectionField()
        text(form.takesChunks ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")
        stream = form.omitsContent ? nil : content
    }

    /// Takes out the content of the answer that was just finished, if it follows as it comes.
    mutating func takeStream() -> PipeReader? { stream.take() }

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
    /// False for an HTTP/1.0 client, which does not know the chunked coding (RFC 9112, section 6.1).
    var takesChunks = true
}

extension [UInt8] {
    /// Appends bytes without retaining the array that may hold them.
    fileprivate mutating func append(copying bytes: Span<UInt8>) {
        append(addingCapacity: bytes.count) { $0.append(copying: bytes) }
    }
}
