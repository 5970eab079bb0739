import AWSProtocol
import Testing

@testable import Gateway

/// Catalogs are written by people for about a hundred other operations: what cannot be meant is said, not guessed.
@Suite("A catalog that cannot be meant is refused")
struct CatalogMeaningTests {
    private static func text(
        quota: String = "{ rate: 2 }", operation: String = "kind: write, quota: default, invalidates: []",
        input: String = "{ Id: Id!, Filter: Words }", id: String = "{ type: string }"
    ) -> String {
        """
        name: x
        signingName: x
        targetPrefix: X
        errorNamespace: x
        protocol: awsJson1_0
        quotas: { default: \(quota) }
        operations: { DoThing: { \(operation), input: \(input) } }
        shapes: { Id: \(id), Words: { type: list }, More: { type: structure } }
        """
    }

    private static func fault(_ text: String) -> CatalogError? {
        do throws(CatalogError) {
            _ = try Catalog(yaml: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test("The one that the faults below are put into is good")
    func sound() { #expect(Self.fault(Self.text()) == nil) }

    @Test(
        "A protocol that is not spoken, or codes of errors that are none",
        arguments: [
            "awsJson2_0", "restJson1", "awsJson1_0\nqueryErrors: { A: B;Sender }", "awsJson1_0\nqueryCompatible: maybe",
            "awsJson1_1\nqueryCompatible: true\nqueryErrors: { A: B }",
            "awsJson1_1\nqueryCompatible: true\nqueryErrors: { A: B;Other }",
            "awsJson1_1\nqueryCompatible: true\nqueryErrors: { A: 'B C;Sender' }",
            "awsJson1_1\nqueryCompatible: true\nqueryErrors: { A: \"B\\r\\n;Sender\" }",
        ])
    func protocols(_ text: String) {
        let lines = text.split(separator: "\n").count
        #expect(Self.fault(Self.text().replacing("awsJson1_0", with: text))?.line == 4 + lines)
    }

    @Test("A service's version and its codes are known")
    func version() throws {
        let text = Self.text().replacing(
            "awsJson1_0", with: "awsJson1_1\nqueryCompatible: true\nqueryErrors: { A: B.C;Receiver }")
        let catalog = try Catalog(yaml: Array(text.utf8))
        #expect(catalog.version == .awsJson1_1)
        #expect(catalog.isQueryCompatible)
        #expect(catalog.queryErrors == ["A": "B.C;Receiver"])
    }

    @Test(
        "A group that holds nothing",
        arguments: ["{ rate: 2, burst: 0 }", "{ rate: 2, burst: -1 }"])
    func groups(_ quota: String) { #expect(Self.fault(Self.text(quota: quota))?.line == 6) }

    @Test(
        "An operation whose words name nothing that is there, or the wrong kind of member",
        arguments: [
            "kind: write, invalidates: [[domain]]", "kind: write, invalidates: [domain]",
            "kind: write, invalidates: [resource]", "kind: page, domain: Filter",
            "kind: page, defaults: { Filter: 100 }",
            "kind: page, kind: page",
        ])
    func operations(_ operation: String) {
        #expect(Self.fault(Self.text(operation: "quota: default, \(operation)"))?.line == 7)
    }

    @Test(
        "A shape that no value has, or that is only half understood",
        arguments: [
            "{ type: string, sensitive: maybe }", "{ type: string, values: [[A]] }", "{ type: string, min: 5, max: 4 }",
            "{ type: string, min: 1.5 }", "{ type: integer, pattern: a }",
        ])
    func shapes(_ shape: String) { #expect(Self.fault(Self.text(id: shape))?.line == 8) }

    @Test(
        "A list or structure has one canonical spelling too, so that spelling and spaces share one page",
        arguments: [
            (#"{"Id":"a","Filter":[ "x" , "\u0079" ]}"#, #"{"Filter":["x","y"],"Id":"a"}"#),
            (#"{"Id":"a","Filter":["\/"]}"#, #"{"Filter":["/"],"Id":"a"}"#),
            (#"{"Id":"a","Filter":[1,true,null,{ }]}"#, #"{"Filter":[1,true,null,{}],"Id":"a"}"#),
        ])
    func canonical(_ body: String, _ expected: String) throws {
        let catalog = try Catalog(yaml: Array(Self.text().utf8))
        let operation = try #require(catalog.operations.first)
        let bytes = Array(body.utf8)
        let input = try OperationInput(bytes.span, of: operation)
        #expect(String(decoding: input.canonicalBody, as: UTF8.self) == expected)
    }
}
