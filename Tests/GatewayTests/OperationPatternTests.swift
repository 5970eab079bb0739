import Testing

@testable import Gateway

@Suite("Names of operations")
struct OperationPatternTests {
    @Test(
        "mean operations of one service, of some, or of all",
        arguments: [
            ("ListDomains", "voice-id", "ListDomains", true), ("ListDomains", "other", "ListDomains", true),
            ("List*", "voice-id", "ListDomains", true), ("List*", "voice-id", "DescribeDomain", false),
            ("voice-id:ListDomains", "voice-id", "ListDomains", true),
            ("voice-id:ListDomains", "voice", "ListDomains", false),
            ("voice-id:List*", "voice-id", "ListDomains", true), ("*:List*", "any", "ListDomains", true),
            ("voice*:*", "voice-id", "DeleteDomain", true), ("s?:Get", "s3", "Get", true),
            ("s?:Get", "s", "Get", false),
            (":List", "voice-id", "List", false), ("voice-id:", "voice-id", "List", false),
            ("a:b:c", "a", "b", false), ("", "a", "b", false),
        ])
    func matches(_ text: String, _ service: String, _ operation: String, _ expected: Bool) {
        let pattern = OperationPattern(text)
        #expect(pattern.matches(service: Array(service.utf8), operation: Array(operation.utf8)) == expected)
    }

    @Test(
        "match everything, or not",
        arguments: [("*", true), ("*:*", true), ("*:List*", false), ("a:*", false), ("", false)])
    func all(_ text: String, _ expected: Bool) { #expect(OperationPattern(text).matchesAll == expected) }

    @Test(
        "go from the exact to the general: a name before a pattern, with a service before without, longer before shorter",
        arguments: [
            ("one", "ListThings", 1), ("two", "ListThings", 2), ("one", "ListOthers", 3), ("one", "DescribeThing", 4),
            ("two", "ListOthers", 5), ("two", "ListJobs", 6), ("two", "DescribeThing", 7), ("one", "GetThing", 4),
            ("two", "GetThing", nil),
        ] as [(String, String, Int?)])
    func precedence(_ service: String, _ operation: String, _ value: Int?) {
        let rules: OperationRules<Int> = [
            "one:ListThings": 1, "ListThings": 2, "one:List*": 3, "one:*": 4, "*:ListO*": 5, "List*": 6, "Describe*": 7,
        ]
        #expect(rules.value(service: service, operation: operation) == value)
    }
}
