/// A value of another type than the model's.
public struct WrongTypeError: Error, Sendable, Equatable {
    /// The path of the value, such as `OutputDataConfig.S3Uri`, or `Tags.2.member` for the second element of a list.
    public let path: String
    /// The expected kind.
    public let kind: InputConstraint.Kind

    public init(path: String, kind: InputConstraint.Kind) {
        self.path = path
        self.kind = kind
    }

    /// The message for the client.
    public var message: String { "Member '\(path)' must be of type \(kind.rawValue)." }
}

extension InputConstraint {
    /// The violations of a value and of all values in it. Members that the model does not have are ignored.
    ///
    /// - Parameter allowance: the remaining cost of matching for the request.
    /// - Throws: `WrongTypeError` for the first value of a wrong type.
    public func violations(
        of value: JSONValue, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        try violations(of: value, in: "", named: member, &allowance)
    }

    /// - Parameters:
    ///   - parent: the path of the enclosing value in messages, with a dot at its end.
    ///   - name: the path of the value in the request's spelling.
    private func violations(
        of value: JSONValue, in parent: String, named name: String, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        try checkType(of: value, named: name)
        switch value {
        case .string(let text) where kind == .string:
            return violations(string: Array(text.utf8), in: parent, &allowance)
        case .string(let text) where kind == .blob: return violations(blob: Array(text.utf8), in: parent)
        // A number that is not spelled as an integer is the service's to judge.
        case .number where kind == .integer: return value.integer.map { violations(integer: $0, in: parent) } ?? []
        case .object where kind == .structure:
            var found: [String] = []
            for constraint in members {
                guard let member = value[constraint.member], member != .null || constraint.kind == .document else {
                    found += constraint.missing(in: path(in: parent) + ".")
                    continue
                }
                found += try constraint.violations(
                    of: member, in: path(in: parent) + ".", named: "\(name).\(constraint.member)", &allowance)
            }
            return found
        case .array(let elements) where kind == .list:
            return try violations(of: elements, in: parent, named: name, &allowance)
        default: return []
        }
    }

    private func checkType(of value: JSONValue, named name: String) throws(WrongTypeError) {
        if kind == .number, let text = value.string,
            Self.notFinite.contains(where: { $0.utf8.elementsEqual(text.utf8) })
        {
            return
        }
        guard kind.accepts(value.kind) else { throw WrongTypeError(path: name, kind: kind) }
    }

    /// The maximum for one list. An element of three bytes can cause ten violations.
    private static let maxViolations = 100

    private func violations(
        of elements: [JSONValue], in parent: String, named name: String, _ allowance: inout MatchAllowance
    ) throws(WrongTypeError) -> [String] {
        var found = limits(on: "length", brokenBy: Int64(elements.count))
        var inside: [String] = []
        var isRuleBroken = false
        if let constraint = members.first {
            // Elements beyond the list's maximum are not checked: the list is refused already.
            for (index, element) in elements.prefix(Int(clamping: max(0, maximum ?? .max))).enumerated() {
                guard inside.count < Self.maxViolations else { break }
                let place = "\(path(in: parent)).\(index + 1)."
                if element == .null, constraint.kind != .document {
                    inside += constraint.worded(["Member must not be null"], value: nil, in: place)
                    continue
                }
                let name = "\(name).\(index + 1).member"
                // The message on plain elements has been added already.
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
                    // For plain elements AWS shows the whole list and all constraints on an element.
                    found.append(constraint.rule)
                }
            }
        }
        return worded(found, value: shown(elements), in: parent) + inside
    }

    /// The list in a message; empty unless its elements are strings that are not sensitive.
    private func shown(_ elements: [JSONValue]) -> String {
        guard let constraint = members.first, constraint.kind == .string, !constraint.isSensitive else { return "" }
        return quoted("[\(elements.map { $0.string ?? "null" }.joined(separator: ", "))]")
    }

    /// The constraints on an element of a list, in one sentence.
    private var rule: String {
        var rules = limits(on: kind == .string || kind == .blob ? "length" : "value")
        if let pattern { rules.append(Self.rule(of: pattern)) }
        if !values.isEmpty { rules.append(ruleOfValues) }
        return "Member must satisfy constraint: [\(rules.joined(separator: ", "))]"
    }
}
