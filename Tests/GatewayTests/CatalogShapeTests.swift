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

@Suite("A model becomes a catalog in time that grows with its size", .timeLimit(.minutes(1)))
struct ServiceModelTests {
    /// A model with one operation, whose input has a member of each of the named shapes.
    private static func catalog(_ input: [String], _ shapes: [String: String]) throws -> Catalog {
        let members = input.map { "\"\($0)Member\":{\"shape\":\"\($0)\"}" }.joined(separator: ",")
        let others = shapes.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        let text = """
            {"metadata":{"protocol":"json","jsonVersion":"1.0","targetPrefix":"X"},
             "operations":{"DoThing":{"name":"DoThing","input":{"shape":"DoThingRequest"}}},
             "shapes":{"DoThingRequest":{"type":"structure","members":{\(members)}},\(others)}}
            """
        let catalog = try ServiceModel(Array(text.utf8)).catalog
        return try Catalog(yaml: Array(catalog.replacing("validation: types", with: "validation: full").utf8))
    }

    private static func structure(_ members: [String]) -> String {
        let members = members.enumerated().map { "\"M\($0)\":{\"shape\":\"\($1)\"}" }.joined(separator: ",")
        return "{\"type\":\"structure\",\"members\":{\(members)}}"
    }

    @Test("Shapes that fan out ten wide")
    func fanOut() throws {
        var shapes = ["S30": "{\"type\":\"string\"}"]
        for level in 0..<30 { shapes["S\(level)"] = Self.structure([String](repeating: "S\(level + 1)", count: 10)) }
        let operation = try #require(try Self.catalog(["S0"], shapes).operations.first)
        #expect(operation.input.first?.members.count == 10)
    }

    @Test("Shapes that are inside themselves are not looked into, and those around them are")
    func recursion() throws {
        let shapes = [
            "Outer": Self.structure(["Name", "Tree"]), "Tree": Self.structure(["Name", "Branches"]),
            "Branches": "{\"type\":\"list\",\"member\":{\"shape\":\"Tree\"}}", "Self": Self.structure(["Self"]),
            "Name": "{\"type\":\"string\",\"max\":3}",
        ]
        let operation = try #require(try Self.catalog(["Outer", "Self"], shapes).operations.first)
        let outer = try #require(operation.input.first { $0.member == "OuterMember" })
        #expect(outer.members.map(\.member) == ["M0", "M1"])
        #expect(outer.members.map(\.maximum) == [3, nil])
        #expect(outer.members.last?.members.isEmpty == true)
        #expect(operation.input.first { $0.member == "SelfMember" }?.members.isEmpty == true)
    }

    @Test("Documents are any JSON, and an enumeration keeps the model's order")
    func kinds() throws {
        let shapes = [
            "Any": "{\"type\":\"structure\",\"members\":{},\"document\":true}",
            "Kind": "{\"type\":\"string\",\"enum\":[\"ZEBRA\",\"APE\",\"MOLE\"]}", "Size": "{\"type\":\"double\"}",
        ]
        let operation = try #require(try Self.catalog(["Any", "Kind", "Size"], shapes).operations.first)
        #expect(operation.input.map(\.kind) == [.document, .string, .number])
        #expect(operation.input[1].values == ["ZEBRA", "APE", "MOLE"])
    }

    @Test("A model's codes of the query protocol are kept: Receiver for a fault of the service")
    func queryErrors() throws {
        let text = """
            {"metadata":{"protocol":"other","protocols":["other","json"],"jsonVersion":"1.1","targetPrefix":"X",
              "awsQueryCompatible":{}},
             "operations":{"DoThing":{"name":"DoThing","input":{"shape":"In"}}},
             "shapes":{"In":{"type":"structure","members":{"A":{"shape":"S"}}},"S":{"type":"string"},"Gone":{"type":"structure","exception":true,"error":{"code":"X.Gone","httpStatusCode":404}},
              "Busy":{"type":"structure","exception":true,"fault":true,"error":{"code":"X.Busy"}},
              "Odd":{"type":"structure","exception":true,"error":{"code":"a b"}},
              "Plain":{"type":"structure","exception":true}}}
            """
        let catalog = try Catalog(yaml: Array(try ServiceModel(Array(text.utf8)).catalog.utf8))
        #expect(catalog.version == .awsJson1_1)
        #expect(catalog.queryErrors == ["Gone": "X.Gone;Sender", "Busy": "X.Busy;Receiver"])
    }

    @Test("Thousands of shapes in circles, and thousands in none")
    func many() throws {
        var shapes: [String: String] = ["Leaf": "{\"type\":\"string\"}"]
        for number in 0..<4000 {
            shapes["Ring\(number)"] = Self.structure(["Ring\((number + 1) % 4000)", "Leaf"])
            shapes["Flat\(number)"] = Self.structure(["Leaf", "Leaf"])
        }
        let flat = (0..<4000).map { "Flat\($0)" }
        let operation = try #require(try Self.catalog(flat + ["Ring7"], shapes).operations.first)
        #expect(operation.input.count == 4001)
        #expect(operation.input.first { $0.member == "Ring7Member" }?.members.isEmpty == true)
        #expect(operation.input.first { $0.member == "Flat7Member" }?.members.count == 2)
    }

    @Test(
        "What is inside itself is found, whatever it is reached from and whatever it reaches",
        arguments: [
            (["A": ["B"], "B": ["C"], "C": []], []), (["A": ["A"]], ["A"]),
            (["A": ["B", "B"], "B": ["A"], "C": ["A"]], ["A", "B"]),
            (["A": ["B"], "B": ["C", "B"], "C": ["Missing"]], ["B"]),
            (["A": ["B"], "B": ["C"], "C": ["D"], "D": ["B"]], ["B", "C", "D"]),
        ] as [([String: [String]], Set<String>)])
    func graph(_ inside: [String: [String]], _ expected: Set<String>) {
        #expect(ShapeGraph(inside: inside).recursive == expected)
    }
}
