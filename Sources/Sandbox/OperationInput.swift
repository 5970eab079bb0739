internal import AWSProtocol

/// The input of a call, read once and found to be as the model wants it. Members that the model does not have are ignored,
/// as the service ignores them.
struct OperationInput: Sendable, Equatable {
    private let input: JSONValue

    /// - Throws: a `SerializationException` for what is no JSON object or has members of a wrong type, a
    ///   `ValidationException` that names all constraints that are not met.
    init(_ body: Span<UInt8>, for operation: Operation) throws(ServiceError) {
        do throws(JSONError) {
            var members: [(name: String, value: JSONValue)] = []
            for member in try JSONReader.members(of: body) {
                let name = String(decoding: member.name.string(in: body), as: UTF8.self)
                members.append((name, JSONValue(member.value, in: body)))
            }
            // Sorted, because two inputs are the same whatever the order of their members.
            input = .object(members.sorted { $0.name < $1.name })
        } catch {
            throw .serialization("The body is not acceptable: \(error.reason.rawValue), at byte \(error.offset).")
        }
        try requireKinds(operation)
        try validate(operation)
    }

    /// A member that is there and not null, by its name; a member of a structure behind the structure and a dot.
    subscript(path: String) -> JSONValue? {
        var value = input
        for name in path.split(separator: ".") {
            guard let member = value[String(name)], member != .null else { return nil }
            value = member
        }
        return value
    }

    subscript(string path: String) -> String? { self[path]?.string }
    subscript(integer path: String) -> Int64? { self[path]?.integer }

    /// Types first: the service understands a whole request before it looks at values.
    private func requireKinds(_ operation: Operation) throws(ServiceError) {
        for constraint in operation.constraints {
            guard let value = self[constraint.member] else { continue }
            guard constraint.kind.accepts(value.kind) else {
                throw .serialization("\(constraint.member) is not of type \(constraint.kind.rawValue).")
            }
            if constraint.kind == .integer, value.integer == nil {
                throw .serialization("\(constraint.member) is not a whole number of at most 64 bits.")
            }
        }
    }

    private func validate(_ operation: Operation) throws(ServiceError) {
        let violations: [String] = operation.constraints.flatMap { constraint -> [String] in
            switch self[constraint.member] {
            case .string(let text): constraint.violations(string: Array(text.utf8))
            case .number(let text): Int64(text).map { constraint.violations(integer: $0) } ?? []
            case .none: isExpected(constraint.member) ? constraint.missing() : []
            default: []
            }
        }
        guard violations.isEmpty else { throw .validation(InputConstraint.message(violations)) }
    }

    /// Whether the structure that a member belongs to is there.
    private func isExpected(_ path: String) -> Bool {
        guard let dot = path.lastIndex(of: ".") else { return true }
        return self[String(path[..<dot])] != nil
    }
}
