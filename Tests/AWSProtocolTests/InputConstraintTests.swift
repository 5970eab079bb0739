import Testing

@testable import AWSProtocol

@Suite("Violations are worded as AWS words them")
struct InputConstraintTests {
    private static let failed = "failed to satisfy constraint: Member must"

    private func found(_ constraint: InputConstraint, _ value: String) -> [String] {
        var allowance = MatchAllowance()
        return constraint.violations(string: Array(value.utf8), &allowance)
    }

    @Test("A pattern is quoted with the value")
    func pattern() throws {
        let constraint = InputConstraint(
            member: "DomainId", kind: .string, pattern: try Pattern("^[a-zA-Z0-9]{22}$"))
        let violations = found(constraint, "x!")
        #expect(
            InputConstraint.message(violations)
                == "1 validation error detected: Value 'x!' at 'domainId' failed to satisfy constraint: "
                + "Member must satisfy regular expression pattern: ^[a-zA-Z0-9]{22}$")
        #expect(found(constraint, "abcdefghijABCDEFGHIJ01").isEmpty)
    }

    @Test("A missing member is a violation only if it is required")
    func missing() {
        var constraint = InputConstraint(member: "DomainId", kind: .string, isRequired: true)
        #expect(constraint.missing() == ["Value null at 'domainId' \(Self.failed) not be null"])
        constraint.isRequired = false
        #expect(constraint.missing().isEmpty)
    }

    @Test(
        "Lengths are counted in characters, both bounds included",
        arguments: [
            ("", "greater than or equal to 2"), ("a", "greater than or equal to 2"), ("ab", nil), ("abc", nil),
            ("abcd", "less than or equal to 3"), ("é", "greater than or equal to 2"), ("éé", nil), ("日本語", nil),
            ("日本語x", "less than or equal to 3"),
        ] as [(String, String?)])
    func lengths(_ value: String, _ bound: String?) {
        let constraint = InputConstraint(member: "NextToken", kind: .string, minimum: 2, maximum: 3)
        let expected = bound.map { ["Value '\(value)' at 'nextToken' \(Self.failed) have length \($0)"] } ?? []
        #expect(found(constraint, value) == expected)
    }

    @Test(
        "Numbers are bounded, both bounds included",
        arguments: [
            (0, "greater than or equal to 1"), (1, nil), (100, nil), (101, "less than or equal to 100"),
            (Int64.min, "greater than or equal to 1"), (Int64.max, "less than or equal to 100"),
        ] as [(Int64, String?)])
    func numbers(_ value: Int64, _ bound: String?) {
        let constraint = InputConstraint(member: "MaxResults", kind: .integer, minimum: 1, maximum: 100)
        let expected = bound.map { ["Value '\(value)' at 'maxResults' \(Self.failed) have value \($0)"] } ?? []
        #expect(constraint.violations(integer: value) == expected)
    }

    @Test("An enumeration lists its values")
    func enumeration() {
        let constraint = InputConstraint(member: "JobStatus", kind: .string, values: ["SUBMITTED", "FAILED"])
        let set = "Value 'done' at 'jobStatus' \(Self.failed) satisfy enum value set: [SUBMITTED, FAILED]"
        #expect(found(constraint, "done") == [set])
        #expect(found(constraint, "FAILED").isEmpty)
        #expect(found(constraint, "failed").count == 1)
        #expect(found(constraint, "").count == 1)
    }

    @Test("Several violations are counted and joined")
    func several() throws {
        let constraint = InputConstraint(
            member: "DomainId", kind: .string, minimum: 22, maximum: 22, pattern: try Pattern("^[a-z]{22}$"))
        let message = InputConstraint.message(found(constraint, "A"))
        let value = "Value 'A' at 'domainId' \(Self.failed)"
        #expect(message.hasPrefix("2 validation errors detected: \(value) "))
        let parts = Set(
            message.dropFirst("2 validation errors detected: ".count).split(separator: "; ").map(String.init))
        #expect(
            parts == [
                "\(value) satisfy regular expression pattern: ^[a-z]{22}$",
                "\(value) have length greater than or equal to 22",
            ])
    }

    @Test("A sensitive value is not repeated")
    func sensitive() {
        let constraint = InputConstraint(member: "SpeakerId", kind: .string, maximum: 3, isSensitive: true)
        let violations = found(constraint, "secret")
        #expect(violations.count == 1)
        #expect(violations.allSatisfy { !$0.contains("secret") && $0.contains("at 'speakerId' \(Self.failed)") })
    }

    @Test(
        "A kind accepts its own tokens alone",
        arguments: [
            (InputConstraint.Kind.string, "\"\""), (.integer, "1"), (.number, "1.5"), (.boolean, "true"),
            (.boolean, "false"), (.list, "[]"), (.structure, "{}"), (.blob, "\"\""), (.timestamp, "\"\""),
        ])
    func kinds(_ kind: InputConstraint.Kind, _ own: String) throws {
        for text in ["\"\"", "1", "1.5", "true", "false", "[]", "{}", "null"] {
            let token = try JSONReader.value(of: Array(text.utf8).span)
            let isNumeric = [.integer, .number, .timestamp].contains(kind) && (text == "1" || text == "1.5")
            let isBoolean = kind == .boolean && (text == "true" || text == "false")
            #expect(kind.accepts(token.kind) == (text == own || isNumeric || isBoolean), "\(text)")
        }
    }
}
