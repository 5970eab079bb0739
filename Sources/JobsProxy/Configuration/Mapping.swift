internal import StrictYAML

/// One mapping of the file while its keys are read.
///
/// Each call reads one key, which makes the key known, and sets a field if the key is there and its value is accepted. `close`
/// reports the keys that no call has read.
final class Mapping {
    private let path: DottedPath
    let line: Int
    /// In the order of the file, so that faults of one line are too.
    private let ordered: [Tree.Entry]
    /// By the bytes of their keys: `access\u{212A}eyId`, with the sign of kelvin, is no `accessKeyId`.
    private let entries: [[UInt8]: Tree.Entry]
    private let faults: FaultCollector
    private var known: [String] = []
    /// The keys whose values were not accepted.
    private var refused: Set<String> = []

    init(_ entries: [Tree.Entry], line: Int, path: DottedPath, faults: FaultCollector) {
        ordered = entries
        self.entries = Dictionary(entries.map { (Array($0.key.utf8), $0) }) { first, _ in first }
        self.line = line
        self.path = path
        self.faults = faults
    }

    func holds(_ key: String) -> Bool { entry(key) != nil }

    func isList(_ key: String) -> Bool { if case .list? = entry(key)?.value?.content { true } else { false } }

    private func entry(_ key: String) -> Tree.Entry? { entries[Array(key.utf8)] }

    // MARK: Single values

    /// A value that cannot be null.
    func value<Value>(_ key: String, _ parser: ValueParser<Value>, _ field: inout Value) {
        read(key) { tree, path in
            guard !tree.isNull else { return refuse(tree, path, "has no value: give it one, or leave the key out") }
            if let value = scalar(tree, parser, path) { field = value }
        }
    }

    /// A value that may be null.
    func optional<Value>(_ key: String, _ parser: ValueParser<Value>, _ field: inout Value?) {
        read(key) { tree, path in
            if tree.isNull { field = nil } else if let value = scalar(tree, parser, path) { field = value }
        }
    }

    /// Values by name. They are added to those that the field holds, or replace them by name.
    ///
    /// - Parameters:
    ///   - names: the parser of the names.
    ///   - nameProblem: the problem with a name; `nil` if it is accepted.
    func table<Value>(
        _ key: String, _ parser: ValueParser<Value>, _ field: inout [String: Value],
        names: ValueParser<String> = .name, _ severity: FileFault.Severity = .error,
        nameProblem: (String) -> String? = { _ in nil }
    ) {
        named(key, names, severity, nameProblem) { name, tree, path in
            if let value = scalar(tree, parser, path) { field[name] = value }
        }
    }

    /// Values by name, each a single value or known keys.
    func table<Value>(
        _ key: String, _ parser: ValueParser<Value>, names: ValueParser<String>, _ nameProblem: (String) -> String?,
        section: (Mapping) -> Value, take: (_ name: String, Value) -> Void
    ) {
        named(key, names, .error, nameProblem) { name, tree, path in
            if case .mapping = tree.content {
                mapping(tree, path) { take(name, section($0)) }
            } else if let value = scalar(tree, parser, path) {
                take(name, value)
            }
        }
    }

    /// A list of single values, which takes the place of the one that the field holds.
    ///
    /// - Parameter problem: the problem with a value; `nil` if it is accepted.
    func texts<Value>(
        _ key: String, _ parser: ValueParser<Value>, _ field: inout [Value], _ severity: FileFault.Severity = .error,
        problem: (Value) -> String? = { _ in nil }
    ) {
        read(key) { tree, path in
            guard case .list(let items) = tree.content else {
                return refuse(tree, path, "must be a list in brackets, such as [\"*\"], not \(tree.kind)")
            }
            field = zip(0..., items).compactMap { index, item in
                guard let item, let value = scalar(item, parser, path.item(index)) else { return nil }
                if let problem = problem(value) { refuse(item, path.item(index), problem, severity) }
                return value
            }
        }
    }

