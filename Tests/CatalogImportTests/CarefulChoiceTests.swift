import AWSProtocol
import Gateway
import Testing

@testable import CatalogImport

@Suite("The importer's choices are careful")
struct CarefulChoiceTests {
    private static let shapes = [
        "In": TestModel.structure("nextToken:Text size:Size state:State"), "Name": TestModel.structure("name:Text!"),
        "Page": TestModel.structure("nextToken:Text things:Things"),
        "Things": "{\"type\":\"list\",\"member\":{\"shape\":\"Thing\"}}",
        "Thing": TestModel.structure("name:Text time:Time"), "Deep": TestModel.structure("inner:Inner"),
        "Inner": TestModel.structure("sessionToken:Text"), "Marked": TestModel.structure("inner:MarkedInner"),
        "MarkedInner": TestModel.structure("color:Secret"), "WithToken": TestModel.structure("accessToken:Text!"),
        "Stream": "{\"type\":\"structure\",\"members\":{},\"eventstream\":true}",
        "Streaming": TestModel.structure("events:Stream"),
    ]

    private static func kind(_ name: String, _ text: String, paginated: Bool = false) throws -> Gateway.Operation {
        let model = TestModel.bytes(operations: [name: text], shapes: shapes)
        let catalog = try TestModel.catalog(model, paginators: paginated ? TestModel.paginators(name) : nil).catalog
        return try #require(catalog.operation(name))
    }

    @Test("A page needs a paginator and a reading verb; a read has the verb alone")
    func pages() throws {
        #expect(try Self.kind("ListThings", TestModel.operation("In", "Page"), paginated: true).kind == .page)
        #expect(try Self.kind("DescribeThings", TestModel.operation("In", "Page"), paginated: true).kind == .page)
        #expect(try Self.kind("ListThings", TestModel.operation("In", "Page")).kind == .read)
        #expect(try Self.kind("SearchThings", TestModel.operation("In", "Page"), paginated: true).kind == .live)
        #expect(try Self.kind("CreateThing", TestModel.operation("In", "Page"), paginated: true).kind == .write)
    }

    @Test("An output with a token or something sensitive, however deep, is never kept")
    func secrets() throws {
        for output in ["Deep", "Marked"] {
            let operation = try Self.kind("GetThing", TestModel.operation("Name", output))
            #expect(operation.kind == .live && operation.isSensitive, "\(output)")
        }
        #expect(try Self.kind("ListThings", TestModel.operation("In", "Deep"), paginated: true).kind == .live)
        #expect(try Self.kind("GetThing", TestModel.operation("WithToken", "Thing")).kind == .live)
        #expect(try Self.kind("GetThing", TestModel.operation("Name", "Thing")).kind == .read)
        #expect(try Self.kind("GetThing", TestModel.operation("Name", "Thing", "\"authtype\":\"none\"")).kind == .live)
        #expect(try Self.kind("GetThing", TestModel.operation("Name", "Thing", "\"authtype\":\"none\"")).isUnsigned)
    }

    @Test("An approximate figure, however deep, and in a map under its name, is true for its moment")
    func estimates() throws {
        let shapes = [
            "Counted": TestModel.structure("counts:Counts"), "Attributes": TestModel.structure("values:ByName"),
            "Counts": TestModel.structure("ApproximateNumberOfThings:Size"),
            "Dated": TestModel.structure("ApproximateDate:Time ApproximatePrecision:Text"),
            "Names": "{\"type\":\"string\",\"enum\":[\"Color\",\"ApproximateNumberOfThings\"]}",
            "ByName": "{\"type\":\"map\",\"key\":{\"shape\":\"Names\"},\"value\":{\"shape\":\"Text\"}}",
        ]
        for (output, kind) in [("Counted", Gateway.Operation.Kind.live), ("Attributes", .live), ("Dated", .read)] {
            let model = TestModel.bytes(
                operations: ["GetThing": TestModel.operation("Name", output)],
                shapes: shapes.merging(["Name": TestModel.structure("name:Text!")]) { $1 })
            let operation = try #require(try TestModel.catalog(model).catalog.operation("GetThing"))
            #expect(operation.kind == kind && !operation.isSensitive, "\(output)")
        }
    }

    @Test("A live operation makes nothing void, and a stream is passed on")
    func live() throws {
        #expect(try Self.kind("CountThings", TestModel.operation("In", "Page")).invalidates.isEmpty)
        let stream = try Self.kind("GetEvents", TestModel.operation("Name", "Streaming"))
        #expect(stream.kind == .live && stream.isStream)
    }

    @Test("Status, token, page size's default and host prefix")
    func members() throws {
        let documented = TestModel.structure(
            "nextToken:Text size:Size thingState:State", documentation: ["size": "The default is 50."])
        let model = TestModel.bytes(
            operations: [
                "ListThings": TestModel.operation("Listed", "Page", "\"endpoint\":{\"hostPrefix\":\"data-\"}")
            ],
            shapes: Self.shapes.merging(["Listed": documented]) { $1 })
        let catalog = try TestModel.catalog(model, paginators: TestModel.paginators("ListThings")).catalog
        let operation = try #require(catalog.operation("ListThings"))
        #expect(catalog.member("ListThings", \.status) == "thingState")
        #expect(operation.defaults == [nil, 50, nil])
        #expect(operation.hostPrefix == "data-")
    }

