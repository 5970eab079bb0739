/// A member of a JSON object, as positions in the text.
public struct JSONMember: Sendable {
    public let name: JSONToken
    public let value: JSONToken
}

/// Reads JSON (RFC 8259) strictly: UTF-8 only, no duplicate member in an object at any depth, no text after the value, at most
/// `maxDepth` levels.
///
/// Two readers that disagree about a text make cache poisoning possible. This is the only reader, and it refuses every text
/// that another reader could understand differently.
public struct JSONReader {
    /// The maximum number of levels of nesting.
    public static let maxDepth = 32

    var position = 0
    private var names = MemberNames()

    init() {}

    /// The members of a text that is one object, in their order.
    ///
    /// - Throws: `JSONError` if the text is malformed or another value.
    public static func members(of bytes: Span<UInt8>) throws(JSONError) -> [JSONMember] {
        try requireUTF8(bytes)
        var reader = JSONReader()
        reader.skipSpace(bytes)
        guard reader.position < bytes.count else { throw reader.error(.unexpectedEnd) }
        guard bytes[reader.position] == UInt8(ascii: "{") else {
            _ = try reader.value(bytes, depth: 0)
            throw JSONError(reason: .notAnObject, offset: 0)
        }
        let members = try reader.object(bytes, depth: 1)
        try reader.end(bytes)
        return members
    }

    /// Reads a text that is one value of any kind.
    ///
    /// - Throws: `JSONError` if the text is malformed.
    public static func value(of bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        try requireUTF8(bytes)
        var reader = JSONReader()
        let token = try reader.value(bytes, depth: 0)
        try reader.end(bytes)
        return token
    }

    private static func requireUTF8(_ bytes: Span<UInt8>) throws(JSONError) {
        do {
            _ = try UTF8Span(validating: bytes)
        } catch {
            throw JSONError(reason: .invalidUTF8, offset: error.byteOffsets.lowerBound)
        }
    }

