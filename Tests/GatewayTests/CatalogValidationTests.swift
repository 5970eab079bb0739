import AWSProtocol
import Testing

@testable import Gateway

/// A model may lack values that its service takes: how much of it is enforced here is the catalog's choice.
@Suite("A catalog says how much of an input is judged")
struct CatalogValidationTests {
    private static func catalog(_ validation: String) throws -> Catalog {
        let text = """
            name: x
            signingName: x
            targetPrefix: X
            errorNamespace: x
            protocol: awsJson1_0
            \(validation)
            quotas: { default: { rate: 2 } }
            operations:
              ListThings:
                kind: page
                quota: default
                domain: Id
                input: { Id: Id!, Count: Count, Names: Names, Size: Size, Any: Any, Box: Box, Key: Key, When: When }
              DoThing:
                kind: write
                quota: default
                domain: Id
                invalidates: [domain]
                input: { Id: Id! }
            shapes:
              Id: { type: string, pattern: '[a-z]+', max: 3 }
              Kind: { type: string, values: [ZEBRA, APE, MOLE] }
              Count: { type: integer, min: 1, max: 9 }
              Names: { type: list, element: Kind, max: 1 }
              Size: { type: number }
              Any: { type: document }
              Key: { type: blob, min: 1, max: 3 }
              When: { type: timestamp }
              Box: { type: structure, members: { Inner: Id!, Size: Size, Any: Any } }
            """
        return try Catalog(yaml: Array(text.utf8))
    }

    private static func input(_ validation: String, _ body: String) throws -> OperationInput {
        let catalog = try catalog(validation)
        let operation = try #require(catalog.operations.first { $0.name == "ListThings" })
        let bytes = Array(body.utf8)
        return try OperationInput(bytes.span, of: operation)
    }

    private static func fault(_ validation: String, _ body: String) throws -> OperationInput.Fault? {
        do {
            _ = try input(validation, body)
            return nil
        } catch let fault as OperationInput.Fault {
            return fault
        }
    }

