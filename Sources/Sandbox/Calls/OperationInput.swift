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

    private func validate(_ operation: Operation) throws(ServiceError) {
        var violations: [String] = []
        var allowance = MatchAllowance()
        for constraint in operation.constraints {
            guard let value = self[constraint.member] else {
                violations += constraint.missing()
                continue
            }
            // A wrong type comes first: the service understands a whole request before it looks at values.
            do throws(WrongTypeError) {
                try Self.requireIntegers(value, constraint, constraint.member)
                violations += try constraint.violations(of: value, &allowance)
            } catch {
                throw .serialization(error.message)
            }
        }
        guard violations.isEmpty else { throw .validation(InputConstraint.message(violations)) }
    }

    /// Throws for an integer that is not spelled as one, which is the service's to judge. No list of the model has integers.
    private static func requireIntegers(
        _ value: JSONValue, _ constraint: InputConstraint, _ path: String
    ) throws(WrongTypeError) {
        if constraint.kind == .integer, value.integer == nil { throw WrongTypeError(path: path, kind: .integer) }
        guard constraint.kind == .structure else { return }
        for inner in constraint.members {
            guard let member = value[inner.member], member != .null else { continue }
            try requireIntegers(member, inner, "\(path).\(inner.member)")
        }
    }
}
