internal import AWSProtocol

/// A service's model as the AWS SDKs carry it (botocore's `service-2.json`), as far as a catalog can be made of it.
///
/// A model does not say everything that a catalog does: quotas are published elsewhere, and which member names a page's domain,
/// what a write makes void and what a missing member means takes knowledge of the service. The catalog gets the careful
/// choice, with a comment.
public struct ServiceModel {
    private let metadata: JSONValue
    private let operations: [(name: String, value: JSONValue)]
    private let shapes: [String: JSONValue]
    private let recursive: Set<String>

    private let version: JSONVersion

    /// - Throws: `CatalogError` if it is no model of an awsJson service. One that lists other protocols beside it is.
    public init(_ json: [UInt8]) throws(CatalogError) {
        let model: JSONValue
        do throws(JSONError) { model = try JSONValue(json) } catch {
            throw CatalogError(line: 1, message: "is not JSON: \(error.reason.rawValue) at byte \(error.offset)")
        }
        guard let metadata = model["metadata"], case .object(let operations)? = model["operations"],
            case .object(let shapes)? = model["shapes"]
        else { throw CatalogError(line: 1, message: "has not the metadata, operations and shapes of a service model") }
        let protocols = [metadata["protocol"]?.string] + (metadata["protocols"]?.array ?? []).map(\.string)
        let versions = ["1.0": JSONVersion.awsJson1_0, "1.1": .awsJson1_1]
        guard protocols.contains("json"), let version = versions[metadata["jsonVersion"]?.string ?? "1.0"],
            metadata["targetPrefix"]?.string != nil
        else { throw CatalogError(line: 1, message: "is not the model of an awsJson service, 1.0 or 1.1") }
        self.version = version
        self.metadata = metadata
        self.operations = operations.sorted { $0.name < $1.name }
        self.shapes = Dictionary(shapes.map { ($0.name, $0.value) }) { first, _ in first }
        recursive = ShapeGraph(inside: self.shapes.mapValues(Self.inside)).recursive
    }

    /// The catalog as YAML.
    public var catalog: String {
        let prefix = metadata["targetPrefix"]?.string ?? ""
        let endpoint = metadata["endpointPrefix"]?.string ?? prefix.lowercased()
        let signingName = metadata["signingName"]?.string ?? endpoint
        let used = usedShapes
        let parent = parentMember
        return """
            # Made from a service model\(metadata["apiVersion"]?.string.map { " (\($0))" } ?? ""). To be looked through: quotas, each operation's kind, the member that names
            # the domain, what a missing member means ('defaults'), and what writes make void are not in a model.

            name: \(quoted(metadata["serviceId"]?.string.map(Self.slug) ?? endpoint))
            signingName: \(quoted(signingName))
            targetPrefix: \(quoted(prefix))
            errorNamespace: \(quoted("com.amazonaws.\(signingName)"))
            protocol: \(version.rawValue)
            validation: types # or full: values too; models lack some that services take
            \(queryErrors.joined(separator: "\n"))

            quotas:
              default: { rate: 2 }

            operations:
            \(operations.map { operation($0.name, $0.value, parentMember: parent) }.joined(separator: "\n"))

            shapes:
            \(used.map(shape).joined(separator: "\n"))

            """
    }

