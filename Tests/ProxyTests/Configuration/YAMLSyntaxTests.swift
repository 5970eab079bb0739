import Testing

@testable import JobsProxy

@Suite("What is not plain YAML")
struct YAMLSyntaxTests {
    static let noIndicators =
        "anchors (&), aliases (*), tags (!) and '?' keys are not read here: write the value itself, in quotes if it "
        + "begins with one of these"

    static let syntax = [
        FaultyText(
            "http: {maxFields: 5\nlog: {}\n",
            "2: not YAML: did not find expected ',' or '}' (while parsing a flow mapping that began in line 1): "
                + "close the bracket, and put a comma between values"
        ),
        FaultyText(
            "http:\n\tmaxFields: 5\n",
            "2: not YAML: found character that cannot start any token: indent with spaces, not with tabs"
        ),
        FaultyText(
            "a: b: c",
            "1: not YAML: mapping values are not allowed in this context: "
                + "mend the indentation, or put a value that holds ': ' in quotes"
        ),
        FaultyText(
            "drain: '30s\n",
            "2: not YAML: found unexpected end of stream (while scanning a quoted scalar that began in line 1): "
                + "close the quotes"
        ),
        FaultyText(
            "drain: @30s\n", "1: not YAML: found character that cannot start any token: put the value in quotes"),
        FaultyText(
            "drain: 1s\n---\ndrain: 2s\n",
            "2: not YAML: a second document begins: remove the '---' line and what follows"
        ),
    ]

    static let notations = [
        FaultyText("drain: &d 30s", "1: drain: \(noIndicators)"),
        FaultyText("drain: *d", "1: drain: \(noIndicators)"),
        FaultyText("drain: !!str 30s", "1: drain: \(noIndicators)"),
        FaultyText(
            "services:\n- *first\n- region: x", "2: services[0]: \(noIndicators)",
            "3: services[1].region: must be a Region such as us-east-1, not 'x'"),
        FaultyText("*a : 1", "1: \(noIndicators)"),
        FaultyText("[a, b]: 1", "1: a key must be a single word, not a list or a mapping"),
    ]

    @Test("is told with its line", arguments: syntax + notations)
    func told(text: FaultyText) {
        #expect(faults(text.yaml) == text.faults)
    }

    @Test(
        "is told as an anchor even where YAML calls it something else",
        arguments: ["http: &h {maxFields: 1}\n", "http: &h\n  maxFields: 1\n", "? a\n: b\n"])
    func anchors(yaml: String) {
        #expect(faults(yaml).count == 1)
        #expect(faults(yaml).joined().contains("anchors (&), aliases (*), tags (!) and '?' keys are not read here"))
    }

    static let bytes: [([UInt8], String)] = [
        (Array("a:\n  b: ".utf8) + [0xFF], "2: holds bytes that are not UTF-8: save the file as UTF-8"),
        ([0xFF, 0xFE, 0x61, 0x00], "1: holds bytes that are not UTF-8: save the file as UTF-8"),
        ([0xC0, 0x80], "1: holds bytes that are not UTF-8: save the file as UTF-8"),
        ([0xED, 0xA0, 0x80], "1: holds bytes that are not UTF-8: save the file as UTF-8"),
        (Array("\n\n\u{0}".utf8), "3: holds the invisible character U+0: remove it"),
        (Array("\r\n\r\n\u{2028}".utf8), "3: holds the invisible character U+2028: remove it"),
        (Array("a: \u{100026}".utf8), "1: holds the invisible character U+100026: remove it"),
    ]

    @Test("is not text at all", arguments: bytes)
    func notText(bytes: [UInt8], fault: String) {
        #expect(faults(bytes) == [fault])
    }

    @Test("is a file of more than a mebibyte")
    func tooLarge() {
        let told = faults([UInt8](repeating: 0x0A, count: 1_048_577))
        #expect(told == ["1: the file has 1048577 bytes; at most 1MiB are read"])
    }

    @Test("is a repeated key, told for as many as anyone mends by hand")
    func manyRepeats() {
        let yaml = (0..<20).map { "k\($0): 1\n" }.joined()
        let told = faults(yaml + yaml).filter { $0.contains("is set already") }
        #expect(told.count == 20)
        let more = (0..<100).map { "k\($0): 1\n" }.joined()
        #expect(faults(more + more).contains { $0.contains("is set more than once") })
    }
}
