/// What a service model says of one input member, and the sentences in which AWS reports that it is not so.
public struct InputConstraint: Sendable, Equatable {
    /// The kinds of value that models use.
    public enum Kind: String, Sendable, CaseIterable {
        case string
        case integer
        case number
        case boolean
        case list
        case structure

        /// Whether a JSON value of kind `token` can be of this kind; integers are checked further by their spelling.
        public func accepts(_ token: JSONToken.Kind) -> Bool {
            switch self {
            case .string: token == .string
            case .integer, .number: token == .number
            case .boolean: token == .true || token == .false
            case .list: token == .array
            case .structure: token == .object
            }
        }
    }

    /// The member's name as the model writes it, such as `DomainId`; one inside a structure with the structure's name and a
    /// dot before it.
    public var member: String
    public var kind: Kind
    public var isRequired: Bool
    /// The least and greatest length of a string in characters, or value of a number.
    public var minimum: Int64?
    public var maximum: Int64?
    public var pattern: Pattern?
    /// The values that an enumeration allows; empty for any.
    public var values: [String]
    /// Whether the value must not be repeated in messages.
    public var isSensitive: Bool

    public init(
        member: String, kind: Kind, isRequired: Bool = false, minimum: Int64? = nil, maximum: Int64? = nil,
        pattern: Pattern? = nil, values: [String] = [], isSensitive: Bool = false
    ) {
        self.member = member
        self.kind = kind
        self.isRequired = isRequired
        self.minimum = minimum
        self.maximum = maximum
        self.pattern = pattern
        self.values = values
        self.isSensitive = isSensitive
    }

    /// What a missing member violates.
    public func missing() -> [String] {
        isRequired ? ["Value null at '\(path)' failed to satisfy constraint: Member must not be null"] : []
    }

    /// What a string violates; empty if nothing.
    public func violations(string value: [UInt8]) -> [String] {
        var found: [String] = []
        // Characters are counted as the service does, which costs a pass only where a bound could be broken.
        let length = Int64(value.count { $0 & 0xc0 != 0x80 })
        let isTooLong = maximum.map { length > $0 } ?? false
        let isTooShort = minimum.map { length < $0 } ?? false
        // A value that is far too long is not handed to an expression that may go back and forth over it.
        if let pattern, length <= maximum ?? .max || value.count <= 4096, !pattern.matches(value) {
            found.append("Member must satisfy regular expression pattern: \(pattern.text)")
        }
        if isTooLong, let maximum { found.append("Member must have length less than or equal to \(maximum)") }
        if isTooShort, let minimum { found.append("Member must have length greater than or equal to \(minimum)") }
        if !values.isEmpty {
            // By bytes: strings that merely look alike are equal to Swift.
            if !values.contains(where: { $0.utf8.elementsEqual(value) }) {
                found.append("Member must satisfy enum value set: [\(values.joined(separator: ", "))]")
            }
        }
        guard !found.isEmpty else { return [] }
        return worded(found, value: String(decoding: value, as: UTF8.self))
    }

    /// What an integer violates; empty if nothing.
    public func violations(integer value: Int64) -> [String] {
        var found: [String] = []
        if let maximum, value > maximum { found.append("Member must have value less than or equal to \(maximum)") }
        if let minimum, value < minimum { found.append("Member must have value greater than or equal to \(minimum)") }
        return found.isEmpty ? [] : worded(found, value: "\(value)")
    }

    private func worded(_ constraints: [String], value: String) -> [String] {
        let shown = isSensitive ? "Value" : "Value '\(value)'"
        return constraints.map { "\(shown) at '\(path)' failed to satisfy constraint: \($0)" }
    }

    /// AWS begins members with a small letter in these messages.
    private var path: String {
        member.split(separator: ".").map { $0.prefix(1).lowercased() + $0.dropFirst() }.joined(separator: ".")
    }

    /// The message of a `ValidationException` for all violations of a request.
    public static func message(_ violations: [String]) -> String {
        let noun = violations.count == 1 ? "error" : "errors"
        return "\(violations.count) validation \(noun) detected: \(violations.joined(separator: "; "))"
    }
}