    /// What stands in `x-amzn-query-error`, by the names of error shapes.
    private var queryErrors: [String] {
        guard metadata["awsQueryCompatible"] != nil else { return [] }
        var lines: [String] = []
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) where shape["exception"] == .bool(true) {
            guard let code = shape["error"]?["code"]?.string, ErrorCode.sanitized(code) == code else { continue }
            let isReceiver = shape["fault"] == .bool(true) || shape["error"]?["httpStatusCode"]?.integer ?? 400 >= 500
            lines.append("  \(name): '\(code);\(isReceiver ? "Receiver" : "Sender")'")
        }
        return ["queryCompatible: true"] + (lines.isEmpty ? [] : ["queryErrors:"] + lines)
    }

    // MARK: Operations

    private func operation(_ name: String, _ operation: JSONValue, parentMember: String?) -> String {
        let input = operation["input"]?["shape"]?.string.flatMap { shapes[$0] }
        let members = Self.members(of: input)
        let isRead = ["List", "Describe", "Get", "BatchGet", "Search"].contains { name.hasPrefix($0) }
        let kind = name.hasPrefix("List") ? "page" : isRead ? "read" : "write"
        var lines = ["  \(name):", "    kind: \(kind)", "    quota: default"]
        let parent = members.first { $0.name == parentMember && $0.isRequired && isString($0.shape) }?.name
        let resource = members.first { $0.name.lowercased() == "resourcearn" && isString($0.shape) }?.name
        if let parent { lines.append("    domain: \(parent)") }
        if let resource { lines.append("    resource: \(resource)") }
        if kind == "page" {
            if let status = members.first(where: { $0.name.hasSuffix("Status") && isString($0.shape) }) {
                lines.append("    status: \(status.name)")
            }
            if let token = members.first(where: { $0.name.lowercased() == "nexttoken" && isString($0.shape) }) {
                lines.append("    token: \(token.name)")
            }
        }
        if kind == "write" {
            if let token = members.first(where: { $0.isToken && isString($0.shape) }) {
                lines.append("    idempotency: \(token.name)")
            }
            // Whatever it changes: more than needed costs a fetch, less an old page.
            let void = [parent.map { _ in "domain" }, resource.map { _ in "resource" }, "service"].compactMap { $0 }
            lines.append("    invalidates: [\(void.joined(separator: ", "))]")
        }
        if !members.isEmpty {
            lines.append("    input:")
            lines += members.map { "      \($0.name): \(quoted($0.shape + ($0.isRequired ? "!" : "")))" }
        }
        return lines.joined(separator: "\n")
    }

    private struct Member {
        let name: String
        let shape: String
        let isRequired: Bool
        /// Whether the model calls it the idempotency token.
        let isToken: Bool
    }

    private static func members(of structure: JSONValue?) -> [Member] {
        guard case .object(let members)? = structure?["members"] else { return [] }
        let required = Set(structure?["required"]?.array?.compactMap(\.string) ?? [])
        return members.compactMap { name, value in
            value["shape"]?.string.map {
                Member(
                    name: name, shape: $0, isRequired: required.contains(name),
                    isToken: value["idempotencyToken"] == .bool(true))
            }
        }.sorted { $0.name < $1.name }
    }

    /// The member that most operations cannot do without: what their pages belong to.
    private var parentMember: String? {
        var counts: [String: Int] = [:]
        for (_, operation) in operations {
            let input = operation["input"]?["shape"]?.string.flatMap { shapes[$0] }
            for member in Self.members(of: input) where member.isRequired && isString(member.shape) {
                counts[member.name, default: 0] += 1
            }
        }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return most.flatMap { $0.value >= 2 ? $0.key : nil }
    }

    private func isString(_ shape: String) -> Bool { shapes[shape]?["type"]?.string == "string" }

    // MARK: Shapes

    /// The names of all shapes that inputs are made of.
    private var usedShapes: [String] {
        var used: Set<String> = []
        var open = operations.compactMap { $0.value["input"]?["shape"]?.string }
            .flatMap { Self.members(of: shapes[$0]).map(\.shape) }
        while let name = open.popLast() {
            guard used.insert(name).inserted, let shape = shapes[name], !recursive.contains(name) else { continue }
            open += Self.inside(shape)
        }
        return used.sorted()
    }

    private func shape(_ name: String) -> String {
        let shape = shapes[name] ?? .null
        let type = shape["type"]?.string ?? "structure"
        let kind = shape["document"] == .bool(true) ? "document" : Self.kinds[type] ?? "structure"
        var parts = ["type: \(kind)"]
        if let minimum = shape["min"]?.integer { parts.append("min: \(minimum)") }
        if let maximum = shape["max"]?.integer { parts.append("max: \(maximum)") }
        if kind == "string", let pattern = shape["pattern"]?.string, (try? Pattern(pattern)) != nil {
            parts.append("pattern: \(quoted(pattern))")
        }
        if let values = shape["enum"]?.array?.compactMap(\.string), !values.isEmpty {
            parts.append("values: [\(values.map(quoted).joined(separator: ", "))]")
        }
        if shape["sensitive"] == .bool(true) { parts.append("sensitive: true") }
        // A catalog's shapes end somewhere: one that is inside itself is not looked into.
        if !recursive.contains(name) {
            let members = Self.members(of: shape).map { "\($0.name): \(quoted($0.shape + ($0.isRequired ? "!" : "")))" }
            if kind == "structure", !members.isEmpty { parts.append("members: { \(members.joined(separator: ", ")) }") }
            if kind == "list", let element = shape["member"]?["shape"]?.string {
                parts.append("element: \(quoted(element))")
            }
        }
        return "  \(name): { \(parts.joined(separator: ", ")) }"
    }

    /// What the types of models are in awsJson (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html).
    private static let kinds = [
        "string": "string", "character": "string", "blob": "string", "integer": "integer", "long": "integer",
        "float": "number", "double": "number", "timestamp": "number", "boolean": "boolean", "list": "list",
        "structure": "structure", "map": "structure", "document": "document",
    ]

    /// The names of the shapes that are directly in a shape.
    private static func inside(_ shape: JSONValue) -> [String] {
        let element = shape["member"]?["shape"]?.string
        return members(of: shape).map(\.shape) + [element].compactMap { $0 }
    }

    // MARK: Text

    /// In single quotes, in which nothing but the quote means anything.
    private func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }

    private static func slug(_ name: String) -> String {
        name.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    }
}
