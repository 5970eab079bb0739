import AWSProtocol
import Gateway
import StrictYAML
import Testing

@testable import CatalogImport

@Suite("An overlay is laid on a model line by line")
struct OverlayTests {
    private static let model = TestModel.bytes(
        operations: [
            "ListThings": TestModel.operation("List", "Page"), "DescribeThing": TestModel.operation("Name", "Page"),
            "GetKey": TestModel.operation("Name", "Key"), "GetColor": TestModel.operation("Name", "Color"),
            "CreateThing": TestModel.operation("Name"), "DeleteThing": TestModel.operation("Name"),
            "WaitForThing": TestModel.operation("Name"),
        ],
        shapes: [
            "List": TestModel.structure("nextToken:Text size:Size state:State kind:State name:Text"),
            "Name": TestModel.structure("name:Text!"), "Page": TestModel.structure("nextToken:Text"),
            "Key": TestModel.structure("privateKey:Text"), "Color": TestModel.structure("color:Secret"),
        ])

    private static func catalog(_ overlay: String, operations: [String] = []) throws -> Catalog {
        try TestModel.catalog(
            model, paginators: TestModel.paginators("ListThings"), operations: operations, overlay: overlay
        ).catalog
    }

    private static func faults(_ overlay: String) -> [String] {
        do {
            _ = try catalog(overlay)
            return []
        } catch let fault as ImportFault {
            if case .files(let faults) = fault { return faults.faults.map(\.description) }
            return [fault.description]
        } catch { return ["\(error)"] }
    }

