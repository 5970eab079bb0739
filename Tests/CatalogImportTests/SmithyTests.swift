import AWSProtocol
import Gateway
import Testing

@testable import CatalogImport

@Suite("A Smithy model makes the same catalog as one of the older notation")
struct SmithyTests {
    private static let smithy = Array(
        #"""
        {"smithy":"2.0","metadata":{"suppressions":[]},"shapes":{
        "com.example#Things":{"type":"service","version":"2030-01-01","operations":[{"target":"com.example#ListThings"}],
          "resources":[{"target":"com.example#Part"}],
          "traits":{"aws.api#service":{"sdkId":"Test Things","endpointPrefix":"things"},"aws.auth#sigv4":{"name":"things"},
            "aws.protocols#awsJson1_1":{},"aws.protocols#awsQueryCompatible":{},
            "smithy.api#paginated":{"inputToken":"nextToken","outputToken":"nextToken","pageSize":"size"}}},
        "com.example#Part":{"type":"resource","create":{"target":"com.example#CreateThing"},"read":{"target":"com.example#GetThing"},
          "operations":[{"target":"com.example#TestThing"}],"resources":[{"target":"com.example#Part"}]},
        "com.example#ListThings":{"type":"operation","input":{"target":"com.example#ListThingsInput"},
          "output":{"target":"com.example#Page"},"errors":[{"target":"com.example#Gone"}],
          "traits":{"smithy.api#paginated":{"items":"things"},"smithy.api#readonly":{},"smithy.api#endpoint":{"hostPrefix":"data-"}}},
        "com.example#CreateThing":{"type":"operation","input":{"target":"com.example#CreateThingInput"},"output":{"target":"smithy.api#Unit"}},
        "com.example#GetThing":{"type":"operation","input":{"target":"com.example#GetThingInput"},"output":{"target":"com.example#Thing"}},
        "com.example#TestThing":{"type":"operation","input":{"target":"smithy.api#Unit"},"output":{"target":"smithy.api#Unit"},
          "traits":{"smithy.api#auth":[]}},
        "com.example#ListThingsInput":{"type":"structure","members":{
          "nextToken":{"target":"smithy.api#String"},"size":{"target":"com.example#Size","traits":{"smithy.api#documentation":"<p>The default is 50.</p>"}},
          "state":{"target":"com.example#State"},"after":{"target":"smithy.api#Timestamp"}}},
        "com.example#CreateThingInput":{"type":"structure","members":{
          "token":{"target":"smithy.api#String","traits":{"smithy.api#idempotencyToken":{}}},
          "name":{"target":"com.example#Name","traits":{"smithy.api#required":{}}},"any":{"target":"smithy.api#Document"},
          "tree":{"target":"com.example#Tree"},"names":{"target":"com.example#Names"},"on":{"target":"smithy.api#PrimitiveBoolean"}}},
        "com.example#GetThingInput":{"type":"structure","members":{"name":{"target":"com.example#Name","traits":{"smithy.api#required":{}}}}},
        "com.example#Thing":{"type":"structure","members":{"color":{"target":"com.example#Color"}}},
        "com.example#Color":{"type":"string","traits":{"smithy.api#sensitive":{}}},
        "com.example#Page":{"type":"structure","members":{"nextToken":{"target":"smithy.api#String"},"things":{"target":"com.example#Names"}}},
        "com.example#Names":{"type":"list","member":{"target":"com.example#Name"}},
        "com.example#Tree":{"type":"structure","members":{"tree":{"target":"com.example#Tree"}}},
        "com.example#Name":{"type":"string","traits":{"smithy.api#length":{"min":1,"max":9},"smithy.api#pattern":"^[a-z]+$"}},
        "com.example#Size":{"type":"integer","traits":{"smithy.api#range":{"min":1,"max":100}}},
        "com.example#State":{"type":"enum","members":{"OPEN":{"target":"smithy.api#Unit","traits":{"smithy.api#enumValue":"OPEN"}},
          "DONE":{"target":"smithy.api#Unit","traits":{"smithy.api#enumValue":"DONE"}}}},
        "com.example#Gone":{"type":"structure","members":{},"traits":{"smithy.api#error":"client",
          "aws.protocols#awsQueryError":{"code":"Things.Gone","httpResponseCode":404}}}
        }}
        """#.utf8)

    @Test("Operations of the service and of its resources, with their kinds")
    func operations() throws {
        let catalog = try TestModel.catalog(Self.smithy).catalog
        #expect(catalog.operations.map(\.name) == ["CreateThing", "GetThing", "ListThings", "TestThing"])
        #expect(catalog.operations.map(\.kind) == [.write, .live, .page, .write])
        #expect(catalog.name == "test-things" && catalog.signingName == "things" && catalog.targetPrefix == "Things")
        #expect(catalog.version == .awsJson1_1)
        #expect(catalog.operations.map(\.isUnsigned) == [false, false, false, true])
        #expect(catalog.isQueryCompatible && catalog.queryErrors == ["Gone": "Things.Gone;Sender"])
    }

    @Test("Members, their types, and what they are for")
    func members() throws {
        let catalog = try TestModel.catalog(Self.smithy).catalog
        let list = try #require(catalog.operation("ListThings"))
        #expect(list.input.map(\.member) == ["after", "nextToken", "size", "state"])
        #expect(list.input.map(\.kind) == [.timestamp, .string, .integer, .string])
        #expect(catalog.member("ListThings", \.status) == "state")
        #expect(list.defaults == [nil, nil, 50, nil] && list.hostPrefix == "data-")
        let create = try #require(catalog.operation("CreateThing"))
        #expect(create.input.map(\.member) == ["any", "name", "names", "on", "token", "tree"])
        #expect(create.input.map(\.kind) == [.document, .string, .list, .boolean, .string, .structure])
        #expect(create.input.map(\.isRequired) == [false, true, false, false, false, false])
        #expect(catalog.member("CreateThing", \.idempotencyToken) == "token")
        #expect(create.input[5].members.isEmpty)
    }

    @Test("Values, where the catalog is to judge them")
    func values() throws {
        var importer = CatalogImporter()
        importer.validation = .full
        let catalog = try Catalog(yaml: Array(try importer.catalog(ofModel: Self.smithy).utf8))
        let list = try #require(catalog.operation("ListThings"))
        #expect(list.input[2].minimum == 1 && list.input[2].maximum == 100)
        #expect(list.input[3].values == ["OPEN", "DONE"])
        let name = try #require(catalog.operation("GetThing")?.input.first)
        #expect(name.pattern?.text == "^[a-z]+$" && name.maximum == 9)
    }

    @Test(
        "Files that are no such model are told",
        arguments: [
            (#"{"smithy":"2.0"}"#, "has no shapes"),
            (#"{"smithy":"2.0","shapes":{}}"#, "has 0 services, and must have one"),
            (
                #"{"smithy":"2.0","shapes":{"a#B":{"type":"service"}}}"#,
                "is not the model of an awsJson service, 1.0 or 1.1"
            ),
            ("{\"smithy\":", "the model: is not JSON: the text ends too early at byte 10"),
        ])
    func faults(_ text: String, _ message: String) {
        let fault = #expect(throws: ImportFault.self) { try TestModel.catalog(Array(text.utf8)) }
        #expect(fault == .model(message))
    }
}
