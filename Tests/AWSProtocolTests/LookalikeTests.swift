import Testing

@testable import AWSProtocol

/// Swift compares strings by canonical equivalence, services compare code points (RFC 8259, section 8.3). A decision on
/// a request must be the service's.
@Suite("Texts that look alike are told apart")
struct LookalikeTests {
    /// Pairs that are equal by Swift's `==`.
    static let pairs = [
        ("\u{e9}", "e\u{301}"), ("K", "\u{212a}"), (";", "\u{37e}"), ("`", "\u{1fef}"), ("\u{c5}", "\u{212b}"),
    ]

    @Test("Members of a tree", arguments: pairs)
    func members(_ one: String, _ other: String) {
        let value = tree("{\"\(one)\":1,\"\(other)\":2}")
        #expect(value?[one]?.integer == 1)
        #expect(value?[other]?.integer == 2)
    }

    @Test("Trees", arguments: pairs)
    func trees(_ one: String, _ other: String) {
        #expect(tree("\"\(one)\"") != tree("\"\(other)\""))
        #expect(tree("{\"\(one)\":1}") != tree("{\"\(other)\":1}"))
    }

    @Test("Values of an enumeration", arguments: pairs)
    func enumeration(_ one: String, _ other: String) {
        let constraint = InputConstraint(member: "Status", kind: .string, values: ["x\(one)"])
        var allowance = MatchAllowance()
        #expect(constraint.violations(string: Array("x\(one)".utf8), &allowance).isEmpty)
        #expect(constraint.violations(string: Array("x\(other)".utf8), &allowance).count == 1)
    }

    @Test(
        "Values of a class, by the fast matcher and by the general one",
        arguments: ["^[A-Z]+$", "^([A-Z]+)$", "^(K|x)$"])
    func patterns(_ pattern: String) throws {
        let compiled = try Pattern(pattern)
        #expect(compiled.matches(Array("K".utf8)) == true)
        #expect(compiled.matches(Array("\u{212a}".utf8)) == false)
        #expect(compiled.matches(Array("K\u{301}".utf8)) == false)
    }
}
