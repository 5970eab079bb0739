import AWSProtocol
import BuiltInCatalogs
import Testing

@testable import Gateway

@Suite("The built-in catalog holds what the design says of Voice ID")
struct CatalogTests {
    private static let groups: [String: [String]] = [
        "evaluate": ["EvaluateSession"],
        "batch": [
            "CreateDomain", "DescribeDomain", "UpdateDomain", "DeleteDomain", "ListDomains",
            "StartFraudsterRegistrationJob", "DescribeFraudsterRegistrationJob", "ListFraudsterRegistrationJobs",
            "StartSpeakerEnrollmentJob", "DescribeSpeakerEnrollmentJob", "ListSpeakerEnrollmentJobs",
        ],
        "list-speakers": ["ListSpeakers"],
        "speakers": ["DescribeSpeaker", "OptOutSpeaker", "DeleteSpeaker", "DescribeFraudster", "DeleteFraudster"],
        "tags": ["ListTagsForResource", "TagResource", "UntagResource"],
        "default": [
            "AssociateFraudster", "DisassociateFraudster", "CreateWatchlist", "DeleteWatchlist", "DescribeWatchlist",
            "ListFraudsters", "ListWatchlists", "UpdateWatchlist",
        ],
    ]

    @Test("All 29 operations are there, each in its quota group")
    func quotaGroups() throws {
        let catalog = try builtInCatalog()
        #expect(catalog.operations.count == 29)
        let found = Dictionary(grouping: catalog.operations) { catalog.quotaGroups[$0.quotaGroup].name }
        #expect(found.mapValues { Set($0.map(\.name)) } == Self.groups.mapValues { Set($0) })
    }

    @Test(
        "A group has its rate, and a burst of the same",
        arguments: [
            ("evaluate", 60), ("batch", 2), ("list-speakers", 5), ("speakers", 10), ("tags", 2), ("default", 2),
        ])
    func rates(_ name: String, _ rate: Double) throws {
        let catalog = try builtInCatalog()
        #expect(catalog.quotaGroups.count == 6)
        let group = try #require(catalog.quotaGroups.first { $0.name == name })
        #expect(group.rate == rate && group.burst == rate)
        #expect(catalog.quotaGroups[catalog.defaultGroup].name == "default")
    }

    @Test("Kinds follow the names: List is a page, Describe a read, EvaluateSession live, the rest write")
    func kinds() throws {
        for operation in try builtInCatalog().operations {
            let expected: Operation.Kind =
                switch operation.name {
                case "ListTagsForResource": .read
                case "EvaluateSession": .live
                case let name where name.hasPrefix("List"): .page
                case let name where name.hasPrefix("Describe"): .read
                default: .write
                }
            #expect(operation.kind == expected, "\(operation.name)")
        }
    }

    @Test("Names of the service are those of its model")
    func names() throws {
        let catalog = try builtInCatalog()
        #expect(catalog.name == "voice-id" && catalog.signingName == "voiceid" && catalog.targetPrefix == "VoiceID")
        #expect(catalog.errorNamespace == "com.amazonaws.voiceid")
        #expect(BuiltInCatalogs.names.contains("voice-id"))
        #expect(BuiltInCatalogs.bytes(named: "polly") == nil)
    }

    @Test("Writes void their domain; those of domains the service's lists too; tag writes the ARN's domain")
    func invalidations() throws {
        for operation in try builtInCatalog().operations {
            let expected: Set<Operation.Invalidation> =
                switch operation.name {
                case "CreateDomain": [.service]
                case "UpdateDomain", "DeleteDomain": [.domain, .service]
                case "TagResource", "UntagResource": [.resource]
                default: operation.kind == .write ? [.domain] : []
                }
            #expect(Set(operation.invalidates) == expected, "\(operation.name)")
        }
    }

    private static let lines = [
        "name: x", "signingName: x", "targetPrefix: X", "errorNamespace: x", "protocol: awsJson1_0", "quotas:",
        "  default: { rate: 2 }", "operations:", "  ListThings:", "    kind: page", "    quota: default",
        "    domain: Id", "    defaults: { Max: 100 }", "    input:", "      Id: Id!", "      Max: Max", "shapes:",
        "  Id: { type: string, pattern: '^a$' }", "  Max: { type: integer, min: 1 }",
    ]

    private func faultAfter(_ line: Int, _ text: String) -> CatalogError? {
        var lines = Self.lines
        if line > 0 { lines[line - 1] = text }
        do throws(CatalogError) {
            _ = try Catalog(yaml: Array(lines.joined(separator: "\n").utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test("The catalog that the faults below are put into is good")
    func sound() { #expect(faultAfter(0, "") == nil) }

    @Test(
        "A fault is reported with its line and what is wrong",
        arguments: [
            (1, "nam: x", "nam"), (5, "protocol: restJson1", "protocol"), (7, "  default: { rate: 0 }", "rate"),
            (7, "  default: { rate: fast }", "rate"), (7, "  default: { rate: -1 }", "rate"),
            (7, "  default: { rate: .inf }", "rate"), (7, "  default: { rate: 2, size: 1 }", "size"),
            (7, "  default: 2", "mapping"), (10, "    kind: list", "kind"), (10, "    knd: page", "knd"),
            (11, "    quota: batch", "quota"), (12, "    domain: Nope", "domain"),
            (13, "    defaults: { Mux: 1 }", "Mux"),
            (13, "    defaults: { Max: many }", "Max"), (13, "    invalidates: [everything]", "invalidates"),
            (13, "    invalidates: domain", "invalidates"), (18, "  Id: { type: text }", "type"),
            (18, "  Id: { type: string, pattern: '(' }", "pattern"), (19, "  Max: { type: integer, min: x }", "min"),
        ])
    func faults(_ line: Int, _ text: String, _ word: String) throws {
        let fault = try #require(faultAfter(line, text))
        #expect(fault.line == line)
        #expect(fault.message.contains(word), "\(fault)")
        #expect(fault.description.hasPrefix("line \(line): "))
    }

    @Test(
        "A fault on a later line of its mapping is reported there",
        arguments: [(16, "      Max: Nope", "Nope"), (19, "  Id: { type: integer }", "Id"), (16, "  - ]x", "")])
    func laterFaults(_ line: Int, _ text: String, _ word: String) throws {
        let fault = try #require(faultAfter(line, text))
        #expect(fault.line == line)
        #expect(fault.message.contains(word), "\(fault)")
    }

    @Test("What is no catalog at all is refused", arguments: ["", "a", "[]", "- a", "null", "\u{0}", "a: [", "&a *a"])
    func noCatalog(_ text: String) {
        #expect(throws: CatalogError.self) { try Catalog(yaml: Array(text.utf8)) }
    }
}
