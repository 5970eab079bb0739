import AWSProtocol
import Gateway
import Testing

@testable import CatalogImport

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
        var importer = CatalogImporter()
        importer.validation = .full
        return try Catalog(yaml: Array(importer.catalog(ofModel: Array(text.utf8)).utf8))
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
        let catalog = try Catalog(yaml: Array(CatalogImporter().catalog(ofModel: Array(text.utf8)).utf8))
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
        "Shapes inside themselves are found, whatever reaches them and whatever they reach",
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
