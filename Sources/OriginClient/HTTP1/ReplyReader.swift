internal import Primitives

/// Finds the lines, the body and the end of one HTTP/1.x reply in the bytes of its connection (RFC 9112 sections 2.2, 6.3 and 7.1),
/// and hands them to a collector, in whatever pieces they arrive.
struct ReplyReader {
    enum Progress {
        /// More bytes have to come.
        case more
        /// The reply is whole. Another may follow only if it marks its own end, and no byte has come after it.
        case done(mayBeFollowed: Bool)
        /// The collector, or the framing, has refused it; the collector's `fault` tells why.
        case refused
    }

    /// The part of the reply that the next byte belongs to.
    private enum Part {
        case head
        /// A body of which this many bytes are left.
        case length(Int)
        /// A body that ends with its connection.
        case unbounded
        case chunkSize
        case chunk(Int)
        /// The line end after a chunk.
        case chunkEnd
        case trailers
        case end
    }

    /// The longest line of a chunk's size, with its extensions, which are ignored.
    private static let maxChunkLine = 1024

    private var part = Part.head
    /// The beginning of a line whose end has not come yet.
    private var line: [UInt8] = []
    /// True once a byte of the reply has come.
    private(set) var hasBegun = false
    /// True if bytes have come after the reply's end, which no request asked for.
    private(set) var hasSurplus = false
    /// True if the reply marks its own end, so that another may follow.
    private var isBounded = true

    /// Takes the bytes that have come.
    mutating func take(_ bytes: Span<UInt8>, into collector: inout ReplyCollector) -> Progress {
        if !bytes.isEmpty { hasBegun = true }
        var index = 0
        while true {
            if case .end = part {
                hasSurplus = index < bytes.count
                return .done(mayBeFollowed: isBounded && !hasSurplus)
            }
            guard index < bytes.count else { return .more }
            let rest = bytes.extracting(index..<bytes.count)
            switch part {
            case .length(let left):
                guard let count = takeBody(rest, left, &collector) else { return .refused }
                index += count
                part = count < left ? .length(left - count) : .end
            case .chunk(let left):
                guard let count = takeBody(rest, left, &collector) else { return .refused }
                index += count
                part = count < left ? .chunk(left - count) : .chunkEnd
            case .unbounded:
                guard takeBody(rest, rest.count, &collector) != nil else { return .refused }
                return .more
            case .head, .chunkSize, .chunkEnd, .trailers:
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n"), from: 0) else {
                    return keep(rest, &collector) ? .more : .refused
                }
                index += end + 1
                guard endLine(rest.extracting(0..<end + 1), &collector) else { return .refused }
            case .end: break
            }
        }
    }

    /// The connection has ended.
    ///
    /// - Returns: true if the reply is whole.
    mutating func end() -> Bool {
        switch part {
        case .unbounded, .end:
            part = .end
            return true
        default: return false
        }
    }

    private mutating func takeBody(_ bytes: Span<UInt8>, _ left: Int, _ collector: inout ReplyCollector) -> Int? {
        let count = min(left, bytes.count)
        return collector.takeBody(bytes.extracting(0..<count)) ? count : nil
    }

    /// Keeps the beginning of a line, unless it is too long already, or no reply begins so.
    private mutating func keep(_ bytes: Span<UInt8>, _ collector: inout ReplyCollector) -> Bool {
        let isOfHead =
            switch part {
            case .head, .trailers: true
            default: false
            }
        guard line.count + bytes.count <= (isOfHead ? ReplyCollector.maxHeadBytes : Self.maxChunkLine) else {
            return collector.refuse(isOfHead ? .headTooLarge : .badReply)
        }
        for index in bytes.indices { line.append(bytes[index]) }
        guard case .head = part else { return true }
        return collector.mayGoOn(with: line.span)
    }

    private mutating func endLine(_ end: Span<UInt8>, _ collector: inout ReplyCollector) -> Bool {
        guard !line.isEmpty else { return takeLine(end, &collector) }
        for index in end.indices { line.append(end[index]) }
        let whole = line
        line.removeAll(keepingCapacity: true)
        return takeLine(whole.span, &collector)
    }

    private mutating func takeLine(_ line: Span<UInt8>, _ collector: inout ReplyCollector) -> Bool {
        switch part {
        case .head:
            guard collector.takeLine(line) else { return false }
            if collector.hasHead { beginBody(collector.framing) }
        case .chunkSize:
            guard let size = line.chunkSize else { return collector.refuse(.badReply) }
            part = size > 0 ? .chunk(size) : .trailers
        case .chunkEnd:
            guard line.isEmptyLine, line.endsStrictly else { return collector.refuse(.badReply) }
            part = .chunkSize
        case .trailers:
            guard collector.takeLine(line) else { return false }
            if line.isEmptyLine { part = .end }
        case .length, .chunk, .unbounded, .end: break
        }
        return true
    }

    private mutating func beginBody(_ framing: ReplyCollector.Framing) {
        switch framing {
        case .none: part = .end
        case .length(let count): part = count > 0 ? .length(count) : .end
        case .chunked: part = .chunkSize
        case .unbounded:
            part = .unbounded
            isBounded = false
        }
    }
}

extension Span<UInt8> {
    /// True for an empty line.
    fileprivate var isEmptyLine: Bool { endOfText == 0 }

    /// True if the line ends with CR LF, as every line of the chunked coding must: a lone LF could be content.
    fileprivate var endsStrictly: Bool { count > 1 && self[count - 2] == UInt8(ascii: "\r") }

    /// The number that a chunk begins with: hexadecimal digits up to the line's end, or to an extension, which is ignored (RFC 9112
    /// section 7.1.1).
    fileprivate var chunkSize: Int? {
        guard endsStrictly, let end = endOfText else { return nil }
        var size = 0
        var index = 0
        while index < end, let digit = self[index].hexDigitValue {
            size = size << 4 | Int(digit)
            index += 1
            // Far above any limit, and far below `Int.max`.
            guard size < 1 << 40, index <= 16 else { return nil }
        }
        guard index > 0 else { return nil }
        guard index < end else { return size }
        switch self[index] {
        case UInt8(ascii: ";"), UInt8(ascii: " "), UInt8(ascii: "\t"): return size
        default: return nil
        }
    }
}
