internal import Gateway

extension CatalogDraft {
    /// The catalog's file.
    var yaml: String {
        var lines = heading.map { "# \($0)" } + [""]
        lines += head.map { "\($0.key): \(YAMLWord.value($0.value))" }
        if !queryErrors.isEmpty {
            lines.append("queryErrors:")
            lines += queryErrors.map { "  \(YAMLWord.key($0.name)): \(YAMLWord.quoted($0.code))" }
        }
        if !final.isEmpty {
            lines.append("final:")
            lines += final.map { "  \(YAMLWord.key($0.member)): \(Self.list($0.values))" }
        }
        lines += ["", "quotas:"] + groups.map { "  \(YAMLWord.key($0.name)): \(Self.group($0))" }
        lines += ["", "operations:"] + operations.flatMap(Self.lines)
        lines +=
            shapes.isEmpty
            ? ["", "shapes: {}"] : ["", "shapes:"] + shapes.map { "  \(YAMLWord.key($0.name)): \($0.text)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func group(_ group: Group) -> String {
        var parts = ["rate: \(group.rate)"]
        if let burst = group.burst { parts.append("burst: \(burst)") }
        if let source = group.source { parts.append("source: \(YAMLWord.quoted(source))") }
        return "{ \(parts.joined(separator: ", ")) }"
    }

    static func list(_ words: [String]) -> String { "[\(words.map(YAMLWord.value).joined(separator: ", "))]" }

    private static func lines(_ operation: DraftOperation) -> [String] {
        var lines = ["  \(YAMLWord.key(operation.name)):", "    kind: \(operation.kind.rawValue)"]
        func add(_ key: String, _ value: String?) {
            if let value { lines.append("    \(key): \(YAMLWord.value(value))") }
        }
        add("quota", operation.quota)
        add("domain", operation.domain)
        add("resource", operation.resource)
        add("status", operation.status)
        add("token", operation.token)
        if !operation.defaults.isEmpty {
            let defaults = operation.defaults.map { "\(YAMLWord.key($0.member)): \($0.value)" }
            lines.append("    defaults: { \(defaults.joined(separator: ", ")) }")
        }
        add("idempotency", operation.idempotency)
        if let invalidates = operation.invalidates, !invalidates.isEmpty {
            lines.append("    invalidates: \(list(invalidates))")
        }
        add("tokenLife", operation.tokenLife)
        add("ttl", operation.ttl)
        add("timeout", operation.timeout)
        add("hostPrefix", operation.hostPrefix)
        if operation.isUnsigned { lines.append("    auth: none") }
        if operation.isSensitive { lines.append("    sensitive: true") }
        if operation.isStream { lines.append("    streams: true") }
        if !operation.input.isEmpty {
            lines.append("    input:")
            lines += operation.input.map { "      \(YAMLWord.key($0.name)): \(YAMLWord.value($0.reference))" }
        }
        return lines
    }
}
