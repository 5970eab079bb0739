/// A member of a JSON object.
public struct JSONMember: Sendable {
    public let name: JSONToken
    public let value: JSONToken
}

/// Reads JSON (RFC 8259) strictly: UTF-8 only, no member twice in one object at any depth, nothing after the value, at most
/// `maxDepth` levels.
///
/// Two readers that disagree about a text are how caches get poisoned. Here there is one reader, and it refuses whatever
/// another could understand differently.
public struct JSONReader {
    /// Levels of nesting that are accepted.
    public static let maxDepth = 32

    var position = 0

    /// The members of a text that is one object, in their order.
    ///
    /// - Throws: `JSONError` if the text is anything else.
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

    /// Reads the text as one value of any kind.
    ///
    /// - Throws: `JSONError` if it is not one.
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
            _ = try object(bytes, depth: depth + 1)
            return JSONToken(kind: .object, range: start..<position)
        case UInt8(ascii: "["):
            _ = try array(bytes, depth: depth + 1) { reader, bytes, depth throws(JSONError) in
                try reader.value(bytes, depth: depth)
            }
            return JSONToken(kind: .array, range: start..<position)
        case UInt8(ascii: "t"): return try literal("true", .true, bytes)
        case UInt8(ascii: "f"): return try literal("false", .false, bytes)
        case UInt8(ascii: "n"): return try literal("null", .null, bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        default: throw error(.unexpectedCharacter)
        }
    }

    /// How a member's or an element's value is read: from the reader's position on, at this depth.
    typealias ValueReading<Value> = (inout JSONReader, Span<UInt8>, _ depth: Int) throws(JSONError) -> Value

    /// The members of the object whose brace is at `position`.
    mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> [JSONMember] {
        try object(bytes, depth: depth) { reader, bytes, depth throws(JSONError) in
            try reader.value(bytes, depth: depth)
        }.map { JSONMember(name: $0.name, value: $0.value) }
    }

    mutating func object<Value>(
        _ bytes: Span<UInt8>, depth: Int, reading read: ValueReading<Value>
    ) throws(JSONError) -> [(name: JSONToken, value: Value)] {
        guard depth <= Self.maxDepth else { throw error(.tooDeep) }
        position += 1
        var members: [(name: JSONToken, value: Value)] = []
        var names = MemberNames()
        skipSpace(bytes)
        if take(UInt8(ascii: "}"), bytes) { return members }
        while true {
            skipSpace(bytes)
            guard position < bytes.count else { throw error(.unexpectedEnd) }
            guard bytes[position] == UInt8(ascii: "\"") else { throw error(.unexpectedCharacter) }
            let name = try string(bytes)
            guard names.insert(name, in: bytes) else {
                throw JSONError(reason: .duplicateMember, offset: name.range.lowerBound)
            }
            skipSpace(bytes)
            try require(UInt8(ascii: ":"), bytes)
            members.append((name, try read(&self, bytes, depth)))
            skipSpace(bytes)
            if take(UInt8(ascii: "}"), bytes) { return members }
            try require(UInt8(ascii: ","), bytes)
        }
    }

    /// The elements of the array whose bracket is at `position`.
    mutating func array<Value>(
        _ bytes: Span<UInt8>, depth: Int, reading read: ValueReading<Value>
    ) throws(JSONError) -> [Value] {
        guard depth <= Self.maxDepth else { throw error(.tooDeep) }
        position += 1
        var elements: [Value] = []
        skipSpace(bytes)
        if take(UInt8(ascii: "]"), bytes) { return elements }
        while true {
            elements.append(try read(&self, bytes, depth))
            skipSpace(bytes)
            if take(UInt8(ascii: "]"), bytes) { return elements }
            try require(UInt8(ascii: ","), bytes)
        }
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let start = position
        var hasEscapes = false
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return JSONToken(kind: .string, range: start..<position, hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            if byte == UInt8(ascii: "\\") {
                guard let escape = JSONEscape(bytes, at: position, end: bytes.count) else {
                    throw error(.invalidEscape)
                }
                hasEscapes = true
                position += escape.length
            } else {
                position += 1
            }
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
            // Unsafe only in its pointer; the offset lies inside the literal.
            guard unsafe bytes[position] == text.utf8Start[offset] else { throw error(.unexpectedCharacter) }
            position += 1
        }
        return JSONToken(kind: kind, range: start..<position)
    }

    // MARK: Characters

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0a, 0x0d, 0x09: position += 1
            default: return
            }
        }
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

/// Finds out whether a name occurs twice in an object: by comparing while there are few, by a set when there are many.
private struct MemberNames {
    private static let few = 16
    private var names: [JSONToken] = []
    private var set: Set<[UInt8]> = []

    /// False if `name` was inserted before.
    mutating func insert(_ name: JSONToken, in bytes: Span<UInt8>) -> Bool {
        if names.count < Self.few {
            for other in names where Self.same(other, name, bytes) { return false }
            names.append(name)
            return true
        }
        if set.isEmpty { set = Set(names.map { $0.string(in: bytes) }) }
        return set.insert(name.string(in: bytes)).inserted
    }

    private static func same(_ left: JSONToken, _ right: JSONToken, _ bytes: Span<UInt8>) -> Bool {
        if left.hasEscapes || right.hasEscapes { return left.string(in: bytes) == right.string(in: bytes) }
        guard left.range.count == right.range.count else { return false }
        for offset in 0..<left.range.count
        where bytes[left.range.lowerBound + offset] != bytes[right.range.lowerBound + offset] {
            return false
        }
        return true
    }
}
