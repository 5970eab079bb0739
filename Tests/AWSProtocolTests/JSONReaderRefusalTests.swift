import Testing

@testable import AWSProtocol

@Suite("JSON that another reader could understand differently is refused")
struct JSONReaderRefusalTests {
    @Test(
        "A malformed number is refused",
        arguments: [
            "01", "-01", "00", "+1", ".5", "1.", "-", "-.5", "1.e1", "1e", "1e+", "1E-", "0x10", "1_000", "Infinity",
            "-Infinity", "NaN", "1.5.5", "1e1.5", "--1", "٣", "1e1e1", "-a", "1 2",
        ])
    func numbers(_ text: String) {
        #expect(refusal(text) != nil)
        #expect(refusal("[\(text)]") != nil)
    }

    @Test(
        "An escape sequence that means no character is refused",
        arguments: [
            #"\a"#, #"\'"#, #"\0"#, #"\x41"#, #"\U0041"#, #"\u"#, #"\u004"#, #"\u00g0"#, #"\u+041"#, #"\u 041"#,
            #"\u-041"#, #"\v"#, #"\ "#, #"\é"#,
        ])
    func escapes(_ escape: String) {
        #expect(refusal("\"\(escape)\"") == .invalidEscape)
    }

    @Test(
        "Half a surrogate pair is refused",
        arguments: [
            #"\ud800"#, #"\udbff"#, #"\udc00"#, #"\udfff"#, #"\ud800x"#, #"\ud800\n"#, #"\ud800\u0041"#,
            #"\ud800\ud800"#, #"\udc00\ud800"#, #"\ud800 \udc00"#, #"\ud83d\ude0"#, #"\ud83d\\ude00"#,
            #"\ud800\ud800\udc00"#,
        ])
    func surrogates(_ escape: String) {
        #expect(refusal("\"\(escape)\"") == .invalidEscape)
    }

    @Test("A control character inside a string is refused", arguments: UInt8(0)..<0x20)
    func controls(_ byte: UInt8) {
        #expect(refusal([0x22, byte, 0x22]) == .controlCharacter)
    }

    @Test(
        "Structure that the grammar lacks is refused",
        arguments: [
            "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1,,2]", "{\"a\"}", "{\"a\":}",
            "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:1}", "{null:1}",
            "{\"a\"::1}", "[}", "{]", "{\"a\":1]", "\"", "\"a", "\"\\", "\"\\\"", "'a'", "tru", "True", "TRUE",
            "nul", "nulll", "falsee", "// c\n1", "/* c */1", "1// c", "#", "\u{b}1", "\u{c}1", "\u{a0}1", "\u{2028}1",
        ])
    func structure(_ text: String) {
        #expect(refusal(text) != nil)
    }

    @Test(
        "Text after the value is refused",
        arguments: ["{}{}", "{}x", "{} ,", "1 1", "null\0", "[]]", "{}}", "\"a\"\"b\"", "{}\u{feff}"])
    func trailing(_ text: String) {
        #expect(refusal(text) == .trailingText)
    }

    @Test("A byte order mark is refused (RFC 8259, section 8.1)")
    func byteOrderMark() {
        #expect(refusal([0xef, 0xbb, 0xbf] + Array("{}".utf8)) != nil)
        #expect(refusal([0xff, 0xfe, 0x7b, 0, 0x7d, 0]) == .invalidUTF8)
        #expect(refusal([0xfe, 0xff, 0, 0x7b, 0, 0x7d]) == .invalidUTF8)
        #expect(refusal([0x7b, 0, 0x7d, 0]) != nil)
    }

