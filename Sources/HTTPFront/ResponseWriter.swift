internal import NIOCore

/// Writes answers, one after the other, into the output of an event loop: `start`, fields, then `finish` with the content.
///
/// `Date`, `Content-Length` and `Connection` are its own business. Control characters cannot get out through it: in values
/// that are not literals they are replaced by spaces.
public struct ResponseWriter {
    /// The answers that have not been handed to the channel yet.
    private(set) var output = ByteBufferAllocator().buffer(capacity: 16_384)
    /// The head of the answer that is being written: appending small pieces to an array costs a fraction of what it costs
    /// to append them to a `ByteBuffer`.
    private var bytes: [UInt8] = []
    /// The `Date` field's line, kept current by the event loop, and the start of a good answer, which is the usual one.
    private var dateLine: [UInt8] = []
    private var goodStart: [UInt8] = []
    /// Whether the connection ends with this answer. The responder may set it; it is never taken back.
    public var closes = false
    /// Whether the answer is to a HEAD request, which has no content.
    var omitsContent = false
    /// Whether an HTTP/1.0 client must be told that its wish to keep the connection is granted.
    var confirmsKeepAlive = false

    init() { bytes.reserveCapacity(1024) }

    /// Begins an answer.
    public mutating func start(_ status: Status) {
        if status == .ok {
            bytes += goodStart
        } else if status.line.utf8CodeUnitCount > 0 {
            text(status.line)
            bytes += dateLine
        } else {
            bytes += "HTTP/1.1 \(status.code) \r\n".utf8
            bytes += dateLine
        }
    }

    /// Sets what `Date` says.
    mutating func setDate(_ date: [UInt8]) {
        dateLine = Array("Date: ".utf8) + date + Array("\r\n".utf8)
        goodStart = Array("HTTP/1.1 200 OK\r\n".utf8) + dateLine
    }

    /// Adds a field whose whole line the caller has made ready, of nothing that came from outside.
    public mutating func line(_ line: [UInt8]) { bytes += line }

    /// Adds a field that is all literal: name, colon, space, value and line end.
    public mutating func line(_ line: StaticString) { text(line) }

    /// Adds a field whose value is a literal.
    public mutating func field(_ name: StaticString, _ value: StaticString) {
        text(name)
        text(": ")
        text(value)
        text("\r\n")
    }

    /// Adds a field whose value is a decimal number.
    public mutating func field(_ name: StaticString, _ value: Int64) {
        text(name)
        text(": ")
        number(value)
        text("\r\n")
    }

    /// Adds a field whose value comes from anywhere.
    public mutating func field(_ name: StaticString, _ value: [UInt8]) {
        text(name)
        text(": ")
        text(value)
        text("\r\n")
    }

    /// Adds a field whose value is composed by `body`, piece by piece, through `text` and `number`.
    public mutating func field(_ name: StaticString, composedBy body: (inout ResponseWriter) -> Void) {
        text(name)
        text(": ")
        body(&self)
        text("\r\n")
    }

    /// A literal piece of a field that is being composed.
    public mutating func text(_ literal: StaticString) { pieces(upTo: literal.utf8CodeUnitCount) { $0.text(literal) } }

    /// A piece of a field that is being composed, from anywhere.
    public mutating func text(_ value: [UInt8]) {
        let start = bytes.count
        bytes += value
        for index in start..<bytes.count where (bytes[index] < 0x20 && bytes[index] != 0x09) || bytes[index] == 0x7f {
            bytes[index] = 0x20
        }
    }

    /// A decimal number in a field that is being composed.
    public mutating func number(_ value: Int64) { pieces(upTo: 20) { $0.number(value) } }

    /// Several pieces of fields at once, which costs no more than one.
    ///
    /// - Parameter size: at least as many bytes as `body` appends; a number takes 20 at the most.
    @inline(__always)
    public mutating func pieces(upTo size: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        bytes.append(addingCapacity: size) { body(&$0) }
    }

    /// Ends the answer with its content.
    public mutating func finish(_ content: [UInt8]) {
        if closes {
            text("Connection: close\r\n")
        } else if confirmsKeepAlive {
            text("Connection: keep-alive\r\n")
        }
        pieces(upTo: 40) { output in
            output.text("Content-Length: ")
            output.number(Int64(content.count))
            output.text("\r\n\r\n")
        }
        emit(omitsContent ? [] : content)
    }

    /// Moves the head and the content into the output.
    private mutating func emit(_ content: [UInt8]) {
        let length = bytes.count + content.count
        // Unsafe only in its pointers: the output has room for `length` bytes, and both copies stay inside their sources.
        unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { output in
            unsafe bytes.withUnsafeBytes { unsafe output.copyMemory(from: $0) }
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: output[bytes.count...])
            unsafe content.withUnsafeBytes { unsafe rest.copyMemory(from: $0) }
            return length
        }
        bytes.removeAll(keepingCapacity: true)
    }

    /// Writes `100 Continue` (RFC 9110, section 15.2.1).
    mutating func continues() { output.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }

    /// Writes the answers to a socket.
    ///
    /// - Returns: whether they have left; if not, what is left of them is still here.
    mutating func write(to socket: inout SocketOutput, _ context: ChannelHandlerContext) -> Bool {
        socket.write(&output, context)
    }

    /// Forgets the answers, which the channel has got; their memory is used again if the channel is done with it.
    mutating func clear() { output.clear() }
}

extension OutputSpan where Element == UInt8 {
    /// Appends a literal, for which there must be room; what there is none for is left out.
    @inline(__always)
    public mutating func text(_ literal: StaticString) {
        // Unsafe only in its pointers: a literal's is valid for ever, and no more is copied than there is room for.
        unsafe withUnsafeMutableBufferPointer { output, count in
            assert(literal.utf8CodeUnitCount <= output.count - count, "no room for \(literal)")
            let length = min(literal.utf8CodeUnitCount, output.count - count)
            guard length > 0, let base = output.baseAddress else { return }
            unsafe (base + count).update(from: literal.utf8Start, count: length)
            count += length
        }
    }

    /// Appends a decimal number, for which there must be room; without it is left out.
    public mutating func number(_ value: Int64) {
        // From the last digit to the first; the longest magnitude of 64 bits has 19, and there may be a sign.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = 20
        var rest = value.magnitude
        repeat {
            start -= 1
            digits[start] = UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0")
            rest /= 10
        } while rest > 0
        if value < 0 {
            start -= 1
            digits[start] = UInt8(ascii: "-")
        }
        assert(freeCapacity >= 20 - start, "no room for \(value)")
        guard freeCapacity >= 20 - start else { return }
        while start < 20 {
            append(digits[start])
            start += 1
        }
    }
}
