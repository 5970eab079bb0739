public import Primitives

/// How the lines of the log are written.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `name=value` pairs (logfmt), for people.
    case text
    /// A JSON object each (RFC 8259), for machines.
    case json
}

/// One line of the log: its time, level and message, then named values. Whatever the values hold, it stays one line, and none of them can
/// pass for another: they are escaped as in JSON, in both formats. Bytes that are not UTF-8 become U+FFFD.
public struct LogLine {
    /// The longest value of unknown length, in bytes; what follows is replaced by `…`.
    public static let maxValueBytes = 512

    private var bytes: [UInt8] = []
    private let format: LogFormat

    public init(_ format: LogFormat, time: WallInstant, level: String, message: String) {
        self.format = format
        bytes.reserveCapacity(512)
        if format == .json { bytes.append(UInt8(ascii: "{")) }
        add("time", bare: LogTime.bytes(time))
        add("level", level.utf8)
        add("message", message.utf8, atMost: 16 * Self.maxValueBytes)
    }

    /// Adds a text.
    ///
    /// - Parameter limit: the bytes of it that are written at most.
    public mutating func add(_ name: String, _ value: some Sequence<UInt8>, atMost limit: Int = maxValueBytes) {
        begin(name)
        let text = Self.bounded(value, limit)
        let isBare = format == .text && !text.isEmpty && text.unicodeScalars.allSatisfy(Self.isBare)
        guard !isBare else {
            bytes += text.utf8
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars { append(escaping: scalar) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Adds a number.
    public mutating func add(_ name: String, _ number: Int64) {
        begin(name)
        bytes += String(number).utf8
    }

    /// The line with its end.
    public consuming func finish() -> [UInt8] {
        var bytes = bytes
        if format == .json { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Adds a value that needs no escapes.
    private mutating func add(_ name: String, bare value: [UInt8]) {
        begin(name)
        if format == .json { bytes.append(UInt8(ascii: "\"")) }
        bytes += value
        if format == .json { bytes.append(UInt8(ascii: "\"")) }
    }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(format == .json ? UInt8(ascii: ",") : UInt8(ascii: " ")) }
        guard format == .json else {
            for scalar in name.unicodeScalars { bytes += Self.isBare(scalar) ? Array(String(scalar).utf8) : [0x5f] }
            bytes.append(UInt8(ascii: "="))
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for scalar in name.unicodeScalars { append(escaping: scalar) }
        bytes += "\":".utf8
    }

    private mutating func append(escaping scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes += "\\\"".utf8
        case "\\": bytes += "\\\\".utf8
        case "\n": bytes += "\\n".utf8
        case "\r": bytes += "\\r".utf8
        case "\t": bytes += "\\t".utf8
        case _ where Self.isControl(scalar):
            bytes += "\\u00".utf8
            for digit in [scalar.value >> 4, scalar.value & 15] { bytes += String(digit, radix: 16).utf8 }
        default: bytes += Array(String(scalar).utf8)
        }
    }

    /// A terminal takes those of both ranges for orders.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
    }

    private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value > 0x20 && !isControl(scalar) && scalar != "\"" && scalar != "=" && scalar != "\\"
    }

    private static func bounded(_ value: some Sequence<UInt8>, _ limit: Int) -> String {
        let bytes = Array(value.prefix(limit + 1))
        guard bytes.count > limit else { return String(decoding: bytes, as: UTF8.self) }
        // Not within a character: a byte 10xxxxxx continues one.
        var end = limit
        while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self) + "…"
    }
}