    private static let values = [
        #"{"Id":"UPPER"}"#, #"{"Id":"toolong"}"#, #"{"Id":"a","Count":0}"#, #"{"Id":"a","Names":["OTHER"]}"#,
        #"{"Id":"a","Names":["APE","APE"]}"#, #"{"Id":"a","Key":"AAAAAA"}"#, #"{"Id":"a","Box":{"Inner":"UPPER"}}"#,
    ]
    private static let types = [
        #"{"Id":7}"#, #"{"Id":"a","Count":"1"}"#, #"{"Id":"a","Count":true}"#, #"{"Id":"a","Names":[7]}"#,
        #"{"Id":"a","Size":"large"}"#, #"{"Id":"a","Box":{"Inner":7}}"#, #"{"Id":"a","Key":7}"#,
        #"{"Id":"a","When":true}"#,
    ]
    private static let missing = ["{}", #"{"Id":null}"#, #"{"Id":"a","Box":{}}"#]

    /// Whether it is the member of the input itself that is of another type, or missing.
    private static func isOutermost(_ body: String) -> Bool { !body.contains("Box") && !body.contains("Names") }

    @Test(
        "full, and a catalog that says nothing: values, types and required members",
        arguments: ["", "validation: full"])
    func full(_ validation: String) throws {
        for body in Self.values + Self.missing {
            guard case .validation = try Self.fault(validation, body) else {
                Issue.record("not refused: \(body)")
                continue
            }
        }
        for body in Self.types {
            guard case .serialization = try Self.fault(validation, body) else {
                Issue.record("not refused: \(body)")
                continue
            }
        }
    }

    @Test("types: JSON types and required members, no value")
    func types() throws {
        for body in Self.values {
            #expect(try Self.fault("validation: types", body) == nil, "\(body)")
            #expect(try !Self.input("validation: types", body).hasUnknownMembers)
        }
        for body in Self.missing {
            guard case .validation = try Self.fault("validation: types", body) else {
                Issue.record("not refused: \(body)")
                continue
            }
        }
        for body in Self.types {
            guard case .serialization = try Self.fault("validation: types", body) else {
                Issue.record("not refused: \(body)")
                continue
            }
        }
    }

    @Test("off: the service judges, and what is not of the model's types goes to it as it came")
    func off() throws {
        for body in Self.values {
            #expect(try !Self.input("validation: off", body).hasUnknownMembers, "\(body)")
        }
        for body in Self.types + Self.missing {
            #expect(try Self.input("validation: off", body).hasUnknownMembers == Self.isOutermost(body), "\(body)")
        }
        // Two readers could read it differently.
        guard case .serialization = try Self.fault("validation: off", #"{"Id":"a","Id":"b"}"#) else {
            Issue.record("not refused")
            return
        }
    }

    @Test("Another word is refused where it stands")
    func otherWord() throws {
        let error = #expect(throws: CatalogError.self) { try Self.catalog("validation: some") }
        #expect(error?.description == "line 6: validation: must be one of full, types, off")
    }

    @Test(
        "A document is any JSON, null too",
        arguments: ["1", "\"x\"", "true", "null", "[1,null]", #"{"a":{"b":[]}}"#])
    func documents(_ value: String) throws {
        for body in [#"{"Any":\#(value),"Id":"a"}"#, #"{"Box":{"Any":\#(value),"Inner":"a"},"Id":"a"}"#] {
            let input = try Self.input("", body)
            #expect(!input.hasUnknownMembers)
            #expect(String(decoding: input.canonicalBody, as: UTF8.self) == body)
        }
    }

    @Test("A number may be NaN or an infinity, as strings", arguments: ["NaN", "Infinity", "-Infinity"])
    func numbers(_ value: String) throws {
        for body in [#"{"Id":"a","Size":"\#(value)"}"#, #"{"Box":{"Inner":"a","Size":"\#(value)"},"Id":"a"}"#] {
            #expect(String(decoding: try Self.input("", body).canonicalBody, as: UTF8.self) == body)
        }
    }

    @Test("Other strings are no numbers", arguments: ["nan", "inf", "+Infinity", "1", ""])
    func otherStrings(_ value: String) throws {
        let expected = OperationInput.Fault.serialization("Member 'Size' must be of type number.")
        #expect(try Self.fault("", #"{"Id":"a","Size":"\#(value)"}"#) == expected)
    }

    /// Values of one member that one service or another may read as different ones: each has a page of its own, or none.
    private static let spellings: [String: [String]] = [
        "Size": ["1", "1.0", "1e0", "10e-1", "1.00", #""NaN""#, #""Infinity""#, #""-Infinity""#],
        "Count": ["1", "1.0", "1e0", "10e-1", "2"],
        "When": [
            "1700000000", "1700000000.0", "1.7e9", #""1700000000""#, #""2023-11-14T22:13:20Z""#,
            #""2023-11-14T22:13:20.000Z""#, #""Tue, 14 Nov 2023 22:13:20 GMT""#, #""2023-11-14T23:13:20+01:00""#,
        ],
        "Key": [#""AA==""#, #""AA""#, #""AB==""#, #""AA-_""#, #""AA+/""#],
        "Any": ["1", "1.0", "null", #""1""#, "[1]", "[1.0]", #"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#, "true"],
        "Box": [
            #"{"Inner":"a"}"#, #"{"Inner":"a","Size":1}"#, #"{"Inner":"a","Size":1.0}"#, #"{"Inner":"a","Any":null}"#,
        ],
    ]

    @Test(
        "No two spellings that a service may tell apart have one page",
        arguments: ["", "validation: types", "validation: off"])
    func keys(_ validation: String) throws {
        for (member, values) in Self.spellings {
            let inputs = try values.map { try Self.input(validation, #"{"Id":"a","\#(member)":\#($0)}"#) }
            let pages = inputs.filter { !$0.hasUnknownMembers }.map(\.canonicalBody)
            #expect(Set(pages).count == pages.count, "\(member)")
            #expect(pages.count == (member == "Count" ? 2 : values.count), "\(member)")
        }
    }

    @Test("The values of an enumeration stand in the model's order")
    func order() throws {
        guard case .validation(let message) = try Self.fault("", #"{"Id":"a","Names":["OTHER"]}"#) else {
            Issue.record("not refused")
            return
        }
        #expect(message.contains("enum value set: [ZEBRA, APE, MOLE]"))
    }
}
