/// Reads replies from the bytes of a connection, in whatever pieces they come. A reply, or a fault, is the same however they are cut.
///
/// Memory is bounded by the bytes that came, not by the lengths that they announce. No byte is looked at twice.
struct RESPReader: Sendable {
    struct Limits: Sendable, Equatable {
        /// How deep arrays may nest.
        var depth = 8
        /// The bytes of a line without its CR LF.
        var line = 64 << 10
        /// The bytes of a bulk string.
        var bulk = 2 << 20
        /// The bytes of a reply.
        var reply = 8 << 20
    }

    /// An array that is not complete.
    private struct Frame: Sendable {
        /// The number of missing elements, at least 1.
        var left: Int
        var elements: [RESPValue] = []
    }

    private enum Part {
        /// A line is incomplete; `kept` has its bytes. Next: `line`, `lineEnd`, `bulk`.
        case line
        /// A line has come up to its CR. Next: `line`, `bulk`.
        case lineEnd
        /// A bulk string is incomplete; `kept` has its bytes. Of it and its CR LF, `left` bytes are missing. Next: `line`.
        case bulk(left: Int)
        /// No state follows.
        case faulty(RESPFault)
    }

    private let limits: Limits
    private var part = Part.line
    private var kept: [UInt8] = []
    private var frames: [Frame] = []
    /// The bytes of the reply that came so far.
    private var size = 0

    init(_ limits: Limits = Limits()) { self.limits = limits }

    /// True between two replies.
    var isBetweenReplies: Bool { size == 0 }

    /// Reads up to the end of the next reply.
    ///
    /// - Parameter position: the place in `bytes` to read from; afterwards, the place behind the last byte that was read.
    /// - Returns: the reply; `nil` if all bytes were read and it is incomplete.
    /// - Throws: the fault, and the same one at each later call.
    mutating func read(_ bytes: Span<UInt8>, _ position: inout Int) throws(RESPFault) -> RESPValue? {
        if case .faulty(let fault) = part { throw fault }
        do throws(RESPFault) {
            while position < bytes.count {
                guard let value = try element(bytes, &position), let reply = close(value) else { continue }
                size = 0
                return reply
            }
            return nil
        } catch {
            part = .faulty(error)
            (kept, frames) = ([], [])
            throw error
        }
    }

    /// The value that is complete with the bytes read, which may be an element of an array.
    private mutating func element(_ bytes: Span<UInt8>, _ position: inout Int) throws(RESPFault) -> RESPValue? {
        switch part {
        case .line:
            try readLine(bytes, &position)
            return nil
        case .lineEnd:
            guard bytes[position] == 0x0a else { throw .bareLineEnd }
            try advance(&position)
            part = .line
            return try endLine()
        case .bulk(let left):
            return try readBulk(bytes, &position, left: left)
        case .faulty(let fault):
            throw fault
        }
    }

    private mutating func readLine(_ bytes: Span<UInt8>, _ position: inout Int) throws(RESPFault) {
        while position < bytes.count {
            let byte = bytes[position]
            if kept.isEmpty, !"+-:$*".utf8.contains(byte) { throw .unknownType(byte) }
            guard byte != 0x0a else { throw .bareLineEnd }
            try advance(&position)
            if byte == 0x0d {
                part = .lineEnd
                return
            }
            guard kept.count < limits.line else { throw .lineTooLong }
            kept.append(byte)
        }
    }

    private mutating func advance(_ position: inout Int) throws(RESPFault) {
        guard size < limits.reply else { throw .replyTooLong }
        size += 1
        position += 1
    }

    /// The value of a line; `nil` if it begins a bulk string or an array.
    private mutating func endLine() throws(RESPFault) -> RESPValue? {
        let line = kept
        kept = []
        let content = line.dropFirst()
        switch line.first {
        case UInt8(ascii: "+"):
            return .simple(Array(content))
        case UInt8(ascii: "-"):
            return .error(RedisServerError(content))
        case UInt8(ascii: ":"):
            return .integer(try Self.number(content))
        case UInt8(ascii: "$"):
            guard let length = try Self.length(content) else { return .null }
            guard length <= limits.bulk else { throw .bulkTooLong }
            guard length + 2 <= limits.reply - size else { throw .replyTooLong }
            part = .bulk(left: length + 2)
            return nil
        default:
            guard let length = try Self.length(content) else { return .null }
            guard length > 0 else { return .array([]) }
            guard frames.count < limits.depth else { throw .nestedTooDeep }
            // The shortest element is an empty simple string, three bytes.
            guard length <= (limits.reply - size) / 3 else { throw .replyTooLong }
            frames.append(Frame(left: length))
            return nil
        }
    }

    private mutating func readBulk(
        _ bytes: Span<UInt8>, _ position: inout Int, left: Int
    ) throws(RESPFault) -> RESPValue? {
        var left = left
        let count = min(left - 2, bytes.count - position)
        if count > 0 {
            // Unsafe only in its pointer, which does not leave the call: a page is copied at once, not byte by byte.
            unsafe bytes.extracting(position..<position + count).withUnsafeBufferPointer { piece in
                unsafe kept.append(contentsOf: piece)
            }
            position += count
            size += count
            left -= count
        }
        while left <= 2, position < bytes.count {
            guard bytes[position] == (left == 2 ? 0x0d : 0x0a) else { throw .missingLineEnd }
            position += 1
            size += 1
            left -= 1
            guard left == 0 else { continue }
            part = .line
            defer { kept = [] }
            return .bulk(kept)
        }
        part = .bulk(left: left)
        return nil
    }

    /// Puts a value into the innermost array, and that into the one around it if it is complete.
    ///
    /// - Returns: the reply, if all of it is complete.
    private mutating func close(_ value: RESPValue) -> RESPValue? {
        var value = value
        while let last = frames.indices.last {
            frames[last].elements.append(value)
            frames[last].left -= 1
            guard frames[last].left == 0 else { return nil }
            value = .array(frames.removeLast().elements)
        }
        return value
    }
}
