internal import AWSProtocol

/// The JSON syntax tree of Smithy, in which AWS publishes its models (https://smithy.io/2.0/spec/json-ast.html).
extension ServiceModel {
    static func smithy(_ model: JSONValue) throws(ImportFault) -> ServiceModel {
        guard case .object(let shapes)? = model["shapes"] else { throw .model("has no shapes") }
        let tree = SmithyTree(shapes)
        let services = shapes.filter { $0.value["type"]?.string == "service" }
        guard let (id, service) = services.first, services.count == 1 else {
            throw .model("has \(services.count) services, and must have one")
        }
        let traits = service["traits"] ?? .null
        let version: JSONVersion
        if traits["aws.protocols#awsJson1_1"] != nil {
            version = .awsJson1_1
        } else if traits["aws.protocols#awsJson1_0"] != nil {
            version = .awsJson1_0
        } else {
            throw .model(noAwsJson)
        }
        let prefix = SmithyTree.local(id)
        let about = traits["aws.api#service"]
        let endpoint = about?["endpointPrefix"]?.string ?? about?["arnNamespace"]?.string ?? prefix.lowercased()
        var renamed: [String: String] = [:]
        for (id, name) in service["rename"]?.members ?? [] { renamed[id] = name.string }
        let pages = traits["smithy.api#paginated"]
        return ServiceModel(
            name: about?["sdkId"]?.string.map(slug) ?? endpoint, version: service["version"]?.string,
            signingName: traits["aws.auth#sigv4"]?["name"]?.string ?? endpoint, targetPrefix: prefix, json: version,
            isQueryCompatible: traits["aws.protocols#awsQueryCompatible"] != nil,
            operations: tree.operations(of: service).compactMap { tree.operation($0, pages) },
            shapes: tree.modelShapes(renamed: renamed))
    }
}

/// The shapes of a tree by their ids.
private struct SmithyTree {
    private let shapes: [String: JSONValue]

    init(_ shapes: [(name: String, value: JSONValue)]) {
        self.shapes = Dictionary(shapes.map { ($0.name, $0.value) }) { first, _ in first }
    }

    /// An id without its namespace.
    static func local(_ id: String) -> String { id.split(separator: "#").last.map(String.init) ?? id }

    /// The ids of a service's operations, its resources' among them, each once.
    func operations(of service: JSONValue) -> [String] {
        var found: Set<String> = []
        var met: Set<String> = []
        var open = [service]
        while let next = open.popLast() {
            for key in ["operations", "collectionOperations"] {
                found.formUnion((next[key]?.array ?? []).compactMap { $0["target"]?.string })
            }
            for key in ["create", "put", "read", "update", "delete", "list"] {
                if let id = next[key]?["target"]?.string { found.insert(id) }
            }
            for resource in next["resources"]?.array ?? [] {
                guard let id = resource["target"]?.string, met.insert(id).inserted, let shape = shapes[id] else {
                    continue
                }
                open.append(shape)
            }
        }
        return found.sorted()
    }

    func operation(_ id: String, _ pages: JSONValue?) -> ServiceModel.Operation? {
        guard let shape = shapes[id] else { return nil }
        let traits = shape["traits"] ?? .null
        func target(_ key: String) -> String? {
            shape[key]?["target"]?.string.flatMap { $0 == "smithy.api#Unit" ? nil : $0 }
        }
        var operation = ServiceModel.Operation(
            name: Self.local(id), input: target("input"), output: target("output"))
        operation.documentation = traits["smithy.api#documentation"]?.string ?? ""
        operation.isReadOnly = traits["smithy.api#readonly"] != nil
        operation.isUnsigned =
            traits["smithy.api#auth"]?.array?.isEmpty == true || traits["smithy.api#optionalAuth"] != nil
        let prefix = traits["smithy.api#endpoint"]?["hostPrefix"]?.string
        operation.hostPrefix = prefix.flatMap { $0.contains("{") ? nil : $0 }
        if let paginated = traits["smithy.api#paginated"] {
            func member(_ key: String) -> String? { paginated[key]?.string ?? pages?[key]?.string }
            operation.paginator = ServiceModel.Paginator(
                inputTokens: Set([member("inputToken")].compactMap { $0 }),
                outputTokens: Set([member("outputToken")].compactMap { $0 }), limit: member("pageSize"))
        }
        return operation
    }

    /// All shapes that hold data, by their ids, those of Smithy's own namespace among them.
    func modelShapes(renamed: [String: String]) -> [String: ServiceModel.Shape] {
        var found: [String: ServiceModel.Shape] = [:]
        for (id, value) in shapes { found[id] = ServiceModel.Shape(smithy: value) }
        for (name, kind) in Self.prelude where found["smithy.api#\(name)"] == nil {
            found["smithy.api#\(name)"] = ServiceModel.Shape(kind: kind)
        }
        return found
    }

    private static let prelude: [(String, ServiceModel.Shape.Kind)] =
        [("String", .string), ("Blob", .blob), ("Boolean", .boolean), ("PrimitiveBoolean", .boolean)]
        + [("Document", .document), ("Timestamp", .timestamp), ("Unit", .structure)]
        + ["Byte", "Short", "Integer", "Long", "BigInteger"].flatMap { [($0, .integer), ("Primitive\($0)", .integer)] }
        + ["Float", "Double", "BigDecimal"].flatMap { [($0, .number), ("Primitive\($0)", .number)] }
}

extension ServiceModel.Shape {
    fileprivate init(smithy value: JSONValue) {
        let traits = value["traits"] ?? .null
        let kind: Kind =
            switch value["type"]?.string {
            case "string", "enum": .string
            case "blob": .blob
            case "boolean": .boolean
            case "byte", "short", "integer", "long", "bigInteger", "intEnum": .integer
            case "float", "double", "bigDecimal": .number
            case "timestamp": .timestamp
            case "document": .document
            case "list", "set": .list
            case "map": .map
            default: .structure
            }
        self.init(kind: kind)
        let listed = value["members"]?.members ?? []
        if value["type"]?.string == "enum" {
            values = listed.map { $0.value["traits"]?["smithy.api#enumValue"]?.string ?? $0.name }
        } else {
            values = (traits["smithy.api#enum"]?.array ?? []).compactMap { $0["value"]?.string }
            members = listed.compactMap { name, member in
                member["target"]?.string.map { ServiceModel.Member(name, $0, member["traits"] ?? .null) }
            }.sorted { $0.name < $1.name }
        }
        elements = ["member", "key", "value"].compactMap { value[$0]?["target"]?.string }
        isSensitive = traits["smithy.api#sensitive"] != nil
        isStream = traits["smithy.api#streaming"] != nil
        let range = traits["smithy.api#length"] ?? traits["smithy.api#range"]
        (minimum, maximum) = (range?["min"]?.integer, range?["max"]?.integer)
        pattern = traits["smithy.api#pattern"]?.string
        if let code = traits["aws.protocols#awsQueryError"]?["code"]?.string {
            let isReceiver = traits["smithy.api#error"]?.string == "server"
            queryError = "\(code);\(isReceiver ? "Receiver" : "Sender")"
        }
    }
}

extension ServiceModel.Member {
    fileprivate init(_ name: String, _ shape: String, _ traits: JSONValue) {
        self.init(
            name: name, shape: shape, isRequired: traits["smithy.api#required"] != nil,
            isIdempotencyToken: traits["smithy.api#idempotencyToken"] != nil,
            isSensitive: traits["smithy.api#sensitive"] != nil,
            documentation: traits["smithy.api#documentation"]?.string ?? "")
    }
}