    /// A list of single values, or one of them alone.
    func texts<Value>(_ key: String, orSingle parser: ValueParser<Value>, _ field: inout [Value]) {
        if case .scalar? = entry(key)?.value?.content {
            read(key) { tree, path in
                if let value = scalar(tree, parser, path) { field = [value] }
            }
        } else {
            texts(key, parser, &field)
        }
    }

    /// The place of a secret. No problem repeats the value: it may be the secret.
    func secret(_ key: String, _ field: inout SecretReference?) {
        read(key) { tree, path in
            if tree.isNull { return field = nil }
            guard case .mapping = tree.content else {
                return refuse(tree, path, "must be {env: NAME} or {file: PATH}: secrets do not stand in this file")
            }
            mapping(tree, path) { section in
                var (name, file): (String?, String?)
                section.optional("env", .text, &name)
                section.optional("file", .text, &file)
                section.check("env", "file") {
                    (name == nil) == (file == nil) ? "must be one of env and file: {env: NAME} or {file: PATH}" : nil
                }
                let place = name.map(SecretReference.Place.environment) ?? file.map(SecretReference.Place.file)
                field = place.map { SecretReference(place: $0, line: tree.line, key: "\(path)") }
            }
        }
    }

    // MARK: Mappings in it

    /// Known keys. Without a value, a section counts as one without keys: all of them may be commented out.
    func section(_ key: String, _ body: (Mapping) -> Void) {
        read(key) { tree, path in
            if !tree.isNull { mapping(tree, path, body) }
        }
    }

    /// Known keys, or a word in their place.
    func section(_ key: String, orWord word: String, _ body: (Mapping) -> Void) {
        read(key) { tree, path in
            if case .scalar(let scalar) = tree.content {
                if scalar.text != word { refuse(tree, path, "must be '\(word)' or a mapping of keys") }
            } else {
                mapping(tree, path, body)
            }
        }
    }

    /// A value that cannot be null, or known keys in its place.
    func value<Value>(
        _ key: String, _ parser: ValueParser<Value>, _ field: inout Value, orSection body: (Mapping) -> Void
    ) {
        read(key) { tree, path in
            if case .mapping = tree.content { return mapping(tree, path, body) }
            guard !tree.isNull else { return refuse(tree, path, "has no value: give it one, or leave the key out") }
            if let value = scalar(tree, parser, path) { field = value }
        }
    }

    /// Sections by name.
    ///
    /// - Parameters:
    ///   - names: the parser of the names.
    ///   - nameProblem: the problem with a name; `nil` if it is accepted.
    func sections(
        _ key: String, names: ValueParser<String> = .name, _ nameProblem: (String) -> String? = { _ in nil },
        _ body: (_ name: String, Mapping) -> Void
    ) {
        named(key, names, .error, nameProblem) { name, tree, path in
            mapping(tree, path) { body(name, $0) }
        }
    }

    /// Sections in order.
    ///
    /// - Parameter isSecret: true if a misplaced value may be a secret, which no problem repeats.
    func list(_ key: String, mayBeEmpty: Bool = false, isSecret: Bool = false, _ body: (Mapping) -> Void) {
        read(key) { tree, path in
            guard !tree.isNull else { return }
            guard case .list(let items) = tree.content else {
                return refuse(tree, path, "must be a list, each item after a '- ', not \(tree.kind)")
            }
            guard mayBeEmpty || !items.isEmpty else {
                return refuse(tree, path, "is empty: list at least one, or leave the key out")
            }
            for (index, item) in zip(0..., items) {
                guard let item else { continue }
                faults.note(line: item.line, of: "\(path.item(index))")
                if isSecret, case .scalar = item.content {
                    refuse(item, path.item(index), "must be a mapping of keys")
                } else {
                    mapping(item, path.item(index), body)
                }
            }
        }
    }

