internal import Primitives

/// A JSON value as a range of the text.
public struct JSONToken: Sendable, Equatable {
    /// The kind of a JSON value.
    public enum Kind: Sendable, Equatable {
        case string
        case number
        case object
        case array
        case `true`
        case `false`
        case null
    }

    public let kind: Kind
    /// The range of the value's bytes, with the quotation marks of a string.
    public let range: Range<Int>
    /// True if a string has escape sequences; without them its bytes are its value.
    let hasEscapes: Bool

    init(kind: Kind, range: Range<Int>, hasEscapes: Bool = false) {
        self.kind = kind
        self.range = range
        self.hasEscapes = hasEscapes
    }

    /// The value of a string as UTF-8; empty for other kinds.
    ///
    /// - Parameter bytes: the text that the token was read from.
    public func string(in bytes: Span<UInt8>) -> [UInt8] {
        guard kind == .string, range.count >= 2, range.upperBound <= bytes.count else { return [] }
        var value: [UInt8] = []
        value.reserveCapacity(range.count - 2)
        appendString(in: bytes, to: &value)
        return value
    }

    /// Appends the value of a string as UTF-8; does nothing for other kinds.
    public func appendString(in bytes: Span<UInt8>, to value: inout [UInt8]) {
        guard kind == .string, range.count >= 2, range.upperBound <= bytes.count else { return }
        var position = range.lowerBound + 1
        let end = range.upperBound - 1
        guard hasEscapes else {
            while position < end {
                value.append(bytes[position])
                position += 1
            }
            return
        }
        while position < end {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\\"), let escape = JSONEscape(bytes, at: position, end: end) {
                value.append(contentsOf: escape.utf8)
                position += escape.length
            } else {
                value.append(byte)
                position += 1
            }
        }
    }

    /// Returns true if the token is a string with the value `other`.
    public func equals(_ other: [UInt8], in bytes: Span<UInt8>) -> Bool {
        guard kind == .string else { return false }
        if hasEscapes { return string(in: bytes) == other }
        guard range.count - 2 == other.count, range.upperBound <= bytes.count else { return false }
        for index in other.indices where bytes[range.lowerBound + 1 + index] != other[index] { return false }
        return true
    }

    /// The value of a number that is written as an integer (no fraction, no exponent) and fits 64 bits, else `nil`.
    public func integer(in bytes: Span<UInt8>) -> Int64? {
        guard kind == .number, range.upperBound <= bytes.count else { return nil }
        var position = range.lowerBound
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var magnitude: Int64 = 0
        while position < range.upperBound {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.subtractingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return nil }
            magnitude = sum
            position += 1
        }
        // Accumulated as a negative number, because there is one more of these.
        if isNegative { return magnitude }
        return magnitude == .min ? nil : -magnitude
    }
}

/// An escape sequence of a JSON string (RFC 8259, section 7). A surrogate pair is one sequence.
struct JSONEscape {
    let scalar: Unicode.Scalar
    /// The number of bytes of the sequence.
    let length: Int

    var utf8: [UInt8] { Array(String(scalar).utf8) }

    /// Reads the sequence whose backslash is at `position`; `nil` if it is malformed or half a surrogate pair.
    init?(_ bytes: Span<UInt8>, at position: Int, end: Int) {
        guard position + 1 < end else { return nil }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""): self.init(scalar: "\"", length: 2)
        case UInt8(ascii: "\\"): self.init(scalar: "\\", length: 2)
        case UInt8(ascii: "/"): self.init(scalar: "/", length: 2)
        case UInt8(ascii: "b"): self.init(scalar: "\u{08}", length: 2)
        case UInt8(ascii: "f"): self.init(scalar: "\u{0c}", length: 2)
        case UInt8(ascii: "n"): self.init(scalar: "\n", length: 2)
        case UInt8(ascii: "r"): self.init(scalar: "\r", length: 2)
        case UInt8(ascii: "t"): self.init(scalar: "\t", length: 2)
        case UInt8(ascii: "u"):
            guard let unit = Self.unit(bytes, at: position, end: end) else { return nil }
            if let scalar = Unicode.Scalar(unit) {
                self.init(scalar: scalar, length: 6)
                return
            }
            guard UTF16.isLeadSurrogate(unit), position + 6 < end, bytes[position + 6] == UInt8(ascii: "\\"),
                let trail = Self.unit(bytes, at: position + 6, end: end), UTF16.isTrailSurrogate(trail),
                let pair = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xd800) << 10 + (UInt32(trail) - 0xdc00))
            else { return nil }
            self.init(scalar: pair, length: 12)
        default: return nil
        }
    }

    private init(scalar: Unicode.Scalar, length: Int) {
        self.scalar = scalar
        self.length = length
    }

    /// The value of `\uXXXX`.
    private static func unit(_ bytes: Span<UInt8>, at position: Int, end: Int) -> UInt16? {
        guard position + 6 <= end, bytes[position + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for index in position + 2..<position + 6 {
            guard let digit = bytes[index].hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
