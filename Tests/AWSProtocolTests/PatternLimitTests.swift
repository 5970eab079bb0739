import Foundation
import Testing

@testable import AWSProtocol

@Suite("Matching a pattern ends, whatever the value")
struct PatternLimitTests {
    /// The slowest patterns of the SDKs' models, each with the start and the repeated part of a hostile value.
    /// `Scripts/check-patterns` checks all patterns.
    static let hostile: [(pattern: String, start: String, piece: String)] = [
        (#"^(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])$"#, "", "a"),
        (#"^(([a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9\-]*[A-Za-z0-9])$"#, "", "a"),
        (#"[\p{L}\p{M}\p{S}\p{N}\p{P}]+@[\p{L}\p{M}\p{S}\p{N}\p{P}]+"#, "", "@"),
        (#"arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:certificate/[\w+=,.@-]+.*"#, "arn:", ":acm:="),
        (#"aws:opensearch:[0-9]{12}:*.*"#, "aws:opensearch:123456789012", ":"),
        (#"(https|s3)://([^/]+)/?(.*)"#, "https://", "a"), (#"https://([^/]+)/?.{3,1016}"#, "https://", "a"),
        (#"arn:(?:aws|aws-cn):(kms):[a-zA-Z-]+\d{1}:\d{12}:(key)\/.{1,2048}.*"#, "arn:aws-cn:kms:", "R"),
        (#"[a-zA-Z0-9]+[a-zA-Z0-9\.\-_]*"#, "", "F"), (#".*\S.*|^$"#, "", " "), (#".*[0-9a-z]+.*"#, "", "-"),
        (#"[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*"#, "", "{####}"),
        (#"arn:(aws[a-zA-Z0-9-]*):cassandra:.+.*"#, "arn:aws", "0"), (#"([a-zA-Z0-9]+-?)+"#, "", "a"),
        (#"^(?![0-9_])\w+$|^_\w*[a-zA-Z0-9]\w*$"#, "_", "_"), (#"[0-9a-z]+[0-9a-z\.\-]*[0-9a-z]+"#, "", "0"),
        (#"[ -\.0-\[\]-~]*[!-\.0-\[\]-~][ -\.0-\[\]-~]*"#, "", "~"), (#"[0-9]*.[0-9]*.[0-9]*"#, "", "1"),
        (#"[A-Za-z0-9-_=]+.[A-Za-z0-9-_=]+.[A-Za-z0-9-_=]+"#, "", "a"), (#"^(\w+-){2,3}\d+\w+$"#, "", "w"),
        (#"[A-Za-z0-9_.-].*/[A-Za-z0-9_.-].*"#, "", "/k"), (#"([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])*"#, "", "a"),
        (#"https://([^/]+)/?(.*)$|^[a-zA-Z0-9](-*[a-zA-Z0-9])*"#, "", "0"), (#"(arn:aws(-[\w]+)*:x)|(\w+)*"#, "", "w"),
        (#"(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+"#, "", "a"),
        (#"^([0-9a-zA-Z+/]{4})*(([0-9a-zA-Z+/]{2}==)|([0-9a-zA-Z+/]{3}=))?$"#, "", "/"), (#"(x+x+)+[yz]"#, "", "x"),
        (#"^((\w*)\s*(\w*)\s*\,\s*(\w*)\s*\,\s*\*?(\w*)\s*)$"#, "", "w"), (#"(.*)*\1"#, "", "ab"),
    ]

    /// 4 KiB that the pattern matches, and one character that it does not.
    private static func value(_ start: String, _ piece: String, end: String = "\u{1}") -> [UInt8] {
        let text = start + String(repeating: piece, count: 4096 / piece.utf8.count)
        return Array(text.utf8.prefix(4096 - end.utf8.count)) + Array(end.utf8)
    }

    /// The thread's processor time in milliseconds, which does not include other processes.
    private static func milliseconds(_ body: () -> Void) -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
        }
        return (0..<3).map { _ in
            let start = now()
            body()
            return now() - start
        }.min() ?? 0
    }

    @Test("4 KiB of hostile input take no more than a millisecond", arguments: hostile)
    func hostileValue(_ row: (pattern: String, start: String, piece: String)) throws {
        let pattern = try Pattern(row.pattern)
        for end in ["\u{1}", "!", "\n", ""] {
            let value = Self.value(row.start, row.piece, end: end)
            #expect(Self.milliseconds { _ = pattern.matches(value) } <= 1, "\(row.pattern) with '\(end)'")
        }
    }

    @Test("Where the steps do not suffice, the service decides")
    func undecided() throws {
        let pattern = try Pattern("(x+x+)+[yz]")
        #expect(pattern.matches(Array("xxy".utf8)) == true)
        #expect(pattern.matches(Array("xx".utf8)) == false)
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: 100)
        #expect(pattern.matches(value) == nil)
        var allowance = MatchAllowance()
        let constraint = InputConstraint(member: "Name", kind: .string, maximum: 10, pattern: pattern)
        // Other violations are still reported.
        #expect(constraint.violations(string: value, &allowance).count == 1)
    }

    @Test("Values of the length that names have are decided", arguments: hostile)
    func usual(_ row: (pattern: String, start: String, piece: String)) throws {
        // Each pattern takes exponential time.
        guard ![#"(x+x+)+[yz]"#, #"(.*)*\1"#, #"([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])*"#].contains(row.pattern) else {
            return
        }
        let text = row.start + String(repeating: row.piece, count: max(1, 16 / row.piece.utf8.count))
        #expect(try Pattern(row.pattern).matches(Array(text.utf8)) != nil, "\(row.pattern)")
    }

    @Test("A request with thousands of hostile values takes no more than ten of them do")
    func together() throws {
        let pattern = try Pattern("(x+x+)+[yz]")
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: 24)
        var decided = 0
        let time = Self.milliseconds {
            var allowance = MatchAllowance()
            for _ in 0..<10_000 { decided += pattern.matches(value, &allowance) == nil ? 0 : 1 }
        }
        #expect(decided == 0)
        let one = Self.milliseconds { _ = pattern.matches(value) }
        // The rest is the cost of the loop.
        #expect(time <= 11 * one + 20, "\(time) ms, one \(one) ms")
    }

    @Test("Many values that are not made to be hard are all decided")
    func honest() throws {
        let pattern = try Pattern(#"^(?!aws:)([\p{L}\p{N}_.:/=+\-@]+)$"#)
        var allowance = MatchAllowance()
        for number in 0..<400 {
            #expect(pattern.matches(Array("project-\(number)".utf8), &allowance) == true)
            #expect(pattern.matches(Array("aws:\(number)".utf8), &allowance) == false)
        }
    }

    @Test("A value that is longer than any member's is left to the service, unless its pattern is a run of classes")
    func long() throws {
        let value = [UInt8](repeating: UInt8(ascii: "a"), count: 65_536)
        #expect(try Pattern("(ab?)+").matches(value) == nil)
        #expect(try Pattern("^[a-z]+$").matches(value) == true)
    }
}

@Suite("Patterns are read as Java and ECMAScript read them")
struct PatternNotationTests {
    private static let rows: [(pattern: String, value: String, matches: Bool?)] = [
        // Whole values, with and without anchors (see `Pattern`).
        ("[a-z]+|x", "abc1", false), ("a|ab", "ab", true), ("(?:^a$)|b", "a", true), ("^a$", "a\n", false),
        // Escapes of UTF-16, and surrogate pairs.
        (#"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*|x"#, "a\u{1F600}é\n", true),
        (#"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*|x"#, "a\u{1}", false),
        (#"[\u0020-\uD7FF]*|x"#, "\u{1F600}", false), (#"(\u00e9|b)"#, "é", true),
        // POSIX classes by Java's names, and hyphens after classes.
        (#"(\p{Alnum}|-)+"#, "aZ-9", true), (#"(\p{Alnum}|-)+"#, "é", false), (#"([\p{Punct}a]|b)+"#, "!a", true),
        (#"(\P{ASCII}|b)+"#, "é", true), (#"(\P{ASCII}|b)+"#, "a", false), (#"([\w-.]|,)+"#, "a-.", true),
        (#"([\w-.]|,)+"#, "+", false), (#"(\p{L}|\p{Nd})+"#, "日٣", true),
        // Classes have only ASCII characters, and match code points, not grapheme clusters.
        (#"(\w|-)+"#, "é", false), (#"(\d|-)+"#, "٣", false), ("(é|.)", "e\u{301}", false),
        ("(..|x)", "e\u{301}", true),
        // Where notations differ, the result is `nil`.
        ("([a&&[b]]|c)", "a", nil), ("([a[b]]|c)", "a", nil), (#"(\p{LD}|a)"#, "a", nil), (#"(\uD800|a)"#, "a", nil),
        (#"(\Qa[\E)"#, "a[", nil), ("(*ACCEPT)a", "b", nil), ("([]a]|b)", "a", nil), ("(.|x)y", "\ry", nil),
        ("(.|x)y", "\u{2028}y", nil), ("(.|x)y", "\ny", false), ("(.|x)y", "\u{2013}y", true),
        ("a{100000}|b", "b", nil), (#"(\R|a)(?C1)"#, "a", true),
    ]

    @Test("A value matches, does not, or is left to the service", arguments: rows)
    func reading(_ row: (pattern: String, value: String, matches: Bool?)) throws {
        #expect(try Pattern(row.pattern).matches(Array(row.value.utf8)) == row.matches)
    }

    @Test("Bytes that are not UTF-8 are left to the service")
    func malformed() throws { #expect(try Pattern("(.|x)+").matches([0xff, 0x61]) == nil) }
}
