import AWSProtocol
import BuiltInCatalogs
import PageCache
import RateLimiter
import TestSupport
import Testing

@testable import Gateway

@Suite("What a catalog says of an operation beside its input")
struct CatalogKeyTests {
    private static func catalog(_ operation: String, final: String = "") throws -> Catalog {
        let text = """
            name: x
            signingName: x
            targetPrefix: X
            errorNamespace: x
            protocol: awsJson1_1
            \(final)
            quotas: { default: { rate: 2, source: 'https://docs.example.com' } }
            operations: { ListThings: { kind: page, quota: default, \(operation)input: { State: string } } }
            shapes: { string: { type: string } }
            """
        return try Catalog(yaml: Array(text.utf8))
    }

    private static func message(_ operation: String, final: String = "") -> String? {
        do {
            _ = try catalog(operation, final: final)
            return nil
        } catch { return (error as? CatalogError)?.message }
    }

    @Test("Time to live, attempt's time limit, host prefix, sensitivity, streams, final values, a quota's source")
    func keys() throws {
        let catalog = try Self.catalog(
            "status: State, ttl: 30s, timeout: 2m, hostPrefix: sync-, sensitive: true, streams: true, ",
            final: "final: { State: [DONE, LOST] }")
        let operation = try #require(catalog.operations.first)
        #expect(operation.ttl == 30 * second && operation.timeout == 120 * second && operation.hostPrefix == "sync-")
        #expect(operation.isSensitive && operation.isStream)
        #expect(operation.final == ["DONE", "LOST"].map { Array($0.utf8) })
        #expect(catalog.quotaGroups.first?.source == "https://docs.example.com")
    }

    @Test(
        "Values that cannot be meant are faults",
        arguments: [
            ("ttl: soon, ", "", "ttl: must be a duration, such as 30s"),
            ("timeout: 25h, ", "", "timeout: must be a duration, such as 30s"),
            ("hostPrefix: 'a/b', ", "", "hostPrefix: must be a word for the beginning of a host name, such as sync-"),
            ("hostPrefix: '', ", "", "hostPrefix: must be a word for the beginning of a host name, such as sync-"),
            ("auth: sigv4, ", "", "auth: may be 'none' alone"),
            ("auth: none, ", "", "auth: 'none' goes with the kinds live and write alone"),
            ("sensitive: yes, ", "", "sensitive: must be true or false"),
            ("invalidates: [some], ", "", "invalidates: may hold domain, service, resource and all"),
            ("", "final: { State: [DONE] }", "final: 'State' is the status of no operation"),
        ])
    func faults(_ operation: String, _ final: String, _ message: String) {
        #expect(Self.message(operation, final: final) == message)
    }

    @Test(
        "Durations", arguments: [("0s", 0), ("250ms", second / 4), ("1m", 60 * second), ("24h", 86_400 * second)])
    func durations(_ text: String, _ nanoseconds: Int64) { #expect(CatalogDuration(text)?.nanoseconds == nanoseconds) }

    @Test("What is no duration", arguments: ["", "s", "1", "-1s", "1d", "25h", "1.5s", "99999999999999999999s", "1 s"])
    func noDurations(_ text: String) { #expect(CatalogDuration(text) == nil) }

    private static func service(_ name: String, _ operation: String) throws -> Service {
        let catalog = try catalog(operation)
        return Service(
            index: 0,
            settings: Service.Settings(
                name: name, region: "us-east-1", catalog: catalog, quotas: [Quota(rate: 1, burst: 1)],
                callTimeout: second,
                maxWait: 0, maxDepth: 1),
            now: 0)
    }

    @Test("Pages of sensitive operations are not for a disk, others are")
    func savable() throws {
        let pages = SavablePages([try Self.service("open", ""), try Self.service("secret", "sensitive: true, ")])
        func key(_ service: String, _ operation: String) -> [UInt8] {
            Array("\(service)\0\0\(operation)\0{}".utf8)
        }
        #expect(!pages.contain(key("secret", "ListThings")))
        #expect(pages.contain(key("secret", "ListOthers")))
        #expect(pages.contain(key("open", "ListThings")))
        #expect(SavablePages([try Self.service("open", "")]).contain(key("secret", "ListThings")))
    }

    @Test("A write that makes all void raises the whole service's epoch")
    func all() throws {
        let text = """
            name: x
            signingName: x
            targetPrefix: X
            errorNamespace: x
            protocol: awsJson1_1
            quotas: { default: { rate: 2 } }
            operations: { PutThing: { kind: write, quota: default, invalidates: [all] } }
            shapes: {}
            """
        #expect(try Catalog(yaml: Array(text.utf8)).operations.first?.invalidates == [.all])
    }

    @Test(
        "Each built-in catalog can be read, and has operations whose answers are kept", arguments: BuiltInCatalogs.names
    )
    func builtIn(_ name: String) throws {
        let catalog = try Catalog(yaml: try #require(BuiltInCatalogs.bytes(named: name)))
        #expect(catalog.operations.contains { $0.kind.isCached })
    }
}
