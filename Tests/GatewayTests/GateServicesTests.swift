import AWSProtocol
import PageCache
import Primitives
import RateLimiter
import Testing

@testable import Gateway
import TestSupport

@Suite("Many services in one gate")
struct GateServicesTests {
    /// A catalog with the target prefix `Shared`.
    private static func catalog(signing: String, _ operations: [String]) throws -> Catalog {
        let entries = operations.map { "  \($0): { kind: read, quota: default }" }
        let text = """
            name: \(signing)
            signingName: \(signing)
            targetPrefix: com.example.Shared
            errorNamespace: com.example
            protocol: awsJson1_1
            quotas: { default: { rate: 5 } }
            shapes: {}
            operations:
            \(entries.joined(separator: "\n"))
            """
        return try Catalog(yaml: Array(text.utf8))
    }

    private static let catalogs: @Sendable (String) throws -> Catalog = { name in
        switch name {
        case "one": try catalog(signing: "one", ["Both", "One"])
        case "two": try catalog(signing: "two", ["Both", "Two"])
        default: try builtInCatalog()
        }
    }

    private static let names = [
        ("voice-id", "us-east-1"), ("one", "us-east-1"), ("two", "us-east-1"), ("two", "eu-west-2"),
    ]

    private func fixture(callers: [CallerSettings] = []) throws -> GateFixture {
        let limit = Limit(Quota(rate: 1, burst: 1000))
        return try GateFixture(
            services: Self.names, callers: { _ in [CallerSettings(name: "anonymous", limit: limit)] + callers },
            catalog: Self.catalogs)
    }

    @Test(
        "with one target prefix are told apart by the signed Region and service, then by operation, then in order",
        arguments: [
            ("Both", "", 1), ("Both", "us-east-1", 1), ("Both", "us-east-1/one", 1), ("Both", "us-east-1/two", 2),
            ("Both", "eu-west-2/two", 3), ("Both", "eu-west-2", 3), ("Both", "eu-west-2/one", 3),
            ("Both", "us-east-1/another", 1), ("One", "", 1), ("Two", "", 2), ("Two", "us-east-1", 2),
            ("Two", "us-east-1/one", 1), ("One", "us-east-1/two", 2), ("New", "", 1), ("New", "us-east-1/two", 2),
            ("New", "eu-west-2/two", 3),
        ])
    func shared(_ operation: String, _ scope: String, _ service: Int) throws {
        let fixture = try fixture()
        let call = fixture.read(operation, "{}", region: scope, prefix: "com.example.Shared.")
        #expect(call.service?.index == service)
        #expect(fixture.gate.needsScope)
    }

    @Test(
        "in another Region than was signed for are refused with those that there are",
        arguments: ["ap-south-1/two", "us"])
    func foreign(_ scope: String) throws {
        let fixture = try fixture()
        let call = fixture.read("Both", "{}", region: scope, prefix: "com.example.Shared.")
        guard case .refuse(let error) = call.action else {
            Issue.record("not refused")
            return
        }
        #expect(error.error.message.contains("us-east-1, eu-west-2"))
    }

    @Test("must be signed for as the first with their Region and name")
    func signed() throws {
        let fixture = try GateFixture(
            services: Self.names + [("one", "us-east-1")], catalog: Self.catalogs)
        func scope(_ operation: String, _ scope: String) -> Int {
            fixture.read(operation, "{}", region: scope, prefix: "com.example.Shared.").signedScope
        }
        #expect(scope("Both", "us-east-1/one") == 1 && scope("New", "us-east-1/two") == 2)
        #expect(scope("One", "") == 1 && scope("New", "eu-west-2/one") == 3)
        #expect(fixture.gate.signedScopes == [0, 1, 2, 3, 1])
        #expect(fixture.read("", "{}").signedScope == -1)
        #expect(scope("Both", "ap-south-1/one") == -1)
    }

    @Test("have permissions and limits by service")
    func callers() throws {
        let few = Limit(Quota(rate: 0.001, burst: 1))
        let many = Limit(Quota(rate: 1, burst: 1000))
        let caller = CallerSettings(
            name: "app", limit: many, operationLimits: ["one:B*": few, "*:Describe*": few],
            operations: ["one:*", "voice-id:List*", "*:DescribeDomain"].map(OperationPattern.init))
        let fixture = try fixture(callers: [caller])
        func ask(_ target: String, _ scope: String = "") -> String? {
            let (target, scope) = (Array(target.utf8), Array(scope.utf8))
            return fixture.gate.charge(caller: CallerID(1), target: target.span, scope: scope.span, now: fixture.now)?
                .error.code
        }
        #expect(ask("com.example.Shared.One") == nil)
        #expect(ask("com.example.Shared.New") == nil)
        #expect(ask("com.example.Shared.Two", "us-east-1/two") == "AccessDeniedException")
        #expect(ask("com.example.Shared.New", "us-east-1/two") == "AccessDeniedException")
        #expect(ask("VoiceID.ListDomains") == nil)
        #expect(ask("VoiceID.DeleteDomain") == "AccessDeniedException")
        #expect(ask("VoiceID.ListAnything") == nil)
        #expect(ask("Nobody.ListAnything") == "AccessDeniedException")
        // The operations of one name share its limit.
        #expect(ask("VoiceID.DescribeDomain") == nil)
        #expect(ask("VoiceID.DescribeDomain") == "ThrottlingException")
        #expect(ask("com.example.Shared.Both", "us-east-1/one") == nil)
        #expect(ask("com.example.Shared.Both", "us-east-1/one") == "ThrottlingException")
        #expect(ask("com.example.Shared.One") == nil)
    }

    @Test("are found by whole targets alone, among thousands")
    func table() throws {
        let names = (0..<3000).map { "Get\($0)" }
        let fixture = try GateFixture(
            services: [("many", "us-east-1"), ("voice-id", "us-east-1")],
            catalog: { $0 == "many" ? try Self.catalog(signing: "many", names) : try builtInCatalog() })
        #expect(!fixture.gate.needsScope)
        for name in names {
            let target = Array("com.example.Shared.\(name)".utf8)
            #expect(fixture.gate.operations[fixture.gate.operation(target.span)] == ("many", name))
            for wrong in [
                Array(target.dropLast()), Array(target[1...]), target + [0x2e], target + [0x20], [0x2e] + target,
            ] {
                let found = fixture.gate.operations[fixture.gate.operation(wrong.span)].operation
                #expect(found != name)
            }
        }
        let long = Array(("VoiceID." + String(repeating: "a", count: 128)).utf8)
        #expect(fixture.gate.operations[fixture.gate.operation(long.span)] == ("voice-id", "other"))
        let longer = long + [0x61]
        #expect(fixture.gate.operation(longer.span) == fixture.gate.otherOperation)
    }

    @Test("An operation's own time for an attempt lengthens its call")
    func timeout() throws {
        let fixture = try GateFixture(catalog: { _ in
            var catalog = try builtInCatalog()
            for place in catalog.operations.indices where catalog.operations[place].name == "ListDomains" {
                catalog.operations[place].timeout = 65 * second
            }
            return catalog
        })
        let call = fixture.read("ListDomains", "{}")
        #expect(fixture.gate.patience(call) > 65 * second)
        #expect(fixture.gate.patience(fixture.read("ListSpeakers", "{")) < 16 * second)
        _ = fixture.ask("ListDomains", "{}")
        let fetch = try #require(fixture.upstream.fetches.first)
        #expect(fetch.attemptTimeout == 65 * second && fetch.deadline == fixture.now + 65 * second)
    }
}
