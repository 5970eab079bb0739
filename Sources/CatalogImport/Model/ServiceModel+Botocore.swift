internal import AWSProtocol

/// The notation of the older SDKs, such as botocore's `service-2.json`.
extension ServiceModel {
    static func botocore(_ model: JSONValue, _ paginators: JSONValue?) throws(ImportFault) -> ServiceModel {
        guard let metadata = model["metadata"], case .object(let operations)? = model["operations"],
            case .object(let shapes)? = model["shapes"]
        else { throw .model("has not the metadata, operations and shapes of a service model") }
        let protocols = metadata.texts("protocol") + metadata.texts("protocols")
        let versions = ["1.0": JSONVersion.awsJson1_0, "1.1": .awsJson1_1]
        guard protocols.contains("json"), let version = versions[metadata["jsonVersion"]?.string ?? "1.0"],
            let prefix = metadata["targetPrefix"]?.string
        else { throw .model(noAwsJson) }
        let endpoint = metadata["endpointPrefix"]?.string ?? prefix.lowercased()
        let pages = Dictionary(
            (paginators?["pagination"]?.members ?? []).map { ($0.name, $0.value) }
        ) { first, _ in first }
        return ServiceModel(
            name: metadata["serviceId"]?.string.map(slug) ?? endpoint, version: metadata["apiVersion"]?.string,
            signingName: metadata["signingName"]?.string ?? endpoint, targetPrefix: prefix, json: version,
            isQueryCompatible: metadata["awsQueryCompatible"] != nil,
            operations: operations.map { Operation($0.name, $0.value, pages[$0.name]) },
            shapes: Dictionary(shapes.map { ($0.name, Shape($0.value)) }) { first, _ in first })
    }

    static let noAwsJson = "is not the model of an awsJson service, 1.0 or 1.1"
}

extension ServiceModel.Operation {
    fileprivate init(_ name: String, _ value: JSONValue, _ paginator: JSONValue?) {
        self.init(name: name, input: value["input"]?["shape"]?.string, output: value["output"]?["shape"]?.string)
        documentation = value["documentation"]?.string ?? ""
        isReadOnly = value.isTrue("readonly")
        isUnsigned = value["authtype"]?.string == "none"
        let prefix = value["endpoint"]?["hostPrefix"]?.string
        hostPrefix = prefix.flatMap { $0.contains("{") ? nil : $0 }
        self.paginator = paginator.map {
            ServiceModel.Paginator(
                inputTokens: Set($0.texts("input_token")), outputTokens: Set($0.texts("output_token")),
                limit: $0["limit_key"]?.string)
        }
    }
}

extension ServiceModel.Shape {
    fileprivate init(_ value: JSONValue) {
        let kind: Kind =
            switch value["type"]?.string {
            case _ where value.isTrue("document"): .document
            case "string", "character": .string
            case "blob": .blob
            case "boolean": .boolean
            case "integer", "long", "short", "byte": .integer
            case "float", "double": .number
            case "timestamp": .timestamp
            case "list": .list
            case "map": .map
            case "document": .document
            default: .structure
            }
        self.init(kind: kind)
        let required = Set(value.texts("required"))
        members = (value["members"]?.members ?? []).compactMap { name, member in
            member["shape"]?.string.map {
                ServiceModel.Member(
                    name: name, shape: $0, isRequired: required.contains(name),
                    isIdempotencyToken: member.isTrue("idempotencyToken"), isSensitive: member.isTrue("sensitive"),
                    documentation: member["documentation"]?.string ?? "")
            }
        }.sorted { $0.name < $1.name }
        elements = ["member", "key", "value"].compactMap { value[$0]?["shape"]?.string }
        isSensitive = value.isTrue("sensitive")
        isStream = value.isTrue("eventstream") || value.isTrue("streaming")
        (minimum, maximum) = (value["min"]?.integer, value["max"]?.integer)
        pattern = value["pattern"]?.string
        values = value.texts("enum")
        if value.isTrue("exception"), let code = value["error"]?["code"]?.string {
            let isReceiver = value.isTrue("fault") || value["error"]?["httpStatusCode"]?.integer ?? 400 >= 500
            queryError = "\(code);\(isReceiver ? "Receiver" : "Sender")"
        }
    }
}
