internal import Yams

/// Turns Yams' nodes into a `Tree`, and reports notations that are not accepted.
struct YAMLTree {
    let faults: FaultCollector

    /// `nil` for a node that is not accepted; the fault is noted.
    func tree(_ node: Node, at path: DottedPath, line: Int = 1, depth: Int = 0) -> Tree? {
        let line = node.mark?.line ?? line
        guard depth < YAMLText.maxDepth else {
            faults.add(
                line: line, key: "\(path)", "is nested more than \(YAMLText.maxDepth) deep: no key here needs that")
            return nil
        }
        switch node {
        case .scalar(let scalar):
            guard let scalar = self.scalar(scalar, line: line, at: path) else { return nil }
            return Tree(line: line, content: .scalar(scalar))
        case .sequence(let sequence):
            let items = zip(0..., sequence).map { index, item in
                tree(item, at: path.item(index), line: line, depth: depth + 1)
            }
            return Tree(line: line, content: .list(items))
        case .mapping(let mapping):
            return Tree(line: line, content: .mapping(entries(mapping, line: line, at: path, depth: depth)))
        case .alias:
            faults.add(line: line, key: "\(path)", Self.noIndicators)
            return nil
        }
    }

    private func scalar(_ scalar: Node.Scalar, line: Int, at path: DottedPath) -> Tree.Scalar? {
        let isPlain = scalar.style == .plain || scalar.style == .any
        if isPlain, YAMLText.indicator(at: scalar.string.unicodeScalars.first) != nil {
            faults.add(line: line, key: "\(path)", Self.noIndicators)
            return nil
        }
        return Tree.Scalar(text: YAMLText.restored(scalar.string), isPlain: isPlain)
    }

    /// Of a repeated key, the first; the others are faults.
    private func entries(_ mapping: Node.Mapping, line: Int, at path: DottedPath, depth: Int) -> [Tree.Entry] {
        var entries: [Tree.Entry] = []
        var lines: [[UInt8]: Int] = [:]
        for (key, value) in mapping {
            let line = key.mark?.line ?? line
            guard case .scalar(let name) = key else {
                faults.add(line: line, key: "\(path)", "a key must be a single word, not a list or a mapping")
                continue
            }
            guard let name = scalar(name, line: line, at: path)?.text else { continue }
            let path = path.key(name)
            if let first = lines[Array(name.utf8)] {
                faults.add(line: line, key: "\(path)", "is set already in line \(first): keep one of the two")
                continue
            }
            lines[Array(name.utf8)] = line
            let value = tree(value, at: path, line: line, depth: depth + 1)
            entries.append(Tree.Entry(key: name, line: line, value: value))
        }
        return entries
    }

    private static let noIndicators =
        "anchors (&), aliases (*), tags (!) and '?' keys are not read here: write the value itself, in quotes if it "
        + "begins with one of these"
}
