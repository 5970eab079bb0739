import Foundation
import TestSupport
import Testing

@testable import AWSProtocol

/// A value, and true if a pattern matches it.
struct PatternRow: Sendable, CustomTestStringConvertible {
    let pattern: String
    let value: String
    let matches: Bool

    var testDescription: String { "\(pattern) '\(value.prefix(60))'" }
}

@Suite("Patterns of the service model match whole values")
struct PatternTests {
    static let id = "^[a-zA-Z0-9]{22}$"
    static let name = "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"
    static let fraudster = "^id#[a-zA-Z0-9]{22}$"
    static let session = "^(id#[a-zA-Z0-9]{22}|[a-zA-Z0-9][a-zA-Z0-9_-]*)$"
    static let token = #"^\p{ASCII}{0,8192}$"#
    static let clientToken = "^[a-zA-Z0-9-_]+$"
    static let text = #"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"#
    static let arn = "^arn:aws(-[^:]+)?:voiceid.+:[0-9]{12}:domain/[a-zA-Z0-9]{22}$"
    static let role = "^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$"
    static let all = [id, name, fraudster, session, token, clientToken, text, arn, role]
    private static let an = "abcdefghijABCDEFGHIJ01"

    private static let idGood: [String] = [
        an
    ]
    private static let idBad: [String] = [
        an + "2",
        String(an.dropLast()),
        "",
        String(an.dropLast()) + "-",
        String(an.dropLast()) + "é",
        an + "\n",
        "\nabcdefghijABCDEFGHIJ01",
        String(an.dropLast()) + "\0",
    ]
    private static let nameGood: [String] = [
        "a",
        "9_-",
    ]
    private static let nameBad: [String] = [
        "-a",
        "_a",
        "",
        "a b",
        "a.b",
    ]
    private static let fraudsterGood: [String] = [
        "id#abcdefghijABCDEFGHIJ01"
    ]
    private static let fraudsterBad: [String] = [
        an,
        "ID#abcdefghijABCDEFGHIJ01",
        "id#abcdefghijABCDEFGHIJ01x",
    ]
    private static let sessionGood: [String] = [
        "id#abcdefghijABCDEFGHIJ01",
        "call-7_x",
    ]
    private static let sessionBad: [String] = [
        "id#short",
        "",
        "#x",
    ]
    private static let tokenGood: [String] = [
        "",
        "a\n\0\u{7f}b",
        String(repeating: "x", count: 8192),
    ]
    private static let tokenBad: [String] = [
        "é",
        String(repeating: "x", count: 8193),
    ]
    private static let clientTokenGood: [String] = [
        "a-b_C9",
        "-",
    ]
    private static let clientTokenBad: [String] = [
        "",
        "a+b",
    ]
    private static let textGood: [String] = [
        "",
        "Größe 7: a/b=c+d-e%@_.",
        "日本 ٣",
    ]
    private static let textBad: [String] = [
        "a!b",
        "a\tb",
        "a\\b",
    ]
    private static let arnGood: [String] = [
        "arn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ01",
        "arn:aws-cn:voiceid:cn-north-1:123456789012:domain/abcdefghijABCDEFGHIJ01",
    ]
    private static let arnBad: [String] = [
        "arn:aws-:voiceid:x:123456789012:domain/abcdefghijABCDEFGHIJ01",
        "arn:aws:voiceid:us-east-1:12345678901:domain/abcdefghijABCDEFGHIJ01",
        "arn:aws:s3:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ01",
        "xarn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ01",
        "arn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ01/x",
    ]
    private static let roleGood: [String] = [
        "arn:aws:iam::123456789012:role/a/b",
        "arn:aws-us-gov:iam::123456789012:role/x",
    ]
    private static let roleBad: [String] = [
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam:x:123456789012:role/a",
    ]

    private static func rows(_ pattern: String, _ good: [String], _ bad: [String]) -> [PatternRow] {
        good.map { PatternRow(pattern: pattern, value: $0, matches: true) }
            + bad.map { PatternRow(pattern: pattern, value: $0, matches: false) }
    }

    private static let modelled: [PatternRow] = [
        rows(id, idGood, idBad),
        rows(name, nameGood, nameBad),
        rows(fraudster, fraudsterGood, fraudsterBad),
        rows(session, sessionGood, sessionBad),
        rows(token, tokenGood, tokenBad),
        rows(clientToken, clientTokenGood, clientTokenBad),
        rows(text, textGood, textBad),
        rows(arn, arnGood, arnBad),
        rows(role, roleGood, roleBad),
    ].flatMap { $0 }

    @Test("A value matches as the model says", arguments: modelled)
    func asModelled(_ row: PatternRow) throws {
        #expect(try Pattern(row.pattern).matches(Array(row.value.utf8)) == row.matches)
    }

    @Test("ASCII values match as NSRegularExpression matches them in full", arguments: all)
    func generated(_ pattern: String) throws {
        try Self.compare(pattern, alphabet: Array("aZ09_-#.:/= \n!@").map(String.init), seed: 41)
    }

    @Test("Values beyond ASCII match as NSRegularExpression matches them in full", arguments: all)
    func beyondASCII(_ pattern: String) throws {
        try Self.compare(pattern, alphabet: ["a", "Z", "7", "-", "é", "日", "😀", "\u{ff}", "٣", "\u{a0}"], seed: 42)
    }

