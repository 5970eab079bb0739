/// Makes a `Tree` of the events of a text, and reports notations that are not accepted.
struct YAMLTree: ~Copyable {
    private let source: SourceText
    private var parser: YAMLParser
    private let faults: FaultCollector
    private var repeats = 0

    init(_ source: SourceText, parser: consuming YAMLParser, faults: FaultCollector) {
        self.source = source
        self.parser = parser
        self.faults = faults
    }

    private mutating func next() throws(YAMLSyntaxFault) -> YAMLEvent { try parser.next(of: source) }

    /// The text's only document; `nil` if it has none.
    mutating func document() throws(YAMLSyntaxFault) -> Tree? {
        guard case .document = try next().kind else { return nil }
        let tree = try tree(of: next(), at: .root, depth: 0)
        _ = try next()
        let after = try next()
        guard case .endOfText = after.kind else {
            throw YAMLSyntaxFault(
                line: after.line,
                message: "not YAML: a second document begins: remove the '---' line and what follows")
        }
        return tree
    }

    /// The value that begins with an event, all of which is read. `nil` if it is not accepted; the fault is noted.
    private mutating func tree(
        of event: YAMLEvent, at path: DottedPath, depth: Int
    ) throws(YAMLSyntaxFault) -> Tree? {
        guard depth < YAMLText.maxDepth else {
            throw Self.tooDeep(event, at: path)
        }
        if event.hasProperties { return try refuse(event, at: path, Self.noIndicators) }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return Tree(line: event.line, content: .scalar(Tree.Scalar(text: text, isPlain: isPlain)))
        case .list: return Tree(line: event.line, content: .list(try items(at: path, depth: depth)))
        case .mapping: return Tree(line: event.line, content: .mapping(try entries(at: path, depth: depth)))
        case .alias, .document, .endOfDocument, .end, .endOfText: return try refuse(event, at: path, Self.noIndicators)
        }
    }

    private mutating func items(at path: DottedPath, depth: Int) throws(YAMLSyntaxFault) -> [Tree?] {
        var items: [Tree?] = []
        while true {
            let event = try next()
            if case .end = event.kind { return items }
            items.append(try tree(of: event, at: path.item(items.count), depth: depth + 1))
        }
    }

    /// Of a repeated key, the first; the others are faults.
    private mutating func entries(at path: DottedPath, depth: Int) throws(YAMLSyntaxFault) -> [Tree.Entry] {
        var entries: [Tree.Entry] = []
        var lines: [[UInt8]: Int] = [:]
        while true {
            let key = try next()
            if case .end = key.kind { return entries }
            guard let name = try name(key, at: path) else {
                try skip(try next())
                continue
            }
            let path = path.key(name)
            if let first = lines[Array(name.utf8)] {
                repeats += 1
                guard repeats <= YAMLText.maxRepeats else {
                    throw YAMLSyntaxFault(
                        line: key.line, message: "\(name.quoted) is set more than once: keep one of them")
                }
                faults.add(line: key.line, key: "\(path)", "is set already in line \(first): keep one of the two")
                try skip(try next())
                continue
            }
            lines[Array(name.utf8)] = key.line
            let value = try tree(of: next(), at: path, depth: depth + 1)
            entries.append(Tree.Entry(key: name, line: key.line, value: value))
        }
    }

    /// The text of a key; `nil` if it is not accepted, with a fault.
    private mutating func name(_ key: YAMLEvent, at path: DottedPath) throws(YAMLSyntaxFault) -> String? {
        switch key.kind {
        case .scalar(let name, _) where !key.hasProperties && !source.isExplicitKey(at: key.place): return name
        case .list where !key.hasProperties, .mapping where !key.hasProperties:
            faults.add(line: key.line, key: "\(path)", "a key must be a single word, not a list or a mapping")
            try skip(key)
        default: try refuse(key, at: path, Self.noIndicators)
        }
        return nil
    }

    /// Notes a fault of a value, and reads over it.
    @discardableResult
    private mutating func refuse(
        _ event: YAMLEvent, at path: DottedPath, _ words: String
    ) throws(YAMLSyntaxFault) -> Tree? {
        faults.add(line: event.line, key: "\(path)", words)
        try skip(event)
        return nil
    }

    /// Reads the rest of the value that begins with an event.
    private mutating func skip(_ event: YAMLEvent) throws(YAMLSyntaxFault) {
        var open = 0
        var event = event
        while true {
            switch event.kind {
            case .list, .mapping:
                open += 1
                guard open <= YAMLText.maxDepth else { throw Self.tooDeep(event) }
            case .end: open -= 1
            default: break
            }
            guard open > 0 else { return }
            event = try next()
        }
    }

    /// The rest of the text is not read: libyaml's time grows with the square of the depth.
    private static func tooDeep(_ event: YAMLEvent, at path: DottedPath? = nil) -> YAMLSyntaxFault {
        YAMLSyntaxFault(
            line: event.line,
            message:
                "\(path.map { "\($0): " } ?? "")is nested more than \(YAMLText.maxDepth) deep: no key here needs that")
    }

    static let noIndicators =
        "anchors (&), aliases (*), tags (!) and '?' keys are not read here: write the value itself, in quotes if it "
        + "begins with one of these"
}
