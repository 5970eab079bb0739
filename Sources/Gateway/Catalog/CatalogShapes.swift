internal import AWSProtocol

/// The shapes that a catalog's inputs refer to, and that may refer to each other.
///
/// Each is read once, however many refer to it: what refers to it shares its members.
struct CatalogShapes {
    /// How deep shapes may be inside each other; models go to a dozen or so.
    private static let maxDepth = 64

    private struct Shape {
        let constraint: InputConstraint
        /// How deep shapes are inside it.
        let height: Int
    }

    private let entries: CatalogMapping
    private let judgesValues: Bool
    private var shapes: [[UInt8]: Shape] = [:]
    /// Those that are being read: one that is met again is inside itself.
    private var open: Set<[UInt8]> = []

    /// - Parameter judgesValues: false for shapes without what is said of their values.
    init(_ entries: CatalogMapping, judgesValues: Bool) throws(CatalogError) {
        self.entries = entries
        self.judgesValues = judgesValues
        for name in entries.names { _ = try shape(name) }
    }

    /// The constraint of a member from `Shape` or, if it is required, `Shape!`.
    mutating func constraint(_ member: String, _ members: CatalogMapping) throws(CatalogError) -> InputConstraint {
        try shape(member, members).constraint
    }

    private mutating func shape(_ member: String, _ members: CatalogMapping) throws(CatalogError) -> Shape {
        let reference = try members.string(member)
        let isRequired = reference.utf8.last == UInt8(ascii: "!")
        let name = isRequired ? String(reference.unicodeScalars.dropLast()) : reference
        guard entries.holds(name) else {
            throw members.fault(member, "refers to '\(reference)', which is not under 'shapes'")
        }
        guard !open.contains(Array(name.utf8)) else { throw members.fault(member, "'\(name)' is inside itself") }
        let shape = try shape(name)
        guard shape.height < Self.maxDepth else {
            throw members.fault(member, "shapes are more than \(Self.maxDepth) deep inside each other")
        }
        var constraint = shape.constraint
        constraint.member = member
        constraint.isRequired = isRequired
        return Shape(constraint: constraint, height: shape.height)
    }

    private mutating func shape(_ name: String) throws(CatalogError) -> Shape {
        let key = Array(name.utf8)
        if let known = shapes[key] { return known }
        // Those that are open are as deep inside each other as they are many.
        guard open.count < Self.maxDepth else {
            throw entries.fault(name, "shapes are more than \(Self.maxDepth) deep inside each other")
        }
        open.insert(key)
        let shape = try read(name)
        open.remove(key)
        shapes[key] = shape
        return shape
    }

    private mutating func read(_ name: String) throws(CatalogError) -> Shape {
        let entry = try entries.mapping(
            name, keys: ["type", "min", "max", "pattern", "values", "sensitive", "members", "element"])
        guard let kind = try entry.word("type", among: InputConstraint.Kind.self) else {
            throw entry.fault("type", "is missing")
        }
        var pattern: Pattern?
        if let text = try entry.optionalString("pattern") {
            do { pattern = try Pattern(text) } catch { throw entry.fault("pattern", "is not a regular expression") }
        }
        guard pattern == nil || kind == .string else { throw entry.fault("pattern", "is for strings only") }
        let minimum = try entry.optionalInteger("min")
        let maximum = try entry.optionalInteger("max")
        guard minimum ?? .min <= maximum ?? .max else { throw entry.fault("min", "must not be above max") }
        let inside = try members(of: entry, kind)
        let values = try entry.strings("values")
        var constraint = InputConstraint(
            member: "", kind: kind, isSensitive: try entry.flag("sensitive"), members: inside.map(\.constraint))
        if judgesValues {
            (constraint.minimum, constraint.maximum) = (minimum, maximum)
            (constraint.pattern, constraint.values) = (pattern, values)
        }
        return Shape(constraint: constraint, height: (inside.map(\.height).max() ?? 0) + 1)
    }

    /// The content of a structure or a list.
    private mutating func members(
        of entry: CatalogMapping, _ kind: InputConstraint.Kind
    ) throws(CatalogError) -> [Shape] {
        var members: [Shape] = []
        if let inside = try entry.optionalMapping("members", keys: nil) {
            guard kind == .structure else { throw entry.fault("members", "is for structures only") }
            for name in inside.names.sorted() { members.append(try shape(name, inside)) }
        }
        if try entry.optionalString("element") != nil {
            guard kind == .list else { throw entry.fault("element", "is for lists only") }
            let element = try shape("element", entry)
            var constraint = element.constraint
            constraint.member = "member"
            members.append(Shape(constraint: constraint, height: element.height))
        }
        return members
    }
}