    // MARK: Rules

    /// Keys that must be there.
    func require(_ key: String, _ problem: String) {
        if !holds(key) { faults.add(line: line, key: "\(path.key(key))", problem) }
    }

    /// Checks a rule between keys, unless one of them was refused already. The problem is reported at the first
    /// of the keys that the file has, else at the mapping's beginning.
    func check(_ keys: String..., as severity: FileFault.Severity = .error, problem: () -> String?) {
        guard refused.isDisjoint(with: keys), let problem = problem() else { return }
        report(keys, problem, severity)
    }

    /// Checks a rule that may be broken in several ways, each of which is a fault of its own.
    func check(_ keys: String..., each problems: () -> [String]) {
        guard refused.isDisjoint(with: keys) else { return }
        for problem in problems() { report(keys, problem, .error) }
    }

    private func report(_ keys: [String], _ problem: String, _ severity: FileFault.Severity) {
        let key = keys.first(where: holds) ?? keys[0]
        faults.add(severity, line: entry(key)?.line ?? line, key: "\(path.key(key))", problem)
    }

    func accepted(_ key: String) -> Bool { !refused.contains(key) }

    /// Reports every unknown key.
    func close() {
        for entry in ordered where !known.contains(where: { $0.utf8.elementsEqual(entry.key.utf8) }) {
            let problem = Spelling.problem("unknown key", entry.key, among: known) {
                "the keys here are \($0.joined(separator: ", "))"
            }
            faults.add(line: entry.line, key: "\(path.key(entry.key))", problem ?? "unknown key")
        }
    }

    // MARK: Reading one key

    private func read(_ key: String, _ body: (Tree, DottedPath) -> Void) {
        known.append(key)
        guard let entry = entry(key) else { return }
        let before = faults.count
        faults.note(line: entry.line, of: "\(path.key(key))")
        if let tree = entry.value { body(tree, path.key(key)) }
        if entry.value == nil || faults.count > before { refused.insert(key) }
    }

    private func named(
        _ key: String, _ names: ValueParser<String>, _ severity: FileFault.Severity,
        _ nameProblem: (String) -> String?, _ body: (_ name: String, Tree, DottedPath) -> Void
    ) {
        read(key) { tree, path in
            guard !tree.isNull else { return }
            guard case .mapping(let entries) = tree.content else {
                return refuse(tree, path, "must be a mapping of names, not \(tree.kind)")
            }
            for entry in entries {
                guard let value = entry.value else { continue }
                let name = Tree(line: entry.line, content: .scalar(Tree.Scalar(text: entry.key, isPlain: false)))
                let path = path.key(entry.key)
                faults.note(line: entry.line, of: "\(path)")
                guard let name = scalar(name, names, path) else { continue }
                if let problem = nameProblem(name) { faults.add(severity, line: entry.line, key: "\(path)", problem) }
                body(name, value, path)
            }
        }
    }

    private func mapping(_ tree: Tree, _ path: DottedPath, _ body: (Mapping) -> Void) {
        guard case .mapping(let entries) = tree.content else {
            return refuse(tree, path, "must be a mapping of keys, not \(tree.kind)")
        }
        let mapping = Mapping(entries, line: tree.line, path: path, faults: faults)
        body(mapping)
        mapping.close()
    }

    private func scalar<Value>(_ tree: Tree, _ parser: ValueParser<Value>, _ path: DottedPath) -> Value? {
        guard case .scalar(let scalar) = tree.content else {
            refuse(tree, path, "must be a single value, not \(tree.kind)")
            return nil
        }
        do {
            return try parser.read(scalar)
        } catch {
            refuse(tree, path, error.text)
            return nil
        }
    }

    private func refuse(
        _ tree: Tree, _ path: DottedPath, _ problem: String, _ severity: FileFault.Severity = .error
    ) {
        faults.add(severity, line: tree.line, key: "\(path)", problem)
    }
}
