/// The id of a trace: 16 bytes, not all 0 (W3C Trace Context, section 3.2.2.3).
public struct TraceID: Sendable, Hashable {
    public let high: UInt64
    public let low: UInt64

    /// `nil` if both are 0.
    public init?(high: UInt64, low: UInt64) {
        guard high != 0 || low != 0 else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// A new one, all of it random (section 6.1).
    public init(using random: inout some RandomNumberGenerator) {
        high = random.next()
        // One of so many values is not random, so that an id is never 0.
        low = max(1, random.next())
    }

    /// 32 digits in lower case.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
    var bytes: [UInt8] { Hex.digits(of: high) + Hex.digits(of: low) }
}

/// The id of a span: 8 bytes, not all 0 (section 3.2.2.4).
public struct SpanID: Sendable, Hashable {
    public let value: UInt64

    /// `nil` for 0.
    public init?(_ value: UInt64) {
        guard value != 0 else { return nil }
        self.value = value
    }

    /// A new one.
    public init(using random: inout some RandomNumberGenerator) { value = max(1, random.next()) }

    /// 16 digits in lower case.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
    var bytes: [UInt8] { Hex.digits(of: value) }
}

/// Numbers as 16 digits of base 16.
enum Hex {
    private static let alphabet = Array("0123456789abcdef".utf8)

    static func digits(of value: UInt64) -> [UInt8] {
        (0..<16).map { alphabet[Int(value >> UInt64(60 - 4 * $0) & 15)] }
    }

    /// The number that digits in lower case stand for, 16 at the most; `nil` for anything else.
    static func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count, range.count <= 16 else { return nil }
        var value: UInt64 = 0
        for index in range {
            switch bytes[index] {
            case 0x30...0x39: value = value << 4 | UInt64(bytes[index] - 0x30)
            case 0x61...0x66: value = value << 4 | UInt64(bytes[index] - 0x57)
            default: return nil
            }
        }
        return value
    }
}
