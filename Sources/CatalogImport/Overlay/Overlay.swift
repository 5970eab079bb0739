internal import Gateway
internal import StrictYAML

/// A hand-written file with what no model says of a service, each value with its line.
///
/// `Config/catalogs/overlays/stepfunctions.yaml` shows the form.
struct Overlay {
    typealias Word = TreeReader.Located<String>

    /// The operations to keep, by name or pattern; empty for all.
    var operations: [Word] = []
    var groups: [(name: Word, group: CatalogDraft.Group)] = []
    var final: [(member: Word, values: [Word])] = []
    /// In the order of the file.
    var rules: [Rule] = []

    /// A rule for an operation, or for those whose names match.
    struct Rule {
        var pattern: Word
        /// By their keys, the values that are words.
        var words: [String: Word]
        var kind: (kind: Operation.Kind, line: Int)?
        var invalidates: [Word]?
        var defaults: [(member: Word, value: Int64)]?
        var isSensitive: Bool?

        var isGlob: Bool { pattern.value.contains { $0 == "*" || $0 == "?" } }
    }

    static let ruleKeys = [
        "quota", "kind", "domain", "resource", "status", "token", "tokenLife", "idempotency", "invalidates", "defaults",
        "ttl",
        "timeout",
        "hostPrefix", "sensitive",
    ]
    /// The keys of a rule whose values name members.
    static let memberKeys = ["domain", "resource", "status", "token", "idempotency"]

    /// Reads an overlay; nil, with faults, if it is no text.
    init?(_ bytes: [UInt8], faults: FaultCollector) {
        guard let source = SourceText(bytes, faults: faults), let tree = YAMLText.tree(of: source, faults: faults)
        else {
            return nil
        }
        let reader = TreeReader(faults: faults)
        let entries = reader.entries(tree, .root, keys: ["service", "operations", "quotas", "final", "rules"])
        _ = reader.text(entries["service"], DottedPath.root.key("service"))
        operations = reader.texts(entries["operations"], DottedPath.root.key("operations")) ?? []
        let quotas = DottedPath.root.key("quotas")
        for entry in reader.entries(entries["quotas"], quotas) {
            guard let group = Self.group(entry, reader, quotas.key(entry.key)) else { continue }
            groups.append((Word(value: entry.key, line: entry.line), group))
        }
        let final = DottedPath.root.key("final")
        for entry in reader.entries(entries["final"], final) {
            guard let values = reader.texts(entry.value, final.key(entry.key)) else { continue }
            self.final.append((Word(value: entry.key, line: entry.line), values))
        }
        let rules = DottedPath.root.key("rules")
        for entry in reader.entries(entries["rules"], rules) {
            self.rules.append(Self.rule(entry, reader, rules.key(entry.key)))
        }
    }

    private static func group(
        _ entry: Tree.Entry, _ reader: TreeReader, _ path: DottedPath
    ) -> CatalogDraft.Group? {
        let values = reader.entries(entry.value, path, keys: ["rate", "burst", "source"])
        func number(_ key: String, least: Double) -> String? {
            guard let word = reader.text(values[key], path.key(key)) else { return nil }
            guard let number = Double(word.value), number.isFinite, number >= least, number > 0 else {
                reader.faults.add(
                    line: word.line, key: "\(path.key(key))",
                    least > 0 ? "must be a number of 1 or more" : "must be a number above 0, requests a second")
                return nil
            }
            return word.value
        }
        guard let rate = number("rate", least: 0) else {
            if values["rate"] == nil {
                reader.faults.add(line: entry.line, key: "\(path)", "needs a rate, requests a second")
            }
            return nil
        }
        return CatalogDraft.Group(
            name: entry.key, rate: rate, burst: number("burst", least: 1),
            source: reader.text(values["source"], path.key("source"))?.value)
    }

    private static func rule(_ entry: Tree.Entry, _ reader: TreeReader, _ path: DottedPath) -> Rule {
        let values = reader.entries(entry.value, path, keys: ruleKeys)
        var rule = Rule(pattern: Word(value: entry.key, line: entry.line), words: [:])
        for key in ["quota", "tokenLife", "ttl", "timeout", "hostPrefix"] + memberKeys {
            rule.words[key] = reader.text(values[key], path.key(key))
        }
        for key in ["tokenLife", "ttl", "timeout"] {
            guard let word = rule.words[key], CatalogDuration(word.value) == nil else { continue }
            reader.faults.add(line: word.line, key: "\(path.key(key))", "must be a duration, such as 30s")
            rule.words[key] = nil
        }
        if let word = reader.text(values["kind"], path.key("kind")) {
            if let kind = Operation.Kind(rawValue: word.value) {
                rule.kind = (kind, word.line)
            } else {
                reader.faults.add(line: word.line, key: "\(path.key("kind"))", "must be one of page, read, live, write")
            }
        }
        if let word = reader.text(values["sensitive"], path.key("sensitive")) {
            if ["true", "false"].contains(word.value) {
                rule.isSensitive = word.value == "true"
            } else {
                reader.faults.add(line: word.line, key: "\(path.key("sensitive"))", "must be true or false")
            }
        }
        rule.invalidates = reader.texts(values["invalidates"], path.key("invalidates"))?.filter { word in
            if Operation.Invalidation(rawValue: word.value) != nil { return true }
            reader.faults.add(
                line: word.line, key: "\(path.key("invalidates"))", "may hold domain, service, resource and all")
            return false
        }
        if values["defaults"] != nil {
            let defaults = path.key("defaults")
            rule.defaults = reader.entries(values["defaults"], defaults).compactMap { entry in
                guard let word = reader.text(entry.value, defaults.key(entry.key)) else { return nil }
                guard let value = Int64(word.value) else {
                    reader.faults.add(line: word.line, key: "\(defaults.key(entry.key))", "must be a whole number")
                    return nil
                }
                return (Word(value: entry.key, line: entry.line), value)
            }
        }
        return rule
    }
}