    @Test(
        "Bytes that are not UTF-8 are refused (RFC 3629)",
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc0, 0xaf], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe2, 0x82],
            [0xe0, 0x80, 0x80], [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xf0, 0x80, 0x80, 0x80],
            [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80],
            [0xf8, 0x88, 0x80, 0x80, 0x80],
            [0xfe], [0xff],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) {
        #expect(refusal([0x22] + bytes + [0x22]) == .invalidUTF8)
        #expect(refusal(Array("{\"".utf8) + bytes + Array("\":1}".utf8)) == .invalidUTF8)
        #expect(refusal(Array("{}".utf8) + bytes) == .invalidUTF8)
    }

    @Test(
        "A member that occurs twice in one object is refused, however it is spelt and however deep",
        arguments: [
            #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":2}"#, #"{"\u0061":1,"a":2}"#,
            #"{"\u0061":1,"\u0061":2}"#, #"{"é":1,"\u00e9":2}"#, #"{"\u00e9":1,"\u00E9":2}"#, #"{"/":1,"\/":2}"#,
            #"{"😀":1,"\ud83d\ude00":2}"#, #"{"":1,"":2}"#, #"{"x":{"a":1,"a":2}}"#, #"{"x":[{"a":1,"\u0061":2}]}"#,
            #"[[{"a":null,"a":null}]]"#, #"{"a":{},"b":[],"a":{}}"#,
        ])
    func duplicates(_ text: String) {
        #expect(refusal(text) == .duplicateMember)
    }

    @Test("A duplicate is found among many members, in every place", arguments: [15, 16, 17, 18, 64, 300])
    func manyMembers(_ count: Int) {
        let names = (0..<count).map { "\"n\($0)\":0" }
        for place in [0, count / 2, count - 1] {
            let spelt = "\"\\u006e\(place)\":0"
            #expect(refusal("{" + (names + ["\"n\(place)\":0"]).joined(separator: ",") + "}") == .duplicateMember)
            #expect(refusal("{" + (names + [spelt]).joined(separator: ",") + "}") == .duplicateMember)
            #expect(refusal("{" + ([spelt] + names).joined(separator: ",") + "}") == .duplicateMember)
        }
    }

    @Test("A name with escapes is decoded once, however many names it is told apart from")
    func longEscapedNames() throws {
        let names = (10..<26).map { "\"" + String(repeating: "\\u0061", count: 600) + "\($0)\"" }
        let text = Array("{\(names.map { $0 + ":0" }.joined(separator: ","))}".utf8)
        let array = Array("[\(names.joined(separator: ","))]".utf8)
        let tokens = try JSONReader.members(of: text.span).map(\.name)
        /// The minimum of several times, because other processes only add to them.
        func least(_ body: () throws -> Void) rethrows -> Duration {
            try (0..<5).map { _ in try ContinuousClock().measure(body) }.min() ?? .zero
        }
        let once = try least {
            _ = try JSONReader.value(of: array.span)
            for token in tokens { _ = token.string(in: text.span) }
        }
        // Decoding each name for each comparison would take six times as long.
        let together = try least { _ = try JSONReader.members(of: text.span) }
        #expect(together < once * 3)
    }

    @Test("A duplicate is found behind objects within the object, few members or many", arguments: [1, 16, 40])
    func aroundObjects(_ count: Int) {
        let inner = "{" + (0..<count).map { "\"n\($0)\":{\"n0\":0,\"z\":[{\"z\":0}]}" }.joined(separator: ",") + "}"
        let members = (0..<count).map { "\"n\($0)\":\(inner)" }.joined(separator: ",")
        #expect(refusal("{\(members)}") == nil)
        #expect(refusal("{\(members),\"z\":0}") == nil)
        #expect(refusal("{\(members),\"n0\":0}") == .duplicateMember)
        #expect(refusal("{\"z\":\(inner),\(members),\"z\":0}") == .duplicateMember)
        #expect(refusal("{\(members),\"z\":{\"a\":\(inner),\"a\":0}}") == .duplicateMember)
    }

    @Test("What may not stand in a string is found wherever it stands", arguments: 0..<20)
    func everyPlace(_ length: Int) {
        let neighbours: [UInt8] = [0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f]
        for neighbour in neighbours {
            for place in 0...length {
                var text = [UInt8](repeating: neighbour, count: length)
                #expect(refusal([0x22] + text + [0x22]) == nil)
                text.insert(0x1f, at: place)
                #expect(refusal([0x22] + text + [0x22]) == .controlCharacter)
                text[place] = UInt8(ascii: "\"")
                #expect(refusal([0x22] + text + [0x22]) == .trailingText)
                text[place] = UInt8(ascii: "\\")
                text.insert(UInt8(ascii: "n"), at: place + 1)
                #expect(refusal([0x22] + text + [0x22]) == nil)
                text[place + 1] = UInt8(ascii: "x")
                #expect(refusal([0x22] + text + [0x22]) == .invalidEscape)
            }
        }
    }

    @Test(
        "Names that only look alike are not duplicates",
        arguments: [#"{"a":1,"A":2}"#, #"{"a":1,"a ":2}"#, #"{"a":1,"\\u0061":2}"#, #"{"a":{"a":{"a":1}}}"#])
    func lookalikes(_ text: String) {
        #expect(refusal(text) == nil)
    }

    @Test("One level too many is refused, and a hundred thousand do not end the process")
    func depth() {
        for count in [JSONReader.maxDepth + 1, 100_000] {
            #expect(refusal(String(repeating: "[", count: count) + String(repeating: "]", count: count)) == .tooDeep)
            #expect(refusal(String(repeating: "{\"a\":", count: count)) == .tooDeep)
            #expect(memberRefusal(String(repeating: "{\"a\":", count: count))?.reason == .tooDeep)
        }
    }

    @Test("A request that is no object is refused", arguments: ["[]", "null", "1", "\"a\"", "true", " [{}] "])
    func notAnObject(_ text: String) {
        #expect(memberRefusal(text)?.reason == .notAnObject)
    }

    @Test("A refusal names the byte at which it was found")
    func offsets() {
        #expect(memberRefusal(#"{"a":1,"a":2}"#) == JSONError(reason: .duplicateMember, offset: 7))
        #expect(memberRefusal("{} x") == JSONError(reason: .trailingText, offset: 3))
        #expect(memberRefusal(#"{"a":?}"#) == JSONError(reason: .unexpectedCharacter, offset: 5))
    }
}