    private static let beyondCharacters: [(pattern: String, value: String)] = [
        (text, "e\u{301}"),
        (text, "a\u{200d}"),
        (text, "\u{1f1e6}\u{1f1e7}"),
        (text, "a\r\nb"),
        (session, "\u{212a}"),
        (session, "a\u{301}"),
        (session, "a\u{200d}b"),
        (arn, "arn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ0\u{212a}"),
        (arn, "arn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ0a\u{301}"),
        (role, "arn:aws:iam::123456789012:role/a\u{301}"),
        (role, "arn:aws:iam::123456789012:role/a\nb"),
        (role, "arn:aws:iam::123456789012:role/\r\n"),
        (role, "arn:aws:iam::123456789012:role/\u{85}"),
    ]

    /// The service matches scalars, so a value must not match because its characters combine to another one.
    @Test("Marks, look-alikes and line ends match as NSRegularExpression matches them", arguments: beyondCharacters)
    func scalars(_ pattern: String, _ value: String) throws {
        let found = try Pattern(pattern).matches(Array(value.utf8))
        // Notations differ on `.` here.
        let isUndecided = pattern == Self.role && value.hasSuffix("\r\n") || value.hasSuffix("\u{85}")
        #expect(try found == (isUndecided ? nil : Self.reference(pattern, value)))
    }

    @Test(
        "Counts, classes and their edges match as NSRegularExpression matches them",
        arguments: [
            "^[a-z]{2}$", "^[a-z]{2,}$", "^[a-z]{1,}$", "^[a-z]{0,3}$", "^a?$", "^a+$", "^a*$", "^[a-]$", "^[-a]$",
            "^[.a]$", "^[^a]$", "^a{2}b*$", "^a*b*$", "^a*a$", "^.a$", "^a|b$", "a", "^(a|b)$", "^$", "^a{0}$",
            "^[a-c-]+$",
            "^a-b$", "^a{1,2}?$", "[a-c]+", "(a|b)+", #"^[\w.]+$"#, #"^[\.-9]+$"#, #"[ -\.0-\[]+"#,
            #"^[a\-c]+$"#,
            #"a\.b"#, #"^\s?[-.]\d*$"#, "^[a-b-c]+$", "^[^-a]+$", #"^\d+$"#, #"^\w{2}$"#, #"^a\.b$"#, "^[a b]+$",
            "^a{2,3}$",
        ])
    func forms(_ pattern: String) throws {
        let compiled = try Pattern(pattern)
        let alphabet = ["a", "b", "c", "-", ".", " ", "1"]
        var values = [""]
        for _ in 0..<3 { values += values.flatMap { value in alphabet.map { value + $0 } } }
        let different = try Set(values + ["aaaa", "abcd", "aaaaaaa"]).filter { value in
            try compiled.matches(Array(value.utf8)) != Self.reference(pattern, value)
        }
        #expect(different.isEmpty, "\(different.count) values, such as \(different.sorted().prefix(3))")
    }

    @Test(
        "A text that is no regular expression is refused", arguments: ["^[a$", "(", "^a)$", "*", "^[z-a]$", "^a{2,1}$"])
    func malformed(_ pattern: String) {
        #expect(throws: PatternError(text: pattern)) { try Pattern(pattern) }
    }

    private static func compare(_ pattern: String, alphabet: [String], seed: UInt64) throws {
        let compiled = try Pattern(pattern)
        let expression = try NSRegularExpression(pattern: pattern)
        let good = [
            an, "id#abcdefghijABCDEFGHIJ01", "name-7", "",
            "arn:aws:voiceid:us-east-1:123456789012:domain/abcdefghijABCDEFGHIJ01",
            "arn:aws-cn:iam::123456789012:role/path/name",
        ]
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var value = Array(good.randomElement(using: &random) ?? "").map(String.init)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let place = Int.random(in: 0...value.count, using: &random)
                let piece = alphabet.randomElement(using: &random) ?? ""
                if place < value.count, Bool.random(using: &random) { value.remove(at: place) }
                if Bool.random(using: &random) { value.insert(piece, at: min(place, value.count)) }
            }
            let text = value.joined()
            let expected = full(expression, text)
            #expect(compiled.matches(Array(text.utf8)) == expected, "'\(text)'")
        }
    }

    private static func reference(_ pattern: String, _ value: String) throws -> Bool {
        full(try NSRegularExpression(pattern: pattern), value)
    }

    private static func full(_ expression: NSRegularExpression, _ value: String) -> Bool {
        let whole = NSRange(location: 0, length: value.utf16.count)
        return expression.firstMatch(in: value, options: .anchored, range: whole)?.range == whole
    }

    @Test("Categories of characters are those of the general engine, for every plane's characters")
    func categories() throws {
        let run = try #require(try ClassRun(Self.text))
        let general = try #require(try LimitedExpression(Self.text))
        for code in (0..<0x3_0000 as Range<UInt32>).filter({ $0 < 0x500 || $0 % 37 == 0 }) {
            // Debian's PCRE2 knows Unicode 14; later characters have no category in it.
            guard let scalar = Unicode.Scalar(code), scalar.properties.age?.major ?? 0 <= 14 else { continue }
            let value = Array("a\(Character(scalar))".utf8)
            #expect(run.matches(value) == general.matches(value, steps: 1000), "U+\(String(code, radix: 16))")
        }
    }
}