    // MARK: Values

    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSONToken {
        skipSpace(bytes)
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "\""):
            return try string(bytes)
        case UInt8(ascii: "{"):
            try eachMember(bytes, depth: depth + 1) { reader, _ throws(JSONError) in
                _ = try reader.value(bytes, depth: depth + 1)
            }
            return JSONToken(kind: .object, range: start..<position)
        case UInt8(ascii: "["):
            try eachElement(bytes, depth: depth + 1) { reader throws(JSONError) in
                _ = try reader.value(bytes, depth: depth + 1)
            }
            return JSONToken(kind: .array, range: start..<position)
        case UInt8(ascii: "t"): return try literal("true", .true, bytes)
        case UInt8(ascii: "f"): return try literal("false", .false, bytes)
        case UInt8(ascii: "n"): return try literal("null", .null, bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        default: throw error(.unexpectedCharacter)
        }
    }

    /// The members of the object whose brace is at `position`.
    mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> [JSONMember] {
        var members: [JSONMember] = []
        try eachMember(bytes, depth: depth) { reader, name throws(JSONError) in
            members.append(JSONMember(name: name, value: try reader.value(bytes, depth: depth)))
        }
        return members
    }

    /// Iterates over the object whose brace is at `position`. `read` gets each name and reads its value.
    @inline(__always)
    mutating func eachMember(
        _ bytes: Span<UInt8>, depth: Int, _ read: (inout JSONReader, JSONToken) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard depth <= Self.maxDepth else { throw error(.tooDeep) }
        position += 1
        skipSpace(bytes)
        if take(UInt8(ascii: "}"), bytes) { return }
        var object = names.begin()
        while true {
            skipSpace(bytes)
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw error(.unexpectedCharacter) }
            let name = try string(bytes)
            guard names.insert(name, in: &object, of: bytes) else {
                throw JSONError(reason: .duplicateMember, offset: name.range.lowerBound)
            }
            skipSpace(bytes)
            try require(UInt8(ascii: ":"), bytes)
            try read(&self, name)
            skipSpace(bytes)
            if take(UInt8(ascii: "}"), bytes) { return names.end(object) }
            try require(UInt8(ascii: ","), bytes)
        }
    }

    /// Iterates over the array whose bracket is at `position`. `read` reads each element.
    @inline(__always)
    mutating func eachElement(
        _ bytes: Span<UInt8>, depth: Int, _ read: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard depth <= Self.maxDepth else { throw error(.tooDeep) }
        position += 1
        skipSpace(bytes)
        if take(UInt8(ascii: "]"), bytes) { return }
        while true {
            try read(&self)
            skipSpace(bytes)
            if take(UInt8(ascii: "]"), bytes) { return }
            try require(UInt8(ascii: ","), bytes)
        }
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let start = position
        var hasEscapes = false
        position += 1
        while true {
            position = bytes.plainText(from: position)
            guard position < bytes.count else { break }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return JSONToken(kind: .string, range: start..<position, hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            guard let escape = JSONEscape(bytes, at: position, end: bytes.count) else { throw error(.invalidEscape) }
            hasEscapes = true
            position += escape.length
        }
        throw error(.unexpectedEnd)
    }

    /// `[ "-" ] ( "0" / 1-9 *DIGIT ) [ "." 1*DIGIT ] [ ("e" / "E") [ "+" / "-" ] 1*DIGIT ]`
    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let start = position
        _ = take(UInt8(ascii: "-"), bytes)
        if !take(UInt8(ascii: "0"), bytes) { try digits(bytes) }
        if take(UInt8(ascii: "."), bytes) { try digits(bytes) }
        if take(UInt8(ascii: "e"), bytes) || take(UInt8(ascii: "E"), bytes) {
            if !take(UInt8(ascii: "+"), bytes) { _ = take(UInt8(ascii: "-"), bytes) }
            try digits(bytes)
        }
        // A digit here follows a leading zero.
        if position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { throw error(.invalidNumber) }
        return JSONToken(kind: .number, range: start..<position)
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        guard position > start else { throw error(position < bytes.count ? .invalidNumber : .unexpectedEnd) }
    }

    private mutating func literal(
        _ text: StaticString, _ kind: JSONToken.Kind, _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONToken {
        let start = position
        for offset in 0..<text.utf8CodeUnitCount {
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            // Unsafe because of the pointer; the offset is within the literal.
            guard unsafe bytes[position] == text.utf8Start[offset] else { throw error(.unexpectedCharacter) }
            position += 1
        }
        return JSONToken(kind: kind, range: start..<position)
    }

    // MARK: Characters

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count, bytes[position].isJSONSpace { position += 1 }
    }

    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func require(_ byte: UInt8, _ bytes: Span<UInt8>) throws(JSONError) {
        guard position < bytes.count else { throw error(.unexpectedEnd) }
        guard take(byte, bytes) else { throw error(.unexpectedCharacter) }
    }

    private mutating func end(_ bytes: Span<UInt8>) throws(JSONError) {
        skipSpace(bytes)
        guard position == bytes.count else { throw error(.trailingText) }
    }

    private func error(_ reason: JSONError.Reason) -> JSONError { JSONError(reason: reason, offset: position) }
}

extension UInt8 {
    /// True for the white space of RFC 8259, section 2.
    var isJSONSpace: Bool { self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09 }
}

extension Span<UInt8> {
    /// The index of the first byte at or after `start` that does not stand for itself in a string: a quotation mark, a backslash
    /// or a control character; `count` if there is none.
    @inline(__always)
    fileprivate func plainText(from start: Int) -> Int {
        // Unsafe because of the pointer: every byte that is read lies inside the span.
        unsafe withUnsafeBytes { bytes in
            var index = start
            // Eight bytes at a time. Subtracting 1 from a zero byte sets its high bit.
            while index + 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let quotes = word ^ (Self.each &* UInt64(UInt8(ascii: "\"")))
                let slashes = word ^ (Self.each &* UInt64(UInt8(ascii: "\\")))
                let found =
                    ((quotes &- Self.each) & ~quotes | (slashes &- Self.each) & ~slashes
                        | (word &- Self.each &* 0x20) & ~word) & (Self.each &* 0x80)
                // Only the lowest set bit is certain, because a borrow continues upwards.
                if found != 0 { return index + found.trailingZeroBitCount / 8 }
                index += 8
            }
            while index < bytes.count {
                let byte = unsafe bytes[index]
                if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
                index += 1
            }
            return index
        }
    }

    private static var each: UInt64 { 0x0101_0101_0101_0101 }
}
