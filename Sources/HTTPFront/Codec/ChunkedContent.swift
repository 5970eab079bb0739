internal import Primitives

/// Chunked transfer coding (RFC 9112, section 7.1), read strictly and from wherever the last reading stopped.
///
/// Chunk extensions are accepted as the grammar has them but without white space, and ignored; trailer fields are checked
/// like header fields, and dropped.
struct ChunkedContent {
    private enum State {
        /// `position` is at the start of a chunk's size line.
        case size
        /// `position` is at the start of `left` bytes of chunk data.
        case data(left: Int)
        /// `position` is at the line end after chunk data.
        case dataEnd
        /// `position` is at the start of a trailer line.
        case trailer
    }

    private var state = State.size
    /// Where reading goes on, from the start of the request.
    private(set) var position: Int
    /// The content's bytes so far.
    private(set) var count = 0
    private var trailers = 0

    /// - Parameter start: where the content begins, from the start of the request.
    init(start: Int) { position = start }

    /// Reads on.
    ///
    /// - Returns: where the request ends; `nil` if more bytes are needed.
    mutating func advance(_ bytes: Span<UInt8>, start: Int, limits: HTTPLimits) throws(Refusal) -> Int? {
        while true {
            // The framing is kept too, so it is bounded: one-byte chunks must not multiply the limit.
            guard position - start <= 2 * limits.maxBodyBytes + limits.maxHeadBytes else { throw .bodyTooLarge }
            switch state {
            case .size:
                guard let line = try line(bytes) else { return nil }
                let size = try Self.size(bytes, line)
                guard size <= limits.maxBodyBytes - count else { throw .bodyTooLarge }
                position = line.upperBound + 2
                state = size == 0 ? .trailer : .data(left: size)
            case .data(let left):
                let available = min(left, bytes.count - position)
                position += available
                count += available
                guard available == left else {
                    state = .data(left: left - available)
                    return nil
                }
                state = .dataEnd
            case .dataEnd:
                guard position < bytes.count else { return nil }
                guard bytes[position] == 0x0d else { throw .chunk }
                guard position + 1 < bytes.count else { return nil }
                guard bytes[position + 1] == 0x0a else { throw .chunk }
                position += 2
                state = .size
            case .trailer:
                guard let line = try line(bytes) else { return nil }
                position = line.upperBound + 2
                if line.isEmpty { return position }
                trailers += 1
                guard trailers <= limits.maxFields else { throw .fieldsTooMany }
                var colon = line.lowerBound
                while colon < line.upperBound, CharacterClass.isToken(bytes[colon]) { colon += 1 }
                guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
                    throw .chunk
                }
                // A field about framing, routing or authentication must not come as a trailer (RFC 9110, section 6.5.1):
                // llhttp would obey a Transfer-Encoding here.
                guard KnownField.named(bytes, line.lowerBound..<colon) == nil else { throw .chunk }
                guard bytes.firstControl(from: colon) == line.upperBound else { throw .chunk }
            }
        }
    }

    /// Calls `body` with the place of each chunk's data in a request that was read to its end.
    static func forEachChunk(_ bytes: Span<UInt8>, from start: Int, _ body: (Range<Int>) -> Void) {
        var position = start
        while position < bytes.count {
            let end = bytes.first(0x0a, from: position)
            guard let size = try? size(bytes, position..<max(position, end - 1)), size > 0,
                end + 1 + size <= bytes.count
            else { return }
            body(end + 1..<end + 1 + size)
            position = end + 1 + size + 2
        }
    }

    /// The line at `position` without its line end; `nil` if it is not complete.
    private func line(_ bytes: Span<UInt8>) throws(Refusal) -> Range<Int>? {
        let end = bytes.first(0x0a, from: position)
        guard end < bytes.count else {
            guard bytes.count - position <= Self.maxLineBytes else { throw .chunk }
            return nil
        }
        guard end > position, bytes[end - 1] == 0x0d, end - position <= Self.maxLineBytes else { throw .chunk }
        return position..<end - 1
    }

    private static let maxLineBytes = 4096

    /// `1*HEXDIG` and extensions of the form `;name`, `;name=token` or `;name="quoted"`.
    private static func size(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(Refusal) -> Int {
        var position = line.lowerBound
        var size = 0
        while position < line.upperBound, let digit = bytes[position].hexDigitValue {
            guard position - line.lowerBound < 15 else { throw .chunk }
            size = size << 4 | Int(digit)
            position += 1
        }
        guard position > line.lowerBound else { throw .chunk }
        while position < line.upperBound {
            guard bytes[position] == UInt8(ascii: ";") else { throw .chunk }
            position = try token(bytes, position + 1, line)
            guard position < line.upperBound, bytes[position] == UInt8(ascii: "=") else { continue }
            position += 1
            if position < line.upperBound, bytes[position] == UInt8(ascii: "\"") {
                position = try quoted(bytes, position + 1, line)
            } else {
                position = try token(bytes, position, line)
            }
        }
        return size
    }

    private static func token(_ bytes: Span<UInt8>, _ start: Int, _ line: Range<Int>) throws(Refusal) -> Int {
        var position = start
        while position < line.upperBound, CharacterClass.isToken(bytes[position]) { position += 1 }
        guard position > start else { throw .chunk }
        return position
    }

    /// The place after the closing quote. Escapes are refused rather than understood in two ways.
    private static func quoted(_ bytes: Span<UInt8>, _ start: Int, _ line: Range<Int>) throws(Refusal) -> Int {
        var position = start
        while position < line.upperBound, bytes[position] != UInt8(ascii: "\"") {
            let byte = bytes[position]
            guard byte == 0x09 || (byte >= 0x20 && byte < 0x7f && byte != UInt8(ascii: "\\")) else { throw .chunk }
            position += 1
        }
        guard position < line.upperBound else { throw .chunk }
        return position + 1
    }
}
