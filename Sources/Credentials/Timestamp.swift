internal import AWSProtocol
internal import Primitives

/// Reads the sources' timestamps in ISO 8601's extended format (RFC 3339, section 5.6).
enum Timestamp {
    /// Reads `2025-01-31T12:00:00Z`, also with a fraction of the second or an offset (`+01:00`, `+0100`); `nil` for anything
    /// else. Beyond the span of `WallInstant`, the nearest instant of it.
    static func instant(_ text: String) -> WallInstant? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 64, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
        else { return nil }
        let basic =
            bytes[0..<4] + bytes[5..<7] + bytes[8..<13] + bytes[14..<16] + bytes[17..<19] + [UInt8(ascii: "Z")]
        guard let seconds = AWSTime.basic(Array(basic).span) else { return nil }
        var rest = bytes[19...]
        if rest.first == UInt8(ascii: ".") {
            // The fraction of the second is ignored.
            let digits = rest.dropFirst().prefix(while: \.isDigit)
            guard !digits.isEmpty else { return nil }
            rest = rest[digits.endIndex...]
        }
        guard let offset = offset(Array(rest)) else { return nil }
        return WallInstant(seconds: seconds - offset)
    }

    /// The offset from UTC in seconds; `nil` if it is malformed.
    private static func offset(_ text: [UInt8]) -> Int64? {
        guard let first = text.first else { return nil }
        if first == UInt8(ascii: "Z") { return text.count == 1 ? 0 : nil }
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-") else { return nil }
        var digits = Array(text.dropFirst())
        if digits.count == 5, digits[2] == UInt8(ascii: ":") { digits.remove(at: 2) }
        guard digits.count == 4, let hours = digits.span.number(0..<2), let minutes = digits.span.number(2..<4),
            hours < 24, minutes < 60
        else { return nil }
        return (first == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
