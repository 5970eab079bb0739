internal import AWSProtocol
internal import ArgumentParser
internal import Gateway

/// `jobs-proxy catalog diff`: what another catalog changes, such as one of a newer model.
struct CatalogDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Shows what differs between two catalogs or models: operations, their kinds and their inputs.",
        discussion: """
            Each line begins with + for what only the second has, - for what only the first has, or ~ for what differs. Nothing is
            printed, and the exit status is 0 all the same, where they say the same.

            With an overlay, which is laid on the second, only what a newer model says by itself is left.

            Examples:
              jobs-proxy catalog diff stepfunctions newer/service-2.json --overlay stepfunctions-overlay.yaml
              jobs-proxy catalog diff old.yaml new.yaml
            """)

    @Argument(help: ArgumentHelp("A built-in catalog's name, or the path of a catalog or a model.", valueName: "A"))
    var first: String

    @Argument(help: ArgumentHelp("Another.", valueName: "B"))
    var second: String

    @Option(help: ArgumentHelp("An overlay to lay on B.", valueName: "FILE"))
    var overlay: String?

    func run() throws {
        let newer = try CatalogFile.load(Configuration.ServiceEntry.CatalogSource(name: second, overlay: overlay))
        for line in CatalogDifference.lines(try CatalogFile.load(first), newer) { print(line) }
    }
}

/// The differences of two catalogs in words.
enum CatalogDifference {
    static func lines(_ first: Catalog, _ second: Catalog) -> [String] {
        var lines = changes(
            "catalog",
            [
                ("signingName", first.signingName, second.signingName),
                ("targetPrefix", first.targetPrefix, second.targetPrefix),
                ("protocol", first.version.rawValue, second.version.rawValue),
                ("validation", first.validation.rawValue, second.validation.rawValue),
                ("queryErrors", "\(first.queryErrors.count)", "\(second.queryErrors.count)"),
            ])
        lines += compare(
            first.quotaGroups.map { ("quota \($0.name)", $0) }, second.quotaGroups.map { ("quota \($0.name)", $0) }
        ) { name, old, new in
            changes(
                name,
                [
                    ("rate", CatalogText.number(old.rate), CatalogText.number(new.rate)),
                    ("burst", CatalogText.number(old.burst), CatalogText.number(new.burst)),
                ])
        }
        lines += compare(first.operations.map { ($0.name, $0) }, second.operations.map { ($0.name, $0) }) {
            name, old, new in
            operation(name, old, first, new, second)
        }
        return lines
    }

    private static func operation(
        _ name: String, _ old: Operation, _ first: Catalog, _ new: Operation, _ second: Catalog
    ) -> [String] {
        func member(_ place: Int?, _ operation: Operation) -> String {
            place.map { operation.input[$0].member } ?? "none"
        }
        func group(_ operation: Operation, _ catalog: Catalog) -> String {
            catalog.quotaGroups[operation.quotaGroup].name
        }
        func time(_ span: Int64?) -> String { span.map { Units.spelled(nanoseconds: $0) } ?? "none" }
        return changes(
            name,
            [
                ("kind", old.kind.rawValue, new.kind.rawValue), ("quota", group(old, first), group(new, second)),
                ("domain", member(old.domain, old), member(new.domain, new)),
                ("status", member(old.status, old), member(new.status, new)),
                ("idempotency", member(old.idempotencyToken, old), member(new.idempotencyToken, new)),
                ("invalidates", words(old.invalidates), words(new.invalidates)), ("ttl", time(old.ttl), time(new.ttl)),
                ("timeout", time(old.timeout), time(new.timeout)),
                ("hostPrefix", old.hostPrefix ?? "none", new.hostPrefix ?? "none"),
                ("auth", old.isUnsigned ? "none" : "signature", new.isUnsigned ? "none" : "signature"),
                ("sensitive", "\(old.isSensitive)", "\(new.isSensitive)"),
                ("streams", "\(old.isStream)", "\(new.isStream)"),
            ])
            + compare(old.input.map { ("\(name).\($0.member)", $0) }, new.input.map { ("\(name).\($0.member)", $0) }) {
                name, old, new in
                let changes = changes(
                    name,
                    [
                        ("type", old.kind.rawValue, new.kind.rawValue),
                        ("required", "\(old.isRequired)", "\(new.isRequired)"),
                    ])
                // The contents of shapes differ in too many ways for a line each.
                return changes.isEmpty && old != new ? ["~ \(name): what may be in it differs"] : changes
            }
    }

    private static func words(_ invalidates: [Operation.Invalidation]) -> String {
        invalidates.isEmpty ? "none" : invalidates.map(\.rawValue).joined(separator: " ")
    }

    private static func changes(_ name: String, _ values: [(key: String, old: String, new: String)]) -> [String] {
        values.filter { $0.old != $0.new }.map { "~ \(name): \($0.key) \($0.old) -> \($0.new)" }
    }

    private static func compare<Value>(
        _ first: [(String, Value)], _ second: [(String, Value)], _ both: (String, Value, Value) -> [String]
    ) -> [String] {
        let old = Dictionary(first) { one, _ in one }
        let new = Dictionary(second) { one, _ in one }
        return Set(old.keys).union(new.keys).sorted().flatMap { name in
            switch (old[name], new[name]) {
            case (let old?, let new?): both(name, old, new)
            case (nil, _): ["+ \(name)"]
            case (_, nil): ["- \(name)"]
            }
        }
    }
}
