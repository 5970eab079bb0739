internal import AWSProtocol

/// The shapes that a catalog's inputs refer to, and that may refer to each other.
struct CatalogShapes {
    /// How deep shapes may be inside each other; models go to four or so. One that is inside itself is found by it.
    private static let maxDepth = 16

    private let entries: CatalogMapping
    private var shapes: [String: InputConstraint] = [:]

    init(_ entries: CatalogMapping) throws(CatalogError) {
        self.entries = entries
        for name in entries.names { shapes[name] = try shape(name, depth: 0) }
    }

    /// The constraint of a member from `Shape` or, if it is required, `Shape!`.
    func constraint(_ member: String, _ members: CatalogMapping) throws(CatalogError) -> InputConstraint {
        try constraint(member, members, depth: 0)
    }

    private func constraint(
        _ member: String, _ members: CatalogMapping, depth: Int
    ) throws(CatalogError) -> InputConstraint {
        let reference = try members.string(member)
        let isRequired = reference.hasSuffix("!")
        let name = isRequired ? String(reference.dropLast()) : reference
        guard entries.names.contains(name) else {
            throw members.fault(member, "refers to '\(reference)', which is not under 'shapes'")
        }
        guard depth < Self.maxDepth else { throw members.fault(member, "'\(name)' is inside itself") }
        var constraint = if let known = shapes[name] { known } else { try shape(name, depth: depth + 1) }
        constraint.member = member
        constraint.isRequired = isRequired
        return constraint
    }

    private func shape(_ name: String, depth: Int) throws(CatalogError) -> InputConstraint {
        let entry = try entries.mapping(
            name, keys: ["type", "min", "max", "pattern", "values", "sensitive", "members", "element"])
        guard let kind = InputConstraint.Kind(rawValue: try entry.string("type")) else {
            let kinds = InputConstraint.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw entry.fault("type", "must be one of \(kinds)")
        }
        var pattern: Pattern?
        if let text = try entry.optionalString("pattern") {
            do { pattern = try Pattern(text) } catch { throw entry.fault("pattern", "is not a regular expression") }
        }
        guard pattern == nil || kind == .string else { throw entry.fault("pattern", "is for strings only") }
        let minimum = try entry.optionalInteger("min")
        let maximum = try entry.optionalInteger("max")
        guard minimum ?? .min <= maximum ?? .max else { throw entry.fault("min", "must not be above max") }
        let sensitive = try entry.optionalString("sensitive") ?? "false"
        guard sensitive == "true" || sensitive == "false" else {
            throw entry.fault("sensitive", "must be true or false")
        }
        return InputConstraint(
            member: "", kind: kind, minimum: minimum, maximum: maximum, pattern: pattern,
            values: try entry.strings("values"), isSensitive: sensitive == "true",
            members: try members(of: entry, kind, depth: depth))
    }

    /// What is inside a structure or a list.
    private func members(
        of entry: CatalogMapping, _ kind: InputConstraint.Kind, depth: Int
    ) throws(CatalogError) -> [InputConstraint] {
        var members: [InputConstraint] = []
        if let inside = try entry.optionalMapping("members", keys: nil) {
            guard kind == .structure else { throw entry.fault("members", "is for structures only") }
            for name in inside.names.sorted() { members.append(try constraint(name, inside, depth: depth)) }
        }
        if try entry.optionalString("element") != nil {
            guard kind == .list else { throw entry.fault("element", "is for lists only") }
            var element = try constraint("element", entry, depth: depth)
            element.member = "member"
            members.append(element)
        }
        return members
    }
}