    @Test("Times may be numbers or texts whatever the model's format; the length of bytes is judged where values are")
    func types() throws {
        let input = TestModel.structure("when:Time date:Date count:Epoch bytes:Bytes map:Map")
        let model = TestModel.bytes(
            operations: ["PutThing": TestModel.operation("Put")],
            shapes: [
                "Put": input, "Date": "{\"type\":\"timestamp\",\"timestampFormat\":\"iso8601\"}",
                "Epoch": "{\"type\":\"timestamp\",\"timestampFormat\":\"unixTimestamp\"}",
                "Bytes": "{\"type\":\"blob\",\"max\":4}",
                "Map": "{\"type\":\"map\",\"key\":{\"shape\":\"Text\"},\"value\":{\"shape\":\"Text\"}}",
            ])
        let operation = try #require(try TestModel.catalog(model).catalog.operation("PutThing"))
        #expect(operation.input.map(\.member) == ["bytes", "count", "date", "map", "when"])
        #expect(operation.input.map(\.kind) == [.blob, .timestamp, .timestamp, .structure, .timestamp])
        #expect(operation.input[0].maximum == nil)
        var importer = CatalogImporter()
        importer.validation = .full
        let full = try Catalog(yaml: Array(try importer.catalog(ofModel: model).utf8))
        #expect(full.operation("PutThing")?.input[0].maximum == 4)
    }

    @Test("An idempotency token is the model's, or one by name whose documentation says so")
    func idempotency() throws {
        let marked = "{\"type\":\"structure\",\"members\":{\"key\":{\"shape\":\"Text\",\"idempotencyToken\":true}}}"
        let model = TestModel.bytes(
            operations: [
                "CreateA": TestModel.operation("A"), "CreateB": TestModel.operation("B"),
                "CreateC": TestModel.operation("C"),
            ],
            shapes: [
                "A": marked,
                "B": TestModel.structure("clientToken:Text", documentation: ["clientToken": "For idempotency."]),
                "C": TestModel.structure("clientToken:Text"),
            ])
        let catalog = try TestModel.catalog(model).catalog
        #expect(catalog.member("CreateA", \.idempotencyToken) == "key")
        #expect(catalog.member("CreateB", \.idempotencyToken) == "clientToken")
        #expect(catalog.member("CreateC", \.idempotencyToken) == nil)
    }
}

@Suite("No page outlives a write that may change it")
struct ParentTests {
    private static func catalog(_ shape: String, more: [String: String] = [:]) throws -> Catalog {
        let member = shape.hasPrefix("Id") ? "thingId" : "thingName"
        let input = TestModel.structure("\(member):\(shape)! nextToken:Text size:Size")
        let model = TestModel.bytes(
            operations: [
                "ListParts": TestModel.operation("In", "Page"), "CreatePart": TestModel.operation("In"),
                "DeletePart": TestModel.operation("In"), "TagResource": TestModel.operation("Tag"),
                "ListThings": TestModel.operation("All", "Page"), "MovePart": TestModel.operation("Move"),
            ],
            shapes: [
                "In": input, "Tag": TestModel.structure("resourceArn:Text!"),
                "All": TestModel.structure("nextToken:Text"),
                "Move": TestModel.structure("thingId:Id! targetThingId:Id!"),
                "Page": TestModel.structure("nextToken:Text"),
            ].merging(more) { $1 })
        return try TestModel.catalog(model, paginators: TestModel.paginators("ListParts", "ListThings")).catalog
    }

    @Test("A parent is an identifier with one spelling; writes that do not name it, or name two, make everything void")
    func parent() throws {
        let catalog = try Self.catalog("Id")
        #expect(catalog.member("ListParts", \.domain) == "thingId")
        #expect(catalog.member("ListThings", \.domain) == nil)
        #expect(catalog.operation("CreatePart")?.invalidates == [.domain, .service])
        #expect(catalog.operation("TagResource")?.invalidates == [.all])
        #expect(catalog.operation("MovePart")?.invalidates == [.all])
        #expect(catalog.operation("ListParts")?.invalidates == [])
    }

    @Test(
        "A name, and an identifier that may also be an ARN or an alias, is no parent: each write makes the service's pages void",
        arguments: ["Text", "IdOrArn", "IdOrName"])
    func noParent(_ shape: String) throws {
        let catalog = try Self.catalog(
            shape,
            more: [
                "IdOrArn": "{\"type\":\"string\",\"pattern\":\"^[a-zA-Z0-9:/-]+$\"}",
                "IdOrName": "{\"type\":\"string\",\"pattern\":\"^[a-zA-Z0-9._]+$\"}",
            ])
        #expect(catalog.operations.allSatisfy { $0.domain == nil })
        #expect(catalog.operation("CreatePart")?.invalidates == [.service])
        #expect(catalog.operation("TagResource")?.invalidates == [.service])
    }
}
