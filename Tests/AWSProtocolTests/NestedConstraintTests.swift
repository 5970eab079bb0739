import Testing

@testable import AWSProtocol

@Suite("What is inside structures and lists is held to the model too")
struct NestedConstraintTests {
    private static let failed = "failed to satisfy constraint: Member must"
    private static let tags = InputConstraint(
        member: "Tags", kind: .list, minimum: 0, maximum: 2,
        members: [
            InputConstraint(
                member: "member", kind: .structure,
                members: [
                    InputConstraint(member: "Key", kind: .string, isRequired: true, minimum: 1, maximum: 3),
                    InputConstraint(member: "Value", kind: .string, isRequired: true, maximum: 3, isSensitive: true),
                ])
        ])

    private func found(_ constraint: InputConstraint, _ text: String) throws -> [String] {
        var allowance = MatchAllowance()
        return try constraint.violations(of: JSONValue(Array(text.utf8)), &allowance)
    }

    private func lists(_ element: InputConstraint) -> InputConstraint {
        InputConstraint(member: "WatchlistIds", kind: .list, minimum: 1, maximum: 2, members: [element])
    }

    @Test("A member of a structure is named by its way")
    func structures() throws {
        let output = InputConstraint(
            member: "OutputDataConfig", kind: .structure,
            members: [
                InputConstraint(member: "KmsKeyId", kind: .string, minimum: 1),
                InputConstraint(member: "S3Uri", kind: .string, isRequired: true),
            ])
        #expect(try found(output, #"{"S3Uri":"s3://a","Unknown":[1]}"#).isEmpty)
        #expect(
            try found(output, #"{"KmsKeyId":"","S3Uri":null}"#) == [
                "Value '' at 'outputDataConfig.kmsKeyId' \(Self.failed) have length greater than or equal to 1",
                "Value null at 'outputDataConfig.s3Uri' \(Self.failed) not be null",
            ])
    }

    @Test("A member of a list's element is named with the element's number, from 1")
    func elements() throws {
        #expect(try found(Self.tags, #"[{"Key":"a","Value":"b"}]"#).isEmpty)
        #expect(try found(Self.tags, "[]").isEmpty)
        #expect(
            try found(Self.tags, #"[{"Key":"a","Value":"b"},{"Key":"abcd","Value":"abcd"}]"#) == [
                "Value 'abcd' at 'tags.2.member.key' \(Self.failed) have length less than or equal to 3",
                "Value at 'tags.2.member.value' \(Self.failed) have length less than or equal to 3",
            ])
        #expect(try found(Self.tags, "[{},{}]").count == 4)
        #expect(try found(Self.tags, "[null]") == ["Value null at 'tags.1.member' \(Self.failed) not be null"])
    }

    @Test("Of a list that is too long, no more elements are looked into than it may have")
    func long() throws {
        let many = "[" + [String](repeating: "{}", count: 5000).joined(separator: ",") + "]"
        let violations = try found(Self.tags, many)
        #expect(violations.first == "Value at 'tags' \(Self.failed) have length less than or equal to 2")
        #expect(violations.count == 1 + 2 * 2)
    }

    @Test("Of a list without a greatest length, as many faults are told as somebody may read")
    func endless() throws {
        var tags = Self.tags
        tags.maximum = nil
        let many = "[" + [String](repeating: "{}", count: 20_000).joined(separator: ",") + "]"
        #expect(try found(tags, many).count == 100)
        let numbers = lists(InputConstraint(member: "member", kind: .integer, maximum: 3))
        #expect(try found(numbers, "[4, 5]").count == 1)
        #expect(throws: WrongTypeError.self) { try found(numbers, #"[4, "5"]"#) }
        #expect(try found(numbers, "[3, 5.5]").isEmpty)
    }

    @Test("A list of texts is shown whole, with all that is asked of each")
    func texts() throws {
        let element = InputConstraint(
            member: "member", kind: .string, minimum: 1, maximum: 3, pattern: try Pattern("^[a-z]+$"))
        let rule =
            "satisfy constraint: [Member must have length less than or equal to 3, Member must have length "
            + "greater than or equal to 1, Member must satisfy regular expression pattern: ^[a-z]+$]"
        #expect(try found(lists(element), #"["abc"]"#).isEmpty)
        #expect(
            try found(lists(element), #"["A","","a"]"#) == [
                "Value '[A, , a]' at 'watchlistIds' \(Self.failed) have length less than or equal to 2",
                "Value '[A, , a]' at 'watchlistIds' \(Self.failed) \(rule)",
            ])
        #expect(
            try found(lists(element), "[]") == [
                "Value '[]' at 'watchlistIds' \(Self.failed) have length greater than or equal to 1"
            ])
        var secret = element
        secret.isSensitive = true
        #expect(try found(lists(secret), #"["ABC"]"#) == ["Value at 'watchlistIds' \(Self.failed) \(rule)"])
    }

    @Test(
        "A value of another type is found wherever it is",
        arguments: [
            ("{}", "Tags"), ("[1]", "Tags.1.member"), (#"[{"Key":"a","Value":"b"},{"Key":1}]"#, "Tags.2.member.Key"),
        ])
    func types(text: String, path: String) throws {
        let error = #expect(throws: WrongTypeError.self) { _ = try found(Self.tags, text) }
        #expect(error?.path == path)
    }

    @Test("A number that is not spelled as a whole one is the service's to judge")
    func integers() throws {
        let score = InputConstraint(member: "RiskThreshold", kind: .integer, minimum: 0, maximum: 100)
        #expect(try found(score, "100").isEmpty)
        #expect(try found(score, "101").count == 1)
        for text in ["1.0", "1e1", "101.0", "0.5", "99999999999999999999"] {
            #expect(try found(score, text).isEmpty, "\(text)")
        }
        #expect(throws: WrongTypeError.self) { _ = try found(score, "\"1\"") }
    }

    @Test("A blob's length is that of its bytes, and a text that is not base64 is the service's to judge")
    func blobs() throws {
        let blob = InputConstraint(member: "Key", kind: .blob, minimum: 2, maximum: 3)
        for text in ["AAA=", "AAA", "AAAA", "A", "AAAA=", "AA-_AA-_", "A A A A A A", "=", "AA=A"] {
            #expect(try found(blob, "\"\(text)\"").isEmpty, "\(text)")
        }
        let shown = "Value 'java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]' at 'key'"
        for text in ["AAAAAA==", "AAAAAA"] {
            #expect(
                try found(blob, "\"\(text)\"") == ["\(shown) \(Self.failed) have length less than or equal to 3"])
        }
        for text in ["", "AA==", "AA"] { #expect(try found(blob, "\"\(text)\"").count == 1, "\(text)") }
        #expect(throws: WrongTypeError.self) { _ = try found(blob, "7") }
        let list = InputConstraint(
            member: "Keys", kind: .list, members: [InputConstraint(member: "member", kind: .blob, maximum: 1)])
        #expect(
            try found(list, #"["AAAA"]"#) == [
                "Value at 'keys' \(Self.failed) satisfy constraint: [Member must have length less than or equal to 1]"
            ])
    }

    @Test(
        "A time is a number or a text, in whatever form",
        arguments: [
            "1700000000", "1.7e9", "-1.5", #""2023-11-14T22:13:20Z""#, #""Tue, 14 Nov 2023 22:13:20 GMT""#, #""soon""#,
        ])
    func times(_ text: String) throws {
        let time = InputConstraint(member: "After", kind: .timestamp)
        #expect(try found(time, text).isEmpty)
        for other in ["true", "[]", "{}"] {
            #expect(throws: WrongTypeError.self) { _ = try found(time, other) }
        }
    }
}
