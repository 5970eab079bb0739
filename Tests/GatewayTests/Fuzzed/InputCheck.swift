import AWSProtocol
import BuiltInCatalogs
import Gateway

/// What must hold of an operation's input whatever the body: pages are kept under what it makes of it. The fuzzer and the
/// tests ask this of every input.
enum InputCheck {
    private static let operations: [Operation] =
        (try? Catalog(yaml: BuiltInCatalogs.bytes(named: "voice-id") ?? []))?.operations ?? []

    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: a line with the operation's name, and the body. Without such a name it is the first operation's.
    static func fault(_ input: [UInt8]) -> String? {
        let name = input.prefix { $0 != 0x0a }
        let named = operations.first { $0.name.utf8.elementsEqual(name) }
        guard let operation = named ?? operations.first else { return "no operations" }
        let body = Array(input.dropFirst(name.count + 1))
        guard let read = try? OperationInput(body.span, of: operation) else { return nil }
        let canonical = read.canonicalBody
        // The service judges it, as it came.
        guard !read.isUncertain else { return read.hasUnknownMembers ? nil : "it is uncertain, and would be kept" }
        guard let again = try? OperationInput(canonical.span, of: operation) else {
            return "its canonical body is refused"
        }
        guard again.canonicalBody == canonical else { return "canonical twice is not the same as once" }
        guard !again.hasUnknownMembers else { return "the canonical body has unknown members" }
        guard again.domain == read.domain, again.status == read.status, again.resource == read.resource,
            again.hasIdempotencyToken == read.hasIdempotencyToken
        else { return "the canonical body is about something else" }
        return difference(body, canonical, read, operation)
    }

    /// What the canonical body leaves out of the body without being allowed to, or says otherwise.
    private static func difference(
        _ body: [UInt8], _ canonical: [UInt8], _ input: OperationInput, _ operation: Operation
    ) -> String? {
        guard let body = members(body), let canonical = members(canonical) else { return "not read as JSON" }
        guard canonical.map(\.name) == canonical.map(\.name).sorted() else { return "not in the order of names" }
        for member in canonical {
            guard let other = body.first(where: { $0.name == member.name }), other.value == member.value else {
                return "'\(member.name)' is \(member.value) in the canonical body alone"
            }
        }
        for member in body where !canonical.contains(where: { $0.name == member.name }) {
            guard let place = operation.input.firstIndex(where: { Array($0.member.utf8) == member.name }) else {
                guard input.hasUnknownMembers else { return "an unknown member was not noticed" }
                continue
            }
            let isDefault = operation.defaults[place].map { member.value.integer == $0 } ?? false
            guard member.value == .null || isDefault else { return "'\(member.name)' was left out" }
        }
        return nil
    }

    private static func members(_ text: [UInt8]) -> [(name: [UInt8], value: JSONValue)]? {
        // No body is an empty object.
        guard case .object(let members) = try? JSONValue(text.isEmpty ? Array("{}".utf8) : text) else { return nil }
        return members.map { (Array($0.name.utf8), $0.value) }
    }
}

extension [[UInt8]] {
    fileprivate func sorted() -> [[UInt8]] { sorted { $0.lexicographicallyPrecedes($1) } }
}
