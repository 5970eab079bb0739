internal import Primitives

/// A JSON value as a tree, for texts that are seldom read or written. The request path uses tokens.
public indirect enum JSONValue: Sendable, Equatable {
    case object([(name: String, value: JSONValue)])
    case array([JSONValue])
    case string(String)
    /// A number in its original spelling; see `integer(_:)` and `integer`.
    case number(String)
    case bool(Bool)
    case null

    /// Reads a text that is one value.
    ///
    /// - Throws: `JSONError` if the text is malformed.
    public init(_ text: [UInt8]) throws(JSONError) {
        let bytes = text.span
        self.init(try JSONReader.value(of: bytes), in: bytes)
    }

    /// The value of a token that was read from `bytes`.
    public init(_ token: JSONToken, in bytes: Span<UInt8>) {
        var reader = JSONReader()
        reader.position = token.range.lowerBound
        // The token was read from these bytes before, so this does not throw.
        self = (try? reader.tree(bytes, depth: 0)) ?? .null
    }

    /// The kind of the value.
    public var kind: JSONToken.Kind {
        switch self {
        case .object: .object
        case .array: .array
        case .string: .string
        case .number: .number
        case .bool(let value): value ? .true : .false
        case .null: .null
        }
    }

    /// The number with this integer as its spelling.
    public static func integer(_ value: Int64) -> JSONValue { .number(String(value)) }

    /// The value of an object's member; `nil` if there is none or the value is of another kind.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { Self.same($0.name, name) }?.value
    }

    /// The text of a string; `nil` for other kinds.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The value of a number that is written as an integer and fits 64 bits, else `nil`.
    public var integer: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    /// The elements of an array; `nil` for other kinds.
    public var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The value as JSON text, without white space, members in their order.
    public func serialized() -> [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.appendString(Array(member.name.utf8), to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .string(let text): JSONText.appendString(Array(text.utf8), to: &bytes)
        case .number(let text): bytes += text.utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .null: bytes += "null".utf8
        }
    }

    /// Compares by code points (RFC 8259, section 8.3). Swift's `==` compares by canonical equivalence.
    private static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.object(let left), .object(let right)):
            left.count == right.count && zip(left, right).allSatisfy { same($0.name, $1.name) && $0.value == $1.value }
        case (.array(let left), .array(let right)): left == right
        case (.string(let left), .string(let right)): same(left, right)
        case (.number(let left), .number(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }
}

extension JSONReader {
    /// The tree of the value at `position`. Each byte is read once, at any depth.
    fileprivate mutating func tree(_ bytes: Span<UInt8>, depth: Int) throws(JSONError) -> JSONValue {
        skipSpace(bytes)
        guard position < bytes.count else { return .null }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            let members = try object(bytes, depth: depth + 1) { reader, bytes, depth throws(JSONError) in
                try reader.tree(bytes, depth: depth)
            }
            var object: [(name: String, value: JSONValue)] = []
            for member in members {
                object.append((String(decoding: member.name.string(in: bytes), as: UTF8.self), member.value))
            }
            return .object(object)
        case UInt8(ascii: "["):
            return .array(
                try array(bytes, depth: depth + 1) { reader, bytes, depth throws(JSONError) in
                    try reader.tree(bytes, depth: depth)
                })
        default:
            return JSONValue(scalar: try value(bytes, depth: depth), in: bytes)
        }
    }
}

extension JSONValue {
    /// The value of a token that is neither an object nor an array.
    fileprivate init(scalar token: JSONToken, in bytes: Span<UInt8>) {
        switch token.kind {
        case .string: self = .string(String(decoding: token.string(in: bytes), as: UTF8.self))
        case .number:
            var text: [UInt8] = []
            for index in token.range { text.append(bytes[index]) }
            self = .number(String(decoding: text, as: UTF8.self))
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .null, .object, .array: self = .null
        }
    }
}

/// Writes JSON text.
public enum JSONText {
    /// Appends a string literal with as few escapes as the grammar allows, so that each value has one spelling.
    public static func appendString(_ value: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in value {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0a: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x0d: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes.append(hexadecimal: byte)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
