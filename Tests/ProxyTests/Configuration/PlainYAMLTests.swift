import BuiltInCatalogs
import Primitives
import TestSupport
import Testing

@testable import StrictYAML

@Suite("Simple YAML, read without Yams")
struct PlainYAMLTests {
    /// What Yams makes of a text; nil if it has faults.
    private func reference(_ bytes: [UInt8]) -> String? {
        let faults = FaultCollector(file: "")
        guard let source = SourceText(bytes, mebibytes: 16, faults: faults) else { return nil }
        let tree = YAMLText.tree(of: source, faults: faults)
        return faults.count > 0 ? nil : tree.map(shown)
    }

    /// All of a tree, its lines included.
    private func shown(_ tree: Tree) -> String {
        switch tree.content {
        case .scalar(let scalar): "\(tree.line)\(scalar.isPlain ? "" : "q")\(scalar.text.debugDescription)"
        case .list(let items): "\(tree.line)[\(items.map { $0.map(shown) ?? "-" }.joined(separator: ","))]"
        case .mapping(let entries):
            "\(tree.line){"
                + entries.map { "\($0.line)\($0.key.debugDescription):\($0.value.map(shown) ?? "-")" }.joined(
                    separator: ",")
                + "}"
        }
    }

    @Test("Every built-in catalog is read, and as Yams reads it")
    func catalogs() {
        for name in BuiltInCatalogs.names {
            let bytes = BuiltInCatalogs.bytes(named: name) ?? []
            #expect(PlainYAML.tree(of: bytes).map(shown) == reference(bytes), "\(name)")
        }
        let read = BuiltInCatalogs.names.filter { PlainYAML.tree(of: BuiltInCatalogs.bytes(named: $0) ?? []) != nil }
        #expect(read.count >= 18, "\(read)")
    }

    @Test(
        "Known notations",
        arguments: [
            "a: b\n", "a: b", "a:   b c  \n", "# c\n\na: b # c\n  # d\nb:\n  c: d\n",
            "a: { b: c, d: [e, 'f'], g: {} }\n",
            "a: 'it''s'\n'b c': ''\n", "a: https://x/y#z\n", "a: [a:b, c]\n", "a:\n    b: 1\nc: -1s\n",
            "a: x'y\"z&*!?\n",
            "a:\n  b:\n    c: d\n  # e\n  f: g\nh: []\n", "null: true\ntrue: null\n1: 0x10\n",
        ])
    func known(_ text: String) {
        let bytes = Array(text.utf8)
        let tree = PlainYAML.tree(of: bytes).map(shown)
        #expect(tree != nil)
        #expect(tree == reference(bytes))
    }

    @Test(
        "Other notations are left to Yams",
        arguments: [
            "", "\n", "a", "a:\n", "a: b\n  c\n", "a: b\n c: d\n", "a: &b c\n", "a: |\n  b\n", "- a\n", "a: \"b\"\n",
            "? a\n",
            "a: b\na: c\n", "a: {b: c, b: d}\n", "a: [b\n  , c]\n", "a: b: c\n", "a: 'b\n  c'\n", "a:\tb\n", "a: b\r\n",
            "a: é\n",
            "--- \na: b\n", "a: b\n...\n", "a: [b, ]\n", "a: {b}\n", "a: ~\n", "a: #b\n", "a:b\n", "  a: b\n",
            "a: *b\n",
            "a: [b]c\n", "a: 'b'c\n", "a: 'b'#c\n", "<<: {a: b}\n", "a: {b: c}\n d: e\n",
        ])
    func unknown(_ text: String) { #expect(PlainYAML.tree(of: Array(text.utf8)) == nil) }

    @Test("Whatever is done to a text, what is read is what Yams reads")
    func mutations() {
        var random = SeededGenerator(seed: 19)
        let text = Array(
            """
            # a comment
            name: some-name
            final:
              statusFilter: [SUCCEEDED, 'FAILED', TIMED_OUT]   # behind
            quotas:
              default: { rate: 2, burst: 8.5, source: 'https://docs.example/a#b' }
            operations:
              One:
                kind: write
                input: { a: string!, b-c: Tag-list }
              'Two Words': { kind: page, ttl: 30s }

            shapes: {}

            """.utf8)
        let signs = Array(" \n:,{}[]'\"#-?&*!|>%@`~a1.:  ".utf8)
        var read = 0
        for _ in 0..<20_000 {
            var bytes = text
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                let sign = signs.randomElement(using: &random) ?? 0x20
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = sign
                case 1: bytes.insert(sign, at: place)
                default: bytes.remove(at: place)
                }
            }
            guard let tree = PlainYAML.tree(of: bytes) else { continue }
            read += 1
            let own = shown(tree)
            let expected = reference(bytes)
            #expect(own == expected, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            if own != expected { return }
        }
        #expect(read > 5_000)
    }
}
