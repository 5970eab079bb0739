internal import Gateway
internal import StrictYAML

extension CatalogDraft {
    /// The draft of a catalog that has been read as one already; nil, with faults, if it is no YAML.
    init?(catalog bytes: [UInt8], faults: FaultCollector) {
        do throws(CatalogError) { _ = try Catalog(yaml: bytes) } catch {
            faults.add(line: error.line, error.message)
            return nil
        }
        guard let source = SourceText(bytes, mebibytes: 16, faults: faults),
            let tree = YAMLText.tree(of: source, faults: faults)
        else { return nil }
        let reader = TreeReader(faults: faults)
        let file = reader.entries(tree, .root)
        heading = ["A catalog with an overlay laid on it."]
        head = file.compactMap { entry in
            guard case .scalar(let scalar)? = entry.value?.content else { return nil }
            return (entry.key, scalar.text)
        }
        queryErrors = reader.entries(file["queryErrors"], .root).compactMap { entry in
            reader.text(entry.value, .root).map { (entry.key, $0.value) }
        }
        final = reader.entries(file["final"], .root).compactMap { entry in
            reader.texts(entry.value, .root).map { (entry.key, $0.map(\.value)) }
        }
        groups = reader.entries(file["quotas"], .root).compactMap { entry in
            let values = reader.entries(entry.value, .root)
            func text(_ key: String) -> String? { reader.text(values[key], .root)?.value }
            return text("rate").map { Group(name: entry.key, rate: $0, burst: text("burst"), source: text("source")) }
        }
        let definitions = reader.entries(file["shapes"], .root)
        var types: [String: String] = [:]
        for entry in definitions {
            types[entry.key] = reader.text(reader.entries(entry.value, .root)["type"], .root)?.value
        }
        shapes = definitions.map { ($0.key, Self.flow($0.value)) }
        operations = reader.entries(file["operations"], .root).map { DraftOperation($0, reader, types) }
    }

    /// A value in one line.
    private static func flow(_ tree: Tree?) -> String {
        switch tree?.content {
        case .scalar(let scalar):
            scalar.isPlain ? YAMLWord.number(scalar.text) ?? YAMLWord.value(scalar.text) : YAMLWord.quoted(scalar.text)
        case .list(let items): "[\(items.map(flow).joined(separator: ", "))]"
        case .mapping(let entries):
            "{ \(entries.map { "\(YAMLWord.key($0.key)): \(flow($0.value))" }.joined(separator: ", ")) }"
        case nil: "''"
        }
    }
}

extension YAMLWord {
    /// A whole number as it is; nil for other texts.
    fileprivate static func number(_ text: String) -> String? { Int64(text) == nil ? nil : text }
}

extension DraftOperation {
    fileprivate init(_ entry: Tree.Entry, _ reader: TreeReader, _ types: [String: String]) {
        let values = reader.entries(entry.value, .root)
        func text(_ key: String) -> String? { reader.text(values[key], .root)?.value }
        name = entry.key
        kind = text("kind").flatMap(Operation.Kind.init) ?? .write
        quota = text("quota") ?? "default"
        (domain, resource, status) = (text("domain"), text("resource"), text("status"))
        (token, idempotency) = (text("token"), text("idempotency"))
        tokenLife = text("tokenLife")
        (ttl, timeout, hostPrefix) = (text("ttl"), text("timeout"), text("hostPrefix"))
        isSensitive = text("sensitive") == "true"
        isUnsigned = text("auth") == "none"
        isStream = text("streams") == "true"
        invalidates = reader.texts(values["invalidates"], .root)?.map(\.value) ?? []
        defaults = reader.entries(values["defaults"], .root).compactMap { entry in
            reader.text(entry.value, .root).flatMap { Int64($0.value) }.map { (entry.key, $0) }
        }
        input = reader.entries(values["input"], .root).compactMap { entry in
            guard let reference = reader.text(entry.value, .root)?.value else { return nil }
            let type = types[reference.hasSuffix("!") ? String(reference.dropLast()) : reference]
            return Member(
                name: entry.key, reference: reference, isString: type == "string", isInteger: type == "integer")
        }
        // An operation that the importer made live because of its output must stay so.
        if isSensitive, kind == .live { secret = "the output" }
    }
}
