import AWSProtocol
import Testing

@testable import Gateway

/// A catalog's shapes refer to each other, and so do a model's: what is made of them must not be as large as the number of ways
/// through them.
@Suite("Shapes inside shapes are read once each", .timeLimit(.minutes(1)))
struct CatalogShapeTests {
    private static func catalog(_ shapes: [String]) throws -> Catalog {
        let text = """
            name: x
            signingName: x
            targetPrefix: X
            errorNamespace: x
            protocol: awsJson1_0
            quotas: { default: { rate: 2 } }
            operations: { DoThing: { kind: write, quota: default, input: { Top: S0 } } }
            shapes:
            \(shapes.map { "  \($0)" }.joined(separator: "\n"))
            """
        return try Catalog(yaml: Array(text.utf8))
    }

    private static func message(_ shapes: [String]) -> String? {
        do {
            _ = try catalog(shapes)
            return nil
        } catch { return (error as? CatalogError)?.description }
    }

    /// Structures with members that are all of the next kind.
    private static func fan(depth: Int, width: Int) -> [String] {
        (0..<depth).map { level in
            let members = (0..<width).map { "M\($0): S\(level + 1)" }.joined(separator: ", ")
            return "S\(level): { type: structure, members: { \(members) } }"
        } + ["S\(depth): { type: string, max: 3 }"]
    }

    @Test("Structures that fan out ten wide and forty deep")
    func fanOut() throws {
        let operation = try #require(try Self.catalog(Self.fan(depth: 40, width: 10)).operations.first)
        #expect(operation.input.first?.members.count == 10)
        let body = Array(#"{"Top":{"M3":{"M9":{}}}}"#.utf8)
        #expect(throws: Never.self) { try OperationInput(body.span, of: operation) }
    }

    @Test("The order in which shapes stand makes no difference")
    func order() throws {
        let shapes = Self.fan(depth: 10, width: 3)
        #expect(try Self.catalog(shapes) == Self.catalog(shapes.reversed()))
    }

    @Test(
        "Shapes that are inside themselves are refused where they are",
        arguments: [
            (["S0: { type: structure, members: { A: S0 } }"], "line 9: A: 'S0' is inside itself"),
            (
                ["S0: { type: list, element: S1 }", "S1: { type: list, element: S0 }"],
                "line 10: element: 'S0' is inside itself"
            ),
        ])
    func recursion(_ shapes: [String], _ message: String) { #expect(Self.message(shapes) == message) }

    @Test("Shapes that are deeper inside each other than any model's are refused, from whichever end they are read")
    func deep() {
        #expect(Self.message(Self.fan(depth: 60, width: 1)) == nil)
        for shapes in [Self.fan(depth: 70, width: 1), Self.fan(depth: 70, width: 1).reversed()] {
            #expect(Self.message(shapes)?.contains("more than 64 deep") == true)
        }
        #expect(Self.message(Self.fan(depth: 20_000, width: 1))?.contains("more than 64 deep") == true)
    }
}
