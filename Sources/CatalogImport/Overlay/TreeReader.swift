internal import StrictYAML

/// Reads the values of a file whose form is known, and notes what is not of that form.
struct TreeReader {
    let faults: FaultCollector

    /// A value with its line.
    struct Located<Value> {
        var value: Value
        var line: Int
    }

    /// The entries of a mapping; empty, with a fault, if it is none or has a key that is not among `keys`.
    func entries(_ tree: Tree?, _ path: DottedPath, keys: [String]? = nil) -> [Tree.Entry] {
        guard let tree, !tree.isNull else { return [] }
        guard case .mapping(let entries) = tree.content else {
            faults.add(line: tree.line, key: "\(path)", "must be a mapping of keys, not \(tree.kind)")
            return []
        }
        guard let keys else { return entries }
        return entries.filter { entry in
            if keys.contains(where: { $0.utf8.elementsEqual(entry.key.utf8) }) { return true }
            let problem = Spelling.problem("unknown key", entry.key, among: keys) {
                "the keys here are \($0.joined(separator: ", "))"
            }
            faults.add(line: entry.line, key: "\(path.key(entry.key))", problem ?? "unknown key")
            return false
        }
    }

    func text(_ tree: Tree?, _ path: DottedPath) -> Located<String>? {
        guard let tree else { return nil }
        guard case .scalar(let scalar) = tree.content, !scalar.isNull else {
            faults.add(line: tree.line, key: "\(path)", "must be a word, not \(tree.kind)")
            return nil
        }
        return Located(value: scalar.text, line: tree.line)
    }

    func texts(_ tree: Tree?, _ path: DottedPath) -> [Located<String>]? {
        guard let tree else { return nil }
        guard case .list(let items) = tree.content else {
            faults.add(line: tree.line, key: "\(path)", "must be a list, not \(tree.kind)")
            return nil
        }
        return zip(0..., items).compactMap { index, item in text(item, path.item(index)) }
    }
}

extension [Tree.Entry] {
    /// The value of a key.
    subscript(key: String) -> Tree? { first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
}
