import Testing

@testable import Gateway

@Suite("Patterns of names")
struct GlobTests {
    @Test(
        "match whole names",
        arguments: [
            ("*", "", true), ("*", "anything", true), ("", "", true), ("", "a", false), ("a", "a", true),
            ("a", "ab", false), ("a", "A", false), ("List*", "ListDomains", true), ("List*", "List", true),
            ("List*", "XList", false), ("*Domains", "ListDomains", true), ("*Domains", "ListDomainsX", false),
            ("*o*i*", "ListDomains", true), ("a*b*c", "aXbXbXc", true), ("a*b*c", "aXbXbX", false), ("?", "", false),
            ("?", "a", true), ("??", "a", false), ("a?c", "abc", true), ("**", "", true), ("*a", "aaab", false),
            ("*a*", "bbb", false), ("[a]", "a", false), ("[a]", "[a]", true), ("é*", "école", true),
        ])
    func table(pattern: String, name: String, matches: Bool) {
        #expect(Glob(pattern).matches(Array(name.utf8)) == matches)
    }

    @Test("do not take long, however many stars they have")
    func effort() {
        let pattern = Glob(String(repeating: "*a", count: 2000) + "b")
        #expect(!pattern.matches([UInt8](repeating: UInt8(ascii: "a"), count: 4000)))
    }
}
