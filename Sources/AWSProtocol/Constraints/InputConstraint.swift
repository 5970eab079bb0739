internal import Primitives

/// The constraints of a service model on one input member, and AWS's messages for violations.
public struct InputConstraint: Sendable, Equatable {
    /// The kinds of value in models.
    public enum Kind: String, Sendable, CaseIterable {
        case string
        case integer
        case number
        case boolean
        /// Bytes, as base64 in a string.
        case blob
        /// A point in time: a number, or a text in whatever form the service takes.
        case timestamp
        case list
        case structure
        /// Any JSON value, `null` too.
        case document

        /// Returns true if a JSON value of kind `token` can be of this kind. An integer may be any number, because services read `1.0`
        /// and `1e0` as 1; a number may also be one of the strings `notFinite`.
        func accepts(_ token: JSONToken.Kind) -> Bool {
            switch self {
            case .string, .blob: token == .string
            case .timestamp: token == .string || token == .number
            case .integer, .number: token == .number
            case .boolean: token == .true || token == .false
            case .list: token == .array
            case .structure: token == .object
            case .document: true
            }
        }
    }

    /// Returns true if a value is of the member's JSON type.
    public func accepts(_ token: JSONToken, in bytes: Span<UInt8>) -> Bool {
        switch (kind, token.kind) {
        case (.number, .string): Self.notFinite.contains { token.equals(Array($0.utf8), in: bytes) }
        default: kind.accepts(token.kind)
        }
    }

    /// The strings for numbers that JSON does not have (Smithy 2.0, AWS JSON 1.0 protocol, "Shape serialization").
    static let notFinite = ["NaN", "Infinity", "-Infinity"]

    /// The member's name in the model, such as `DomainId`.
    public var member: String
    public var kind: Kind
    public var isRequired: Bool
    /// The minimum length of a string in characters or of a blob in bytes, value of a number, or number of a list's elements; `nil` for
    /// no limit.
    public var minimum: Int64?
    /// The maximum of the same.
    public var maximum: Int64?
    /// The pattern of a string; `nil` for any.
    public var pattern: Pattern?
    /// The values of an enumeration; empty for any.
    public var values: [String]
    /// True if messages must not repeat the value.
    public var isSensitive: Bool
    /// The constraints on the members of a structure, in the order of their names; of a list, one constraint on every element
    /// with the name `member`. Empty if the model has none.
    public var members: [InputConstraint]

    public init(
        member: String, kind: Kind, isRequired: Bool = false, minimum: Int64? = nil, maximum: Int64? = nil,
        pattern: Pattern? = nil, values: [String] = [], isSensitive: Bool = false, members: [InputConstraint] = []
    ) {
        self.member = member
        self.kind = kind
        self.isRequired = isRequired
        self.minimum = minimum
        self.maximum = maximum
        self.pattern = pattern
        self.values = values
        self.isSensitive = isSensitive
        self.members = members
    }

    /// The violations of a missing member.
    ///
    /// - Parameter parent: the path of the enclosing value in messages, with a dot at its end; empty for the input itself.
    public func missing(in parent: String = "") -> [String] {
        isRequired ? worded(["Member must not be null"], value: nil, in: parent) : []
    }

    /// The violations of a string. A pattern that cannot be decided here is no violation; the service decides.
    ///
    /// - Parameters:
    ///   - parent: the path of the enclosing value in messages, with a dot at its end; empty for the input itself.
    ///   - allowance: the remaining cost of matching for the request.
    public func violations(
        string value: [UInt8], in parent: String = "", _ allowance: inout MatchAllowance
    ) -> [String] {
        var found: [String] = []
        // The service counts characters, not bytes.
        let length = Int64(value.count { $0 & 0xc0 != 0x80 })
        // The pattern of a value that is far too long is not checked.
        if let pattern, length <= maximum ?? .max || value.count <= 4096, pattern.matches(value, &allowance) == false {
            found.append(Self.rule(of: pattern))
        }
        found += limits(on: "length", brokenBy: length)
        // By bytes: Swift's `==` on strings is canonical equivalence.
        if !values.isEmpty, !values.contains(where: { $0.utf8.elementsEqual(value) }) { found.append(ruleOfValues) }
        guard !found.isEmpty else { return [] }
        return worded(found, value: quoted(String(decoding: value, as: UTF8.self)), in: parent)
    }

    /// The violations of a blob. Text that is not base64 is no violation; the service decides.
    ///
    /// - Parameter text: base64, with or without padding.
    public func violations(blob text: [UInt8], in parent: String = "") -> [String] {
        guard let length = Self.blobLength(text) else { return [] }
        let found = limits(on: "length", brokenBy: Int64(length))
        // The service shows its buffer in place of the bytes.
        let buffer = "java.nio.HeapByteBuffer[pos=0 lim=\(length) cap=\(length)]"
        return found.isEmpty ? [] : worded(found, value: quoted(buffer), in: parent)
    }

    /// The number of bytes that base64 stands for (RFC 4648, section 4); `nil` for other text.
    static func blobLength(_ text: [UInt8]) -> Int? {
        let digits = text.prefix { $0 != UInt8(ascii: "=") }
        let padding = text.count - digits.count
        let isBase64 = digits.allSatisfy {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
        }
        guard isBase64, text.dropFirst(digits.count).allSatisfy({ $0 == UInt8(ascii: "=") }), digits.count % 4 != 1,
            padding == 0 || padding == (4 - digits.count % 4) % 4
        else { return nil }
        return digits.count / 4 * 3 + max(0, digits.count % 4 - 1)
    }

    /// The violations of an integer.
    public func violations(integer value: Int64, in parent: String = "") -> [String] {
        let found = limits(on: "value", brokenBy: value)
        return found.isEmpty ? [] : worded(found, value: quoted("\(value)"), in: parent)
    }

    /// The limits that a length or a value breaks; both for `nil`.
    func limits(on size: String, brokenBy number: Int64? = nil) -> [String] {
        var limits: [String] = []
        if let maximum, number.map({ $0 > maximum }) ?? true {
            limits.append("Member must have \(size) less than or equal to \(maximum)")
        }
        if let minimum, number.map({ $0 < minimum }) ?? true {
            limits.append("Member must have \(size) greater than or equal to \(minimum)")
        }
        return limits
    }

    static func rule(of pattern: Pattern) -> String {
        "Member must satisfy regular expression pattern: \(pattern.text)"
    }

    var ruleOfValues: String { "Member must satisfy enum value set: [\(values.joined(separator: ", "))]" }

    /// The value in a message; empty if it is sensitive.
    func quoted(_ value: String) -> String { isSensitive ? "" : "'\(value)'" }

    /// One message for each violated constraint.
    ///
    /// - Parameter value: the value as the message shows it, `nil` for a missing one.
    func worded(_ constraints: [String], value: String?, in parent: String) -> [String] {
        let subject = value.map { $0.isEmpty ? "Value" : "Value \($0)" } ?? "Value null"
        return constraints.map { "\(subject) at '\(path(in: parent))' failed to satisfy constraint: \($0)" }
    }

    /// The path of the member in messages, where AWS begins each name in lower case.
    func path(in parent: String) -> String { parent + member.prefix(1).lowercased() + member.dropFirst() }

    /// The message of a `ValidationException` for all violations of a request.
    public static func message(_ violations: [String]) -> String {
        let noun = violations.count == 1 ? "error" : "errors"
        return "\(violations.count) validation \(noun) detected: \(violations.joined(separator: "; "))"
    }
}
