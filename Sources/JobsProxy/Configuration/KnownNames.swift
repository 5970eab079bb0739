internal import AWSProtocol
internal import Gateway
internal import StrictYAML

/// The names that the configuration may have for what the catalogs of its services hold: operations, statuses, domains. A name that
/// can match none of them does nothing, and is nearly always misspelt.
struct KnownNames {
    private var services: [(name: [UInt8], operations: [[UInt8]])] = []
    /// The values that pages may be filtered by; `nil` if some operation takes any.
    private var statuses: [String]? = []
    /// The members that name a domain.
    private var domains: [InputConstraint] = []

    init() {}

    init(_ service: String, _ catalog: Catalog) { add(service, catalog) }

    mutating func add(_ service: String, _ catalog: Catalog) {
        services.append((Array(service.utf8), catalog.operations.map { Array($0.name.utf8) }))
        for operation in catalog.operations {
            if let status = operation.status { add(statuses: operation.input[status].values) }
            if let domain = operation.domain, !domains.contains(operation.input[domain]) {
                domains.append(operation.input[domain])
            }
        }
    }

    private mutating func add(statuses values: [String]) {
        guard let known = statuses else { return }
        statuses = values.isEmpty ? nil : known + values.filter { !known.contains($0) }
    }

    /// The problem with a name that means no operation; `nil` for any other.
    func problem(ofOperation name: String) -> String? {
        let pattern = OperationPattern(name)
        let isKnown = services.contains { service in
            service.operations.contains { pattern.matches(service: service.name, operation: $0) }
        }
        if isKnown { return nil }
        let known = services.flatMap { service in
            let prefix = name.utf8.contains(UInt8(ascii: ":")) ? service.name + [UInt8(ascii: ":")] : []
            return service.operations.map { String(decoding: prefix + $0, as: UTF8.self) }
        }
        return Spelling.problem("is no operation of a configured service", name, among: known) { _ in
            "'jobs-proxy catalog show' lists those of the catalogs"
        }
    }

    /// The problem with a status that no page is filtered by; `nil` for any other.
    func problem(ofStatus name: String) -> String? {
        guard let statuses else { return nil }
        return Spelling.problem(
            "is no status that an operation of a configured service is filtered by", name, among: statuses
        ) {
            $0.isEmpty ? "none of them has a status" : "there are \($0.sorted().joined(separator: ", "))"
        }
    }

    /// The problem with a domain's id that no operation takes; `nil` for any other, and for patterns.
    func problem(ofDomain name: String) -> String? {
        guard !name.utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }), !domains.isEmpty
        else {
            return nil
        }
        let isTaken = domains.contains { domain in
            var allowance = MatchAllowance()
            return domain.violations(string: Array(name.utf8), &allowance).isEmpty
        }
        if isTaken { return nil }
        let members = Set(domains.map(\.member)).sorted().joined(separator: ", ")
        return "is no value of \(members) that an operation takes, so it permits nothing; with * it is a pattern"
    }
}

extension Catalog {
    func problem(ofGroup name: String) -> String? {
        Spelling.problem(
            "is no quota group of the catalog \(self.name.quoted)", name, among: quotaGroups.map(\.name)
        ) { "it has \($0.joined(separator: ", "))" }
    }
}
