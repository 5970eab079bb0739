internal import StrictYAML

/// A mapping of a catalog file whose keys are known, read value by value.
struct CatalogMapping {
    let names: [String]
    private let entries: [Tree.Entry]
    /// Where they are, by their keys as bytes: keys that merely look alike are equal to Swift. Empty for a few, which are compared.
    private let places: [[UInt8]: Int]
    private let line: Int

    /// - Parameter keys: the keys that it may have, nil for any.
    init(_ tree: Tree, keys: [String]?) throws(CatalogError) {
        line = tree.line
        guard case .mapping(let entries) = tree.content else {
            throw CatalogError(line: line, message: "must be a mapping")
        }
        if let keys {
            for entry in entries where !keys.contains(where: { $0.utf8.elementsEqual(entry.key.utf8) }) {
                let near = Spelling.nearest(to: entry.key, among: keys).map { "; did you mean \($0)?" } ?? ""
                throw CatalogError(line: entry.line, message: "unknown key \(entry.key.quoted)\(near)")
            }
        }
        self.entries = entries
        names = entries.map(\.key)
        places =
            entries.count <= Self.few
            ? [:] : Dictionary(entries.enumerated().map { (Array($1.key.utf8), $0) }) { first, _ in first }
    }

    private static let few = 8

    private func value(_ key: String) -> Tree? {
        let place =
            entries.count <= Self.few
            ? entries.firstIndex { $0.key.utf8.elementsEqual(key.utf8) } : places[Array(key.utf8)]
        return place.flatMap { entries[$0].value }
    }

    /// Returns true if it has the key.
    func holds(_ key: String) -> Bool { value(key) != nil }

    func fault(_ key: String, _ message: String) -> CatalogError {
        CatalogError(line: value(key)?.line ?? line, message: "\(key): \(message)")
    }

    func mapping(_ key: String, keys: [String]?) throws(CatalogError) -> CatalogMapping {
        guard let mapping = try optionalMapping(key, keys: keys) else { throw fault(key, "is missing") }
        return mapping
    }

    func optionalMapping(_ key: String, keys: [String]?) throws(CatalogError) -> CatalogMapping? {
        guard let tree = value(key) else { return nil }
        return try CatalogMapping(tree, keys: keys)
    }

    func string(_ key: String) throws(CatalogError) -> String {
        guard let text = try optionalString(key) else { throw fault(key, "is missing") }
        return text
    }

    func optionalString(_ key: String) throws(CatalogError) -> String? {
        guard let tree = value(key) else { return nil }
        guard case .scalar(let scalar) = tree.content else { throw fault(key, "must be a word") }
        return scalar.text
    }

    /// One of the words of an enumeration; nil if the key is missing.
    func word<Word: RawRepresentable<String> & CaseIterable>(
        _ key: String, among: Word.Type
    ) throws(CatalogError) -> Word? {
        guard let text = try optionalString(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw fault(key, "must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// True or false; false if the key is missing.
    func flag(_ key: String) throws(CatalogError) -> Bool {
        switch try optionalString(key) {
        case "true": true
        case "false", nil: false
        default: throw fault(key, "must be true or false")
        }
    }

    func strings(_ key: String) throws(CatalogError) -> [String] {
        guard let tree = value(key) else { return [] }
        guard case .list(let items) = tree.content else { throw fault(key, "must be a list") }
        var words: [String] = []
        for item in items {
            guard case .scalar(let scalar)? = item?.content else { throw fault(key, "must be a list of words") }
            words.append(scalar.text)
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

    func optionalDuration(_ key: String) throws(CatalogError) -> Int64? {
        guard let text = try optionalString(key) else { return nil }
        guard let duration = CatalogDuration(text) else { throw fault(key, "must be a duration, such as 30s") }
        return duration.nanoseconds
    }
}

/// A span of time as catalogs spell it: a whole number and ms, s, m or h, a day at most.
public struct CatalogDuration: Sendable, Equatable {
    public let nanoseconds: Int64

    /// Nil for another spelling.
    public init?(_ text: String) {
        let units: [(name: String, nanoseconds: Int64)] = [
            ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.name) }),
            let number = Int64(text.dropLast(unit.name.count)), number >= 0
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
        guard !overflow, product <= 24 * 3_600_000_000_000 else { return nil }
        nanoseconds = product
    }
}
