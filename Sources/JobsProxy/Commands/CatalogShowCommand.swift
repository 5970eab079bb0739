internal import AWSProtocol
internal import ArgumentParser
internal import BuiltInCatalogs
internal import Gateway
internal import StrictYAML

/// `jobs-proxy catalog show`: all that the gateway knows of operations.
struct CatalogShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows all that a catalog says of an operation, or of every one; without a name, of voice-id's.",
        discussion: """
            Examples:
              jobs-proxy catalog show ListFraudsterRegistrationJobs
              jobs-proxy catalog show TagResource --catalog my-service.yaml
              jobs-proxy catalog show
            """)

    @Argument(help: ArgumentHelp("An operation's name; without it, every operation.", valueName: "OPERATION"))
    var operation: String?

    @Option(help: ArgumentHelp("A built-in catalog's name or the path of a catalog file.", valueName: "CATALOG"))
    var catalog: String?

    func run() throws {
        let names = catalog.map { [$0] } ?? (operation == nil ? ["voice-id"] : BuiltInCatalogs.names)
        let catalogs = try names.map { name in try CatalogFile.load(name) }
        let found = catalogs.flatMap { catalog in
            catalog.operations.filter { operation == nil || $0.name == operation }.map { (catalog, $0) }
        }
        if found.isEmpty, let operation { throw unknown(operation, catalogs) }
        print(found.map { CatalogText.describe($1, of: $0) }.joined(separator: "\n\n"))
    }

    private func unknown(_ name: String, _ catalogs: [Catalog]) -> ValidationError {
        let hint = Spelling.nearest(to: name, among: catalogs.flatMap { $0.operations.map(\.name) })
        return ValidationError(
            "there is no operation '\(name)'"
                + (hint.map { "; did you mean \($0)?" } ?? "; 'jobs-proxy catalog list' shows those there are"))
    }
}

/// Describes operations in words.
enum CatalogText {
    /// Several lines: what the gateway does with the operation, then its input members and what is inside them.
    static func describe(_ operation: Operation, of catalog: Catalog) -> String {
        let group = catalog.quotaGroups[operation.quotaGroup]
        var lines = [
            "\(catalog.targetPrefix).\(operation.name)",
            "  kind         \(operation.kind.rawValue): \(meaning(operation.kind))",
            "  quota        \(group.name): \(number(group.rate)) a second, \(number(group.burst)) at once",
        ]
        if catalog.validation != .full {
            let meaning = catalog.validation == .types ? "its types and required members" : "nothing of it"
            lines.append("  judged here  \(meaning)")
        }
        if let ttl = operation.ttl { lines.append("  time to live \(Units.spelled(nanoseconds: ttl))") }
        if operation.kind.isCached {
            lines.append("  or           by how often its pages change: cache.ttl.operation: {\(operation.name): auto}")
        }
        if let token = operation.freshToken {
            let (member, life) = (String(decoding: token.member, as: UTF8.self), Units.spelled(nanoseconds: token.life))
            lines.append("  new token    \(member) in each answer, good for \(life); without it pages are the same")
        }
        if !operation.final.isEmpty {
            let values = operation.final.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
            lines.append("  final        changes no more: \(values)")
        }
        if let timeout = operation.timeout {
            lines.append("  attempt      \(Units.spelled(nanoseconds: timeout)) at most")
        }
        if let prefix = operation.hostPrefix { lines.append("  host         \(prefix)…") }
        if operation.isUnsigned {
            lines.append("  unsigned     for callers without a signature too; sent on without one")
        }
        if operation.isSensitive { lines.append("  sensitive    never written to a snapshot") }
        if operation.isStream { lines.append("  streams      passed on as it comes") }
        if !operation.invalidates.isEmpty {
            lines.append("  makes void   " + operation.invalidates.map(meaning).joined(separator: "; "))
        }
        if let token = operation.idempotencyToken {
            lines.append("  idempotent   by \(operation.input[token].member)")
        }
        lines.append(operation.input.isEmpty ? "  no input" : "  input")
        for (place, constraint) in operation.input.enumerated() {
            var notes: [String] = []
            if place == operation.domain { notes.append("names the domain") }
            if place == operation.status { notes.append("decides the time to live") }
            if let value = operation.defaults[place] { notes.append("missing is the same as \(value)") }
            var rest = maxLines
            lines += describe(constraint, notes, indent: "    ", &rest)
        }
        return lines.joined(separator: "\n")
    }

    /// A text with spaces up to a width.
    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// A number without a fraction where it has none.
    static func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }

    /// The limit of lines for one member with all that is in it: shapes of ten members, nested a few deep, have millions.
    private static let maxLines = 1000

    private static func describe(
        _ constraint: InputConstraint, _ notes: [String], indent: String, _ rest: inout Int
    ) -> [String] {
        guard rest > 0 else { return [] }
        rest -= 1
        if rest == 0 { return ["\(indent)…"] }
        var words = [constraint.kind.rawValue]
        if constraint.isRequired { words.append("required") }
        if constraint.isSensitive { words.append("sensitive") }
        if let range = range(constraint) { words.append(range) }
        if !constraint.values.isEmpty { words.append("one of " + constraint.values.joined(separator: ", ")) }
        if let pattern = constraint.pattern { words.append(pattern.text) }
        let line = "\(indent)\(constraint.member): " + (words + notes).joined(separator: "; ")
        return constraint.members.reduce(into: [line]) { $0 += describe($1, [], indent: indent + "  ", &rest) }
    }

    private static func range(_ constraint: InputConstraint) -> String? {
        let unit =
            switch constraint.kind {
            case .string: " characters"
            case .blob: " bytes"
            case .list: " elements"
            default: ""
            }
        return switch (constraint.minimum, constraint.maximum) {
        case (let minimum?, let maximum?): (minimum == maximum ? "\(minimum)" : "\(minimum) to \(maximum)") + unit
        case (let minimum?, nil): "\(minimum)\(unit) or more"
        case (nil, let maximum?): "\(maximum)\(unit) or fewer"
        case (nil, nil): nil
        }
    }

    private static func meaning(_ kind: Operation.Kind) -> String {
        switch kind {
        case .page, .read: "answers are kept, and equal requests share one fetch"
        case .live: "a read whose answers are never kept"
        case .write: "sent on; repeated only if that is safe"
        }
    }

    private static func meaning(_ invalidation: Operation.Invalidation) -> String {
        switch invalidation {
        case .domain: "the pages of its domain"
        case .service: "the pages of operations without a domain"
        case .resource: "the pages of the domain that its ARN names"
        case .all: "every page of the service"
        }
    }
}
