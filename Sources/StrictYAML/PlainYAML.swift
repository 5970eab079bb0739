/// Reads the simple YAML that catalogs are written in, ten times as fast as libyaml: block mappings of `key: value` with comments, whose
/// values are words, quoted texts, and flow mappings and lists on one line. The text is ASCII.
///
/// It gives no faults. Whatever it does not know makes it give up, and the text is left to libyaml, which then decides what it means and
/// what is wrong with it. So all that it reads must mean the same to libyaml.
struct PlainYAML {
    /// A text that is left to libyaml.
    struct Unknown: Error {}

    private let bytes: [UInt8]
    private var place = 0
    private var line = 1

    /// The text's mapping; nil if it is left to libyaml.
    static func tree(of bytes: [UInt8]) -> Tree? {
        guard bytes.allSatisfy({ $0 &- 0x20 < 0x5F || $0 == 0x0A }) else { return nil }
        var reader = PlainYAML(bytes: bytes)
        do throws(Unknown) {
            guard let indent = reader.nextIndent(), indent == 0 else { return nil }
            let tree = try reader.block(indent: 0, depth: 0)
            return reader.place == bytes.count ? tree : nil
        } catch {
            return nil
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var byte: UInt8 { place < bytes.count ? bytes[place] : 0x0A }

    // MARK: Lines

    /// Goes to the next line that is not empty and no comment.
    ///
    /// - Returns: how far it is indented; nil at the end. The place is the beginning of the line.
    private mutating func nextIndent() -> Int? {
        while place < bytes.count {
            var end = place
            while end < bytes.count, bytes[end] == 0x20 { end += 1 }
            if end == bytes.count {
                place = end
                return nil
            }
            if bytes[end] != 0x0A, bytes[end] != UInt8(ascii: "#") { return end - place }
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            place = min(end + 1, bytes.count)
            line += 1
        }
        return nil
    }

    private mutating func skipBlanks() { while place < bytes.count, bytes[place] == 0x20 { place += 1 } }

    /// Goes behind the end of a line on which nothing stands any more but a comment.
    private mutating func endLine() throws(Unknown) {
        let start = place
        skipBlanks()
        if byte == UInt8(ascii: "#") {
            guard place > start else { throw Unknown() }
            while place < bytes.count, bytes[place] != 0x0A { place += 1 }
        }
        guard byte == 0x0A else { throw Unknown() }
        if place < bytes.count {
            place += 1
            line += 1
        }
    }

    // MARK: Blocks

    /// The mapping whose first key is in the line at the place. Ends at the beginning of a line with another indentation.
    private mutating func block(indent: Int, depth: Int) throws(Unknown) -> Tree {
        guard depth < YAMLText.maxDepth else { throw Unknown() }
        let start = line
        var entries: [Tree.Entry] = []
        while true {
            place += indent
            let keyLine = line
            let key = try key()
            let value: Tree
            let before = place
            skipBlanks()
            if byte == 0x0A || byte == UInt8(ascii: "#") {
                place = before
                try endLine()
                // Without a value, or with one that is no mapping, it is left to libyaml.
                guard let inner = nextIndent(), inner > indent else { throw Unknown() }
                value = try block(indent: inner, depth: depth + 1)
            } else {
                guard place > before else { throw Unknown() }
                value = try self.value(depth: depth + 1)
                try endLine()
            }
            entries.append(Tree.Entry(key: key, line: keyLine, value: value))
            guard let next = nextIndent(), next >= indent else { break }
            // A deeper line goes on with a value.
            guard next == indent else { throw Unknown() }
        }
        try Self.checkKeys(entries)
        return Tree(line: start, content: .mapping(entries))
    }

    /// Repeated keys are left to libyaml.
    private static func checkKeys(_ entries: [Tree.Entry]) throws(Unknown) {
        if entries.count <= 8 {
            for (index, entry) in entries.enumerated() {
                for other in entries[..<index] where other.key == entry.key { throw Unknown() }
            }
        } else if Set(entries.map(\.key)).count < entries.count {
            throw Unknown()
        }
    }

    /// A key and the colon behind it.
    private mutating func key() throws(Unknown) -> String {
        let key: String
        if byte == UInt8(ascii: "'") {
            key = try quoted()
        } else {
            let start = place
            while isWord(byte) { place += 1 }
            guard place > start, bytes[start] != UInt8(ascii: "-") else { throw Unknown() }
            key = text(start..<place)
        }
        // Longer ones need a notation of their own.
        guard key.utf8.count <= 512, byte == UInt8(ascii: ":") else { throw Unknown() }
        place += 1
        guard byte == 0x20 || byte == 0x0A else { throw Unknown() }
        return key
    }

    private func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    // MARK: Values on one line

    private mutating func value(depth: Int) throws(Unknown) -> Tree {
        guard depth < YAMLText.maxDepth else { throw Unknown() }
        switch byte {
        case UInt8(ascii: "{"): return try flowMapping(depth: depth)
        case UInt8(ascii: "["): return try flowList(depth: depth)
        case UInt8(ascii: "'"):
            return Tree(line: line, content: .scalar(Tree.Scalar(text: try quoted(), isPlain: false)))
        default:
            return Tree(line: line, content: .scalar(Tree.Scalar(text: try plain(), isPlain: true)))
        }
    }

    /// A text between single quotes, on one line.
    private mutating func quoted() throws(Unknown) -> String {
        place += 1
        var start = place
        var whole = ""
        while true {
            guard byte != 0x0A else { throw Unknown() }
            guard byte == UInt8(ascii: "'") else {
                place += 1
                continue
            }
            let part = text(start..<place)
            place += 1
            guard byte == UInt8(ascii: "'") else { return whole.isEmpty ? part : whole + part }
            // Two stand for one.
            whole += part + "'"
            place += 1
            start = place
        }
    }

    /// A text without quotes, up to a comment or the end of the line, and in a flow to its next sign.
    private mutating func plain() throws(Unknown) -> String {
        let start = place
        guard isWord(byte) || byte == UInt8(ascii: "/"), byte != UInt8(ascii: "-") || isWord(at: place + 1) else {
            throw Unknown()
        }
        scan: while true {
            switch byte {
            case 0x0A, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): break scan
            case UInt8(ascii: "{"), UInt8(ascii: "["): throw Unknown()
            case UInt8(ascii: ":"): guard isWord(at: place + 1) || isSlash(at: place + 1) else { throw Unknown() }
            case UInt8(ascii: "#"): if bytes[place - 1] == 0x20 { break scan }
            default: break
            }
            place += 1
        }
        while bytes[place - 1] == 0x20 { place -= 1 }
        return text(start..<place)
    }

    private func isWord(at place: Int) -> Bool { place < bytes.count && isWord(bytes[place]) }

    private func isSlash(at place: Int) -> Bool { place < bytes.count && bytes[place] == UInt8(ascii: "/") }

    private mutating func flowMapping(depth: Int) throws(Unknown) -> Tree {
        let start = line
        var entries: [Tree.Entry] = []
        place += 1
        skipBlanks()
        while byte != UInt8(ascii: "}") {
            let key = try key()
            skipBlanks()
            let value = try value(depth: depth + 1)
            entries.append(Tree.Entry(key: key, line: line, value: value))
            try endItem(UInt8(ascii: "}"))
        }
        place += 1
        try Self.checkKeys(entries)
        return Tree(line: start, content: .mapping(entries))
    }

    private mutating func flowList(depth: Int) throws(Unknown) -> Tree {
        let start = line
        var items: [Tree?] = []
        place += 1
        skipBlanks()
        while byte != UInt8(ascii: "]") {
            items.append(try value(depth: depth + 1))
            try endItem(UInt8(ascii: "]"))
        }
        place += 1
        return Tree(line: start, content: .list(items))
    }

    /// Goes behind a comma, or stays at the end of a flow.
    private mutating func endItem(_ end: UInt8) throws(Unknown) {
        skipBlanks()
        if byte == end { return }
        guard byte == UInt8(ascii: ",") else { throw Unknown() }
        place += 1
        guard byte == 0x20 else { throw Unknown() }
        skipBlanks()
        guard byte != end else { throw Unknown() }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
