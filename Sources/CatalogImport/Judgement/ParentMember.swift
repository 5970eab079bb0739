internal import AWSProtocol

/// The member that names the thing to which pages belong, such as the domain of Voice ID's jobs.
enum ParentMember {
    /// The parent of a service's pages; nil if none is certain.
    ///
    /// It is a required identifier of a listing. Its pattern must leave it one spelling: a thing that is also known by a name, an alias or
    /// an ARN has pages under each, and a write under one would leave the others old. And each write of the service must name it, but for
    /// those that make a parent and those of tags: where some do not, others may change pages of a parent that they do not name, as an
    /// assignment to a group changes what its members have.
    static func of(_ model: ServiceModel) -> String? {
        var listed: Set<String> = []
        var counts: [String: Int] = [:]
        for operation in model.operations {
            for member in model.inputMembers(operation) where member.isRequired && isIdentifier(member, model) {
                counts[member.name, default: 0] += 1
                if operation.paginator != nil { listed.insert(member.name) }
            }
        }
        let known = listed.filter { parent in model.operations.allSatisfy { isConfined($0, to: parent, model) } }
        return known.max { (counts[$0] ?? 0, $1) < (counts[$1] ?? 0, $0) }
    }

    /// Returns true if an operation changes nothing, or names the parent, or makes one, or changes tags.
    private static func isConfined(_ operation: ServiceModel.Operation, to parent: String, _ model: ServiceModel)
        -> Bool
    {
        guard case .changes = OperationVerb(operation) else { return true }
        if model.inputMembers(operation).contains(where: { $0.name == parent && $0.isRequired }) { return true }
        let words = Words(operation.name).all
        return ["tag", "untag"].contains(words.first)
            || (words.first == "create" && words.dropFirst().elementsEqual(Words(parent).all.dropLast()))
    }

    private static func isIdentifier(_ member: ServiceModel.Member, _ model: ServiceModel) -> Bool {
        guard Words(member.name).all.last == "id", Words(member.name).all.count > 1,
            let shape = model.shapes[member.shape],
            case .string = shape.kind, let text = shape.pattern, let pattern = try? Pattern(text)
        else { return false }
        var allowance = MatchAllowance()
        // An undecided pattern counts as a match.
        return otherNames.allSatisfy { pattern.matches(Array($0.utf8), &allowance) == false }
    }

    /// Names that are no bare identifier.
    private static let otherNames = [
        "arn:aws:service:us-east-1:123456789012:thing/0123456789abcdef", "alias/thing", "a:b", "a/b", "My.Name",
        "my name",
    ]
}
