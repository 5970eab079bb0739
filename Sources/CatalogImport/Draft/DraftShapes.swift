internal import AWSProtocol
internal import Gateway

/// The shapes that the inputs of a model's operations are made of, as a catalog has them.
///
/// A catalog that leaves values to the service needs of a scalar its type alone, so that all of one type are one shape, and so are
/// lists of the same. That makes a catalog several times smaller.
struct DraftShapes {
    private let model: ServiceModel
    private let validation: Catalog.Validation
    /// Shapes that are inside themselves are not looked into: a catalog's shapes end somewhere.
    private let recursive: Set<String>
    /// Lists of lists of lists, deeper than any model's: not looked into either.
    private var opaque: Set<String> = []
    private var names: [String: String] = [:]
    private var definitions: [String: String] = [:]

    init(_ model: ServiceModel, _ validation: Catalog.Validation) {
        self.model = model
        self.validation = validation
        recursive = ShapeGraph(inside: model.shapes.mapValues(\.inside)).recursive
        let used = Self.used(model, recursive)
        // Structures have the names of the model; others must not take them.
        var taken: Set<String> = []
        for id in used where isNamed(id) {
            var name = Self.local(id)
            while !taken.insert(name).inserted { name += "_" }
            names[id] = name
        }
        for id in used where names[id] == nil && !isList(id) { names[id] = unique(Self.type(model.shapes[id]), taken) }
        for id in used { nameList(id, taken, depth: 0) }
        for id in used {
            guard let name = names[id], definitions[name] == nil else { continue }
            definitions[name] = text(of: id)
        }
    }

    /// A shape's name in the catalog.
    func name(of id: String) -> String { names[id] ?? "document" }

    /// In the order of their names.
    var texts: [(name: String, text: String)] {
        definitions.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 }
    }

    /// An id of Smithy's without its namespace.
    static func local(_ id: String) -> String { id.split(separator: "#").last.map(String.init) ?? id }

    private static func used(_ model: ServiceModel, _ recursive: Set<String>) -> [String] {
        var used: Set<String> = []
        var open = model.operations.flatMap { model.inputMembers($0).map(\.shape) }
        while let id = open.popLast() {
            guard used.insert(id).inserted, let shape = model.shapes[id], !recursive.contains(id) else { continue }
            if case .map = shape.kind { continue }
            open += shape.inside
        }
        return used.sorted()
    }

    // MARK: Names

    private func isList(_ id: String) -> Bool {
        if case .list = model.shapes[id]?.kind { !recursive.contains(id) } else { false }
    }

    private func isNamed(_ id: String) -> Bool {
        guard validation != .full else { return true }
        if case .structure = model.shapes[id]?.kind { return !recursive.contains(id) }
        return false
    }

    private func unique(_ name: String, _ taken: Set<String>) -> String {
        taken.contains(name) ? unique(name + "_", taken) : name
    }

    /// Lists of the same have one name: `string-list`.
    private mutating func nameList(_ id: String, _ taken: Set<String>, depth: Int) {
        guard names[id] == nil else { return }
        guard depth < 64, let element = model.shapes[id]?.elements.first else {
            opaque.insert(id)
            return names[id] = unique("list", taken)
        }
        nameList(element, taken, depth: depth + 1)
        names[id] = unique("\(name(of: element))-list", taken)
    }

    // MARK: Texts

    private func text(of id: String) -> String {
        guard let shape = model.shapes[id] else { return "{ type: document }" }
        var parts = ["type: \(Self.type(shape))"]
        if validation == .full { parts += values(of: shape) }
        if !recursive.contains(id) {
            let members = shape.members.map {
                "\(YAMLWord.key($0.name)): \(YAMLWord.value(name(of: $0.shape) + ($0.isRequired ? "!" : "")))"
            }
            if case .structure = shape.kind, !members.isEmpty {
                parts.append("members: { \(members.joined(separator: ", ")) }")
            }
            if case .list = shape.kind, !opaque.contains(id), let element = shape.elements.first {
                parts.append("element: \(YAMLWord.value(name(of: element)))")
            }
        }
        return "{ \(parts.joined(separator: ", ")) }"
    }

    private func values(of shape: ServiceModel.Shape) -> [String] {
        var parts: [String] = []
        if Self.hasRange(shape.kind) {
            if let minimum = shape.minimum { parts.append("min: \(minimum)") }
            if let maximum = shape.maximum { parts.append("max: \(maximum)") }
        }
        if case .string = shape.kind {
            if let pattern = shape.pattern, (try? Pattern(pattern)) != nil {
                parts.append("pattern: \(YAMLWord.quoted(pattern))")
            }
            if !shape.values.isEmpty {
                parts.append("values: [\(shape.values.map(YAMLWord.value).joined(separator: ", "))]")
            }
        }
        if shape.isSensitive { parts.append("sensitive: true") }
        return parts
    }

    private static func hasRange(_ kind: ServiceModel.Shape.Kind) -> Bool {
        switch kind {
        case .string, .blob, .integer, .number, .list: true
        default: false
        }
    }

    /// The types of awsJson (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html). A type that a model leaves open is any JSON.
    private static func type(_ shape: ServiceModel.Shape?) -> String {
        switch shape?.kind {
        case .string: "string"
        case .blob: "blob"
        case .boolean: "boolean"
        case .integer: "integer"
        case .number: "number"
        // The model's format is that of the SDKs; services take others too.
        case .timestamp: "timestamp"
        case .list: "list"
        case .structure, .map: "structure"
        case .document, nil: "document"
        }
    }
}
