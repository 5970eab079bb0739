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

    /// The member's name as the model writes it, such as `DomainId`.
    public var member: String
    public var kind: Kind
    public var isRequired: Bool
    /// The least and greatest length of a string in characters, value of a number, or number of a list's elements.
    public var minimum: Int64?
    public var maximum: Int64?
    public var pattern: Pattern?
    /// The values that an enumeration allows; empty for any.
    public var values: [String]
    /// Whether the value must not be repeated in messages.
    public var isSensitive: Bool
    /// What the members of a structure must be, in the order of their names; of a list, what every element must be, as one
    /// constraint on a member called `member`. Empty where nothing is known of them.
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

    /// What a missing member violates.
    ///
    /// - Parameter parent: what the member is in, as messages write it, with a dot behind it; empty for the input itself.
    public func missing(in parent: String = "") -> [String] {
        isRequired ? worded(["Member must not be null"], value: nil, in: parent) : []
    }

    /// What a string violates; empty if nothing. A pattern of which it cannot be told whether it matches is for the service.
    ///
    /// - Parameters:
    ///   - parent: what the member is in, as messages write it, with a dot behind it; empty for the input itself.
    ///   - allowance: what all matching for the same request may cost.
    public func violations(
        string value: [UInt8], in parent: String = "", _ allowance: inout MatchAllowance
    ) -> [String] {
        var found: [String] = []
        // Characters are counted as the service does, which costs a pass only where a bound could be broken.
        let length = Int64(value.count { $0 & 0xc0 != 0x80 })
        let isTooLong = maximum.map { length > $0 } ?? false
        let isTooShort = minimum.map { length < $0 } ?? false
        // Of a value that is far too long nothing else need be said.
        if let pattern, !isTooLong || value.count <= 4096, pattern.matches(value, &allowance) == false {
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
        return worded(found, value: quoted(String(decoding: value, as: UTF8.self)), in: parent)
    }

    /// What an integer violates; empty if nothing.
    public func violations(integer value: Int64, in parent: String = "") -> [String] {
        var found: [String] = []
        if let maximum, value > maximum { found.append("Member must have value less than or equal to \(maximum)") }
        if let minimum, value < minimum { found.append("Member must have value greater than or equal to \(minimum)") }
        return found.isEmpty ? [] : worded(found, value: quoted("\(value)"), in: parent)
    }

    /// A value as a message shows it.
    func quoted(_ value: String) -> String { isSensitive ? "" : "'\(value)'" }

    /// A sentence for each constraint that is not met.
    ///
    /// - Parameter value: the value as the message shows it, nothing for one that is missing.
    func worded(_ constraints: [String], value: String?, in parent: String) -> [String] {
        let subject = value.map { $0.isEmpty ? "Value" : "Value \($0)" } ?? "Value null"
        return constraints.map { "\(subject) at '\(path(in: parent))' failed to satisfy constraint: \($0)" }
    }

    /// Where the member is. AWS begins members with a small letter in these messages.
    func path(in parent: String) -> String { parent + member.prefix(1).lowercased() + member.dropFirst() }

    /// The message of a `ValidationException` for all violations of a request.
    public static func message(_ violations: [String]) -> String {
        let noun = violations.count == 1 ? "error" : "errors"
        return "\(violations.count) validation \(noun) detected: \(violations.joined(separator: "; "))"
    }
}