    @Test("Its word wins, exact names before patterns, key by key")
    func rules() throws {
        let catalog = try Self.catalog(
            """
            service: things
            quotas:
              lists: { rate: 5, burst: 100, source: 'https://docs.example.com/quotas' }
              writes: { rate: 0.5 }
              default: { rate: 3 }
            final:
              state: [DONE, LOST]
            rules:
              '*Thing*': { quota: writes, ttl: 2s }
              ListThings: { quota: lists, status: state, defaults: { size: 20 } }
              'Wait*': { kind: live, timeout: 70s, hostPrefix: sync- }
              DeleteThing: { idempotency: name, invalidates: [all] }
              GetColor: { sensitive: true }
            """)
        #expect(catalog.quotaGroups.map(\.name) == ["default", "lists", "writes"])
        #expect(catalog.quotaGroups.map(\.rate) == [3, 5, 0.5])
        #expect(
            catalog.quotaGroups[1].burst == 100 && catalog.quotaGroups[1].source == "https://docs.example.com/quotas")
        let list = try #require(catalog.operation("ListThings"))
        #expect(list.kind == .page && list.quotaGroup == 1 && list.ttl == 2_000_000_000)
        #expect(list.final == ["DONE", "LOST"].map { Array($0.utf8) })
        #expect(catalog.member("ListThings", \.status) == "state")
        #expect(list.defaults.compactMap { $0 } == [20])
        let wait = try #require(catalog.operation("WaitForThing"))
        #expect(
            wait.kind == .live && wait.timeout == 70_000_000_000 && wait.hostPrefix == "sync-" && wait.quotaGroup == 2)
        #expect(wait.invalidates.isEmpty)
        #expect(catalog.operation("DeleteThing")?.invalidates == [.all])
        #expect(catalog.member("DeleteThing", \.idempotencyToken) == "name")
    }

    @Test("Its operations are those that are kept, unless the command line says others")
    func operations() throws {
        let overlay = "operations: ['List*', CreateThing]"
        #expect(try Self.catalog(overlay).operations.map(\.name) == ["CreateThing", "ListThings"])
        #expect(
            try Self.catalog(overlay, operations: ["D*"]).operations.map(\.name) == ["DeleteThing", "DescribeThing"])
        let error = #expect(throws: ImportFault.self) { try Self.catalog("", operations: ["Lst*"]) }
        #expect(error == .model("'Lst*' matches none of the model's 7 operations"))
    }

    @Test("A parent that it names makes writes without that member void everything")
    func parents() throws {
        let catalog = try Self.catalog("rules: { ListThings: { domain: name } }")
        #expect(catalog.member("ListThings", \.domain) == "name")
        #expect(catalog.operation("CreateThing")?.invalidates == [.domain, .service])
        #expect(catalog.member("CreateThing", \.domain) == "name")
    }

    @Test(
        "A name that the model does not have, and what must not be kept, is a fault with its line",
        arguments: [
            (
                "rules:\n  ListThing: { ttl: 3s }",
                "o.yaml:2: rules.ListThing: matches no operation of the model; did you mean ListThings?"
            ),
            ("rules:\n  'Lost*': { ttl: 3s }", "o.yaml:2: rules.Lost*: matches no operation of the model"),
            (
                "operations: ['List*']\nrules:\n  CreateThing: { ttl: 3s }",
                "o.yaml:3: rules.CreateThing: matches only operations that 'operations' leaves out"
            ),
            ("operations: [Nothing]", "o.yaml:1: operations: 'Nothing' matches no operation of the model"),
            (
                "rules:\n  CreateThing:\n    domain: thing",
                "o.yaml:3: rules.CreateThing.domain: 'thing' is no member that is a string; it has name"
            ),
            (
                "rules: { ListThings: { token: size } }",
                "o.yaml:1: rules.ListThings.token: 'size' is no member that is a string; it has kind, name, nextToken, size, state"
            ),
            (
                "rules: { 'List*': { defaults: { name: 3 } } }",
                "o.yaml:1: rules.List*.defaults: 'name' is no member that is a whole number"
            ),
            (
                "rules: { ListThings: { quota: lists } }",
                "o.yaml:1: rules.ListThings.quota: 'lists' is no group under 'quotas'; there are default"
            ),
            (
                "final:\n  state: [DONE, GONE]\nrules: { ListThings: { status: state } }",
                "o.yaml:2: final.state: 'GONE' is none of its values, DONE, LOST, OPEN"
            ),
            ("final: { stat: [DONE] }", "o.yaml:1: final.stat: is no member that is a string of an operation here"),
            ("final: { name: [DONE] }", "o.yaml:1: final.name: is the status of no page"),
            (
                "rules: { ListThings: { kind: paged } }",
                "o.yaml:1: rules.ListThings.kind: must be one of page, read, live, write"
            ),
            ("rules: { ListThings: { ttl: soon } }", "o.yaml:1: rules.ListThings.ttl: must be a duration, such as 30s"),
            (
                "rules: { ListThings: { tll: 3s } }",
                "o.yaml:1: rules.ListThings.tll: unknown key; did you mean ttl?"
            ),
            ("quotas: { a: { rate: 0 } }", "o.yaml:1: quotas.a.rate: must be a number above 0, requests a second"),
            ("quotas: { a: { burst: 3 } }", "o.yaml:1: quotas.a: needs a rate, requests a second"),
            (
                "rules:\n  GetKey: { kind: read }",
                "o.yaml:2: rules.GetKey.kind: must be live: 'privateKey' is sensitive, a secret, or good for one caller and moment"
            ),
            (
                "rules:\n  'Get*': { kind: page, sensitive: true }",
                "o.yaml:2: rules.GetColor.kind: must be live: 'Secret' is sensitive, a secret, or good for one caller and moment"
            ),
        ])
    func faults(_ overlay: String, _ fault: String) { #expect(Self.faults(overlay).first == fault) }

    @Test("All faults are told at once")
    func several() {
        #expect(Self.faults("rules:\n  A: { ttl: 3s }\n  B: { ttl: 3s }").count == 2)
    }

    @Test("It can be laid on a catalog, and what is sensitive there stays live")
    func onCatalog() throws {
        let base = try TestModel.catalog(Self.model, paginators: TestModel.paginators("ListThings")).text
        var importer = CatalogImporter()
        importer.overlay = .init(
            name: "o.yaml", bytes: Array("quotas: { default: { rate: 9 } }\nrules: { ListThings: { ttl: 4s } }".utf8))
        let file = CatalogImporter.File(name: "c.yaml", bytes: Array(base.utf8))
        var before = try Catalog(yaml: Array(base.utf8))
        let after = try Catalog(yaml: Array(try importer.catalog(ofCatalog: file).utf8))
        #expect(after.quotaGroups.map(\.rate) == [9] && after.operation("ListThings")?.ttl == 4_000_000_000)
        before.quotaGroups = after.quotaGroups
        for place in before.operations.indices where before.operations[place].name == "ListThings" {
            before.operations[place].ttl = 4_000_000_000
        }
        #expect(after == before)
        importer.overlay = .init(name: "o.yaml", bytes: Array("rules: { GetKey: { kind: read } }".utf8))
        #expect(throws: ImportFault.self) { try importer.catalog(ofCatalog: file) }
    }

    @Test("On a catalog too, it says which operations are kept")
    func operationsOfCatalog() throws {
        let base = try TestModel.catalog(Self.model, paginators: TestModel.paginators("ListThings")).text
        let file = CatalogImporter.File(name: "c.yaml", bytes: Array(base.utf8))
        var importer = CatalogImporter()
        importer.overlay = .init(name: "o.yaml", bytes: Array("operations: ['List*']".utf8))
        let kept = try Catalog(yaml: Array(try importer.catalog(ofCatalog: file).utf8)).operations.map(\.name)
        #expect(kept.contains("ListThings") && kept.allSatisfy { $0.hasPrefix("List") })
        importer.overlay = .init(
            name: "o.yaml", bytes: Array("operations: ['List*']\nrules: { GetKey: { kind: live } }".utf8))
        #expect(throws: ImportFault.self) { try importer.catalog(ofCatalog: file) }
    }
}
