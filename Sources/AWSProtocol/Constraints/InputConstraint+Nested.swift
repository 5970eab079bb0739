/// A value that is of another type than the model's.
public struct WrongTypeError: Error, Sendable, Equatable {
    /// Where it is, such as `OutputDataConfig.S3Uri` or `Tags.2.member`: the second element of a list.
    public let path: String
    /// What it should be.
    public let kind: InputConstraint.Kind

    public init(path: String, kind: InputConstraint.Kind) {
        self.path = path
        self.kind = kind
    }

    /// The sentence for the client.
    public var message: String { "Member '\(path)' must be of type \(kind.rawValue)." }
}

extension InputConstraint {
    /// What a value, and all that is in it, violates; empty if nothing. Members that the model does not have are passed over.
    ///
    /// - Parameter allowance: what all matching for the same request may cost.
    /// - Throws: `WrongTypeError` for the first value of a wrong type.
    public func violations(
        of value: JSONValue, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        try violations(of: value, in: "", named: member, &allowance)
    }

    /// - Parameters:
    ///   - parent: what the value is in, as messages write it, with a dot behind it.
    ///   - name: where the value is, as the request writes it.
    private func violations(
        of value: JSONValue, in parent: String, named name: String, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        try checkType(of: value, named: name)
        switch value {
        case .string(let text): return violations(string: Array(text.utf8), in: parent, &allowance)
        case .number where kind == .integer: return value.integer.map { violations(integer: $0, in: parent) } ?? []
        case .object:
            var found: [String] = []
            for constraint in members {
                guard let member = value[constraint.member], member != .null else {
                    found += constraint.missing(in: path(in: parent) + ".")
                    continue
                }
                found += try constraint.violations(
                    of: member, in: path(in: parent) + ".", named: "\(name).\(constraint.member)", &allowance)
            }
            return found
        case .array(let elements): return try violations(of: elements, in: parent, named: name, &allowance)
        default: return []
        }
    }

    private func checkType(of value: JSONValue, named name: String) throws(WrongTypeError) {
        guard kind.accepts(value.kind), kind != .integer || value.integer != nil else {
            throw WrongTypeError(path: name, kind: kind)
        }
    }

    /// Of one list. An empty element costs a client three bytes and a message ten sentences.
    private static let maxViolations = 100

    private func violations(
        of elements: [JSONValue], in parent: String, named name: String, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        var found: [String] = []
        if let maximum, elements.count > maximum {
            found.append("Member must have length less than or equal to \(maximum)")
        }
        if let minimum, elements.count < minimum {
            found.append("Member must have length greater than or equal to \(minimum)")
        }
        var inside: [String] = []
        var isRuleBroken = false
        if let constraint = members.first {
            // No further than the list may be long: a message of every fault in thousands of elements serves nobody.
            for (index, element) in elements.prefix(Int(clamping: max(0, maximum ?? .max))).enumerated() {
                guard inside.count < Self.maxViolations else { break }
                let place = "\(path(in: parent)).\(index + 1)."
                if element == .null {
                    inside += constraint.worded(["Member must not be null"], value: nil, in: place)
                    continue
                }
                let name = "\(name).\(index + 1).member"
                // What is to be said of plain elements has been said.
                if isRuleBroken {
                    try constraint.checkType(of: element, named: name)
                    continue
                }
                let violations = try constraint.violations(
                    of: element, in: place, named: name, &allowance)
                if constraint.kind == .structure || constraint.kind == .list {
                    inside += violations
                } else if !violations.isEmpty {
                    isRuleBroken = true
                    // Of plain elements AWS shows the whole list, and all that is asked of each.
                    found.append(constraint.rule)
                }
            }
        }
        return worded(found, value: shown(elements), in: parent) + inside
    }

    /// A list as a message shows it: only one of texts that may be shown.
    private func shown(_ elements: [JSONValue]) -> String {
        guard let constraint = members.first, constraint.kind == .string, !constraint.isSensitive else { return "" }
        return quoted("[\(elements.map { $0.string ?? "null" }.joined(separator: ", "))]")
    }

    /// All that is asked of an element of a list.
    private var rule: String {
        let unit = kind == .string ? "length" : "value"
        var rules: [String] = []
        if let maximum { rules.append("Member must have \(unit) less than or equal to \(maximum)") }
        if let minimum { rules.append("Member must have \(unit) greater than or equal to \(minimum)") }
        if let pattern { rules.append("Member must satisfy regular expression pattern: \(pattern.text)") }
        if !values.isEmpty { rules.append("Member must satisfy enum value set: [\(values.joined(separator: ", "))]") }
        return "Member must satisfy constraint: [\(rules.joined(separator: ", "))]"
    }
}
