internal import AWSProtocol

/// The input of a call, read once and found to be as the model wants it. Members that the model does not have are ignored,
/// as the service ignores them.
struct OperationInput: Sendable {
    private var strings: [String: String] = [:]
    private var integers: [String: Int64] = [:]

    /// - Throws: a `SerializationException` for what is no JSON object or has members of a wrong type, a
    ///   `ValidationException` that names all constraints that are not met.
    init(_ body: Span<UInt8>, for operation: Operation) throws(ServiceError) {
        let members: [JSONMember]
        do {
            members = try JSONReader.members(of: body)
        } catch {
            throw .serialization("The body is not acceptable: \(error.reason.rawValue), at byte \(error.offset).")
        }
        try read(members, body, operation)
        try validate(operation)
    }

    subscript(string member: String) -> String? { strings[member] }
    subscript(integer member: String) -> Int64? { integers[member] }

    /// Types first: the service understands a whole request before it looks at values.
    private mutating func read(
        _ members: [JSONMember], _ body: Span<UInt8>, _ operation: Operation
    ) throws(ServiceError) {
        for constraint in operation.constraints {
            let name = Array(constraint.member.utf8)
            for member in members where member.name.equals(name, in: body) && member.value.kind != .null {
                guard constraint.kind.accepts(member.value.kind) else {
                    throw .serialization("\(constraint.member) is not of type \(constraint.kind.rawValue).")
                }
                guard constraint.kind == .integer else {
                    strings[constraint.member] = String(decoding: member.value.string(in: body), as: UTF8.self)
                    continue
                }
                guard let value = member.value.integer(in: body) else {
                    throw .serialization("\(constraint.member) is not a whole number of at most 64 bits.")
                }
                integers[constraint.member] = value
            }
        }
    }

    private func validate(_ operation: Operation) throws(ServiceError) {
        let violations = operation.constraints.flatMap { constraint in
            if let value = strings[constraint.member] { return constraint.violations(string: Array(value.utf8)) }
            if let value = integers[constraint.member] { return constraint.violations(integer: value) }
            return constraint.missing()
        }
        guard violations.isEmpty else { throw .validation(InputConstraint.message(violations)) }
    }
}
