internal import Yams

/// A YAML mapping whose keys are known, read value by value.
struct CatalogMapping {
    let names: [String]
    private let nodes: [String: Node]
    private let line: Int

    /// - Parameter keys: the keys that it may have, nothing for any.
    init(_ node: Node, keys: Set<String>?) throws(CatalogError) {
        line = node.mark?.line ?? 1
        guard let mapping = node.mapping else { throw CatalogError(line: line, message: "must be a mapping") }
        var names: [String] = []
        var nodes: [String: Node] = [:]
        for (key, value) in mapping {
            guard let name = key.string, keys?.contains(name) ?? true else {
                throw CatalogError(line: key.mark?.line ?? line, message: "unknown key '\(key.string ?? "?")'")
            }
            names.append(name)
            nodes[name] = value
        }
        self.names = names
        self.nodes = nodes
    }

    func fault(_ key: String, _ message: String) -> CatalogError {
        CatalogError(line: nodes[key]?.mark?.line ?? line, message: "\(key): \(message)")
    }

    func mapping(_ key: String, keys: Set<String>?) throws(CatalogError) -> CatalogMapping {
        guard let mapping = try optionalMapping(key, keys: keys) else { throw fault(key, "is missing") }
        return mapping
    }

    func optionalMapping(_ key: String, keys: Set<String>?) throws(CatalogError) -> CatalogMapping? {
        guard let node = nodes[key] else { return nil }
        return try CatalogMapping(node, keys: keys)
    }

    func string(_ key: String) throws(CatalogError) -> String {
        guard let text = try optionalString(key) else { throw fault(key, "is missing") }
        return text
    }

    func optionalString(_ key: String) throws(CatalogError) -> String? {
        guard let node = nodes[key] else { return nil }
        guard let scalar = node.scalar else { throw fault(key, "must be a word") }
        return scalar.string
    }

    func strings(_ key: String) throws(CatalogError) -> [String] {
        guard let node = nodes[key] else { return [] }
        guard let sequence = node.sequence else { throw fault(key, "must be a list") }
        var words: [String] = []
        for element in sequence {
            guard let scalar = element.scalar else { throw fault(key, "must be a list of words") }
            words.append(scalar.string)
        }
        return words
    }

    func number(_ key: String) throws(CatalogError) -> Double {
        guard let number = try optionalNumber(key) else { throw fault(key, "is missing") }
        return number
    }

    func optionalNumber(_ key: String) throws(CatalogError) -> Double? {
        guard let text = try optionalString(key) else { return nil }
        guard let number = Double(text), number.isFinite else { throw fault(key, "must be a number") }
        return number
    }

    func optionalInteger(_ key: String) throws(CatalogError) -> Int64? {
        guard let text = try optionalString(key) else { return nil }
        guard let number = Int64(text) else { throw fault(key, "must be a whole number") }
        return number
    }
}
