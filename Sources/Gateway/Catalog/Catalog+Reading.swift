internal import AWSProtocol
internal import Primitives
internal import StrictYAML

/// Why a catalog cannot be used, and where.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The line of the file, from 1.
    public let line: Int
    public let message: String

    public var description: String { "line \(line): \(message)" }
}

extension Catalog {
    /// How large a file may be; the largest of botocore's models makes one of half a MiB.
    static let maxMebibytes = 16

    /// Reads a catalog file; `Config/catalogs/voice-id.yaml` shows and explains the form.
    ///
    /// - Throws: `CatalogError` for the first fault.
    public init(yaml: [UInt8]) throws(CatalogError) {
        let faults = FaultCollector(file: "")
        let root = YAMLText.tree(of: yaml, mebibytes: Self.maxMebibytes, faults: faults)
        if let fault = faults.sorted?.faults.first {
            let key = fault.key.isEmpty ? "" : "\(fault.key): "
            throw CatalogError(line: fault.line, message: key + fault.message)
        }
        guard let root else { throw CatalogError(line: 1, message: "the file is empty") }
        let file = try CatalogMapping(
            root,
            keys: [
                "name", "signingName", "targetPrefix", "errorNamespace", "protocol", "validation", "queryCompatible",
                "queryErrors", "final", "quotas", "operations", "shapes",
            ])
        guard let version = try file.word("protocol", among: JSONVersion.self) else {
            throw file.fault("protocol", "is missing")
        }
        let groups = try Self.groups(try file.mapping("quotas", keys: nil))
        guard let defaultGroup = groups.firstIndex(where: { $0.name == "default" }) else {
            throw file.fault("quotas", "needs a group called 'default' for operations outside the catalog")
        }
        let validation = try file.word("validation", among: Validation.self) ?? .full
        var shapes = try CatalogShapes(try file.mapping("shapes", keys: nil), judgesValues: validation == .full)
        let final = try file.optionalMapping("final", keys: nil)
        var operations: [Operation] = []
        let entries = try file.mapping("operations", keys: nil)
        for name in entries.names.sorted() {
            var operation = try Self.operation(name, entries, groups, validation, &shapes)
            if let status = operation.status {
                operation.final = try final?.strings(operation.input[status].member).map { Array($0.utf8) } ?? []
            }
            operations.append(operation)
        }
        for member in final?.names ?? [] where !operations.contains(where: { $0.status(is: member) }) {
            throw file.fault("final", "'\(member)' is the status of no operation")
        }
        self.init(
            name: try file.string("name"), signingName: try file.string("signingName"),
            targetPrefix: try file.string("targetPrefix"), errorNamespace: try file.string("errorNamespace"),
            validation: validation, version: version, isQueryCompatible: try file.flag("queryCompatible"),
            queryErrors: try Self.queryErrors(file), quotaGroups: groups, defaultGroup: defaultGroup,
            operations: operations)
    }

    private static func queryErrors(_ file: CatalogMapping) throws(CatalogError) -> [String: String] {
        guard let entries = try file.optionalMapping("queryErrors", keys: nil) else { return [:] }
        guard try file.flag("queryCompatible") else { throw file.fault("queryErrors", "needs queryCompatible: true") }
        var errors: [String: String] = [:]
        for name in entries.names {
            let text = try entries.string(name)
            let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, ErrorCode.sanitized(parts[0]) == parts[0],
                ["Sender", "Receiver"].contains(parts[1])
            else { throw entries.fault(name, "must be CODE;Sender or CODE;Receiver") }
            errors[name] = text
        }
        return errors
    }

    private static func groups(_ entries: CatalogMapping) throws(CatalogError) -> [QuotaGroup] {
        var groups: [QuotaGroup] = []
        for name in entries.names {
            let entry = try entries.mapping(name, keys: ["rate", "burst", "source"])
            let rate = try entry.number("rate")
            guard rate > 0 else { throw entry.fault("rate", "must be above 0 requests a second") }
            let burst = try entry.optionalNumber("burst") ?? max(1, rate)
            guard burst >= 1 else { throw entry.fault("burst", "must be 1 request or more") }
            groups.append(
                QuotaGroup(name: name, rate: rate, burst: burst, source: try entry.optionalString("source")))
        }
        return groups
    }

    private static func operation(
        _ name: String, _ entries: CatalogMapping, _ groups: [QuotaGroup], _ validation: Validation,
        _ shapes: inout CatalogShapes
    ) throws(CatalogError) -> Operation {
        let entry = try entries.mapping(
            name,
            keys: [
                "kind", "quota", "domain", "status", "token", "resource", "defaults", "idempotency", "invalidates",
                "tokenLife", "ttl", "timeout", "hostPrefix", "auth", "sensitive", "streams", "input",
            ])
        guard let kind = try entry.word("kind", among: Operation.Kind.self) else {
            throw entry.fault("kind", "is missing")
        }
        let quota = try entry.string("quota")
        guard let group = groups.firstIndex(where: { $0.name == quota }) else {
            let problem = Spelling.problem("names no group under 'quotas'", quota, among: groups.map(\.name))
            throw entry.fault("quota", problem ?? "names no group under 'quotas'")
        }
        let members = try entry.optionalMapping("input", keys: nil)
        let names = members?.names.sorted() ?? []
        var input: [InputConstraint] = []
        for member in names {
            guard let members else { continue }
            input.append(try shapes.constraint(member, members))
        }
        func place(_ key: String) throws(CatalogError) -> Int? {
            guard let member = try entry.optionalString(key) else { return nil }
            guard let place = names.firstIndex(of: member) else {
                let near = Spelling.nearest(to: member, among: names).map { "; did you mean \($0)?" } ?? ""
                throw entry.fault(key, "names no member of 'input'\(near)")
            }
            guard input[place].kind == .string else { throw entry.fault(key, "must name a member that is a string") }
            return place
        }
        let defaults = try entry.optionalMapping("defaults", keys: names)
        var values: [Int64?] = []
        for (place, member) in names.enumerated() {
            let value = try defaults?.optionalInteger(member)
            guard value == nil || input[place].kind == .integer else {
                throw entry.fault("defaults", "\(member) is no whole number")
            }
            values.append(value)
        }
        var invalidates: [Operation.Invalidation] = []
        for word in try entry.strings("invalidates") {
            guard let invalidation = Operation.Invalidation(rawValue: word) else {
                throw entry.fault("invalidates", "may hold domain, service, resource and all")
            }
            if invalidation == .domain || invalidation == .resource, try place(word) == nil {
                throw entry.fault("invalidates", "'\(word)' needs the key '\(word)', which names the member")
            }
            invalidates.append(invalidation)
        }
        let token = try place("token")
        let life = try entry.optionalDuration("tokenLife")
        guard life == nil || token != nil else {
            throw entry.fault("tokenLife", "needs the key 'token', which names the member")
        }
        return Operation(
            name: name, kind: kind, quotaGroup: group, isJudged: validation != .off, input: input,
            memberNames: names.map { Array($0.utf8) },
            defaults: values, domain: try place("domain"), status: try place("status"),
            resource: try place("resource"), idempotencyToken: try place("idempotency"), invalidates: invalidates,
            ttl: try entry.optionalDuration("ttl"), timeout: try entry.optionalDuration("timeout"),
            hostPrefix: try hostPrefix(entry), isSensitive: try entry.flag("sensitive"),
            isUnsigned: try isUnsigned(entry, kind),
            freshToken: life.flatMap { life in
                token.map { Operation.FreshToken(member: Array(names[$0].utf8), life: life) }
            },
            isStream: try entry.flag("streams"))
    }

    private static func isUnsigned(_ entry: CatalogMapping, _ kind: Operation.Kind) throws(CatalogError) -> Bool {
        guard let word = try entry.optionalString("auth") else { return false }
        guard word == "none" else { throw entry.fault("auth", "may be 'none' alone") }
        // Its answers are made for the holder of a secret in the request.
        guard !kind.isCached else { throw entry.fault("auth", "'none' goes with the kinds live and write alone") }
        return true
    }

    /// A word that may stand before a host name: it becomes part of it.
    private static func hostPrefix(_ entry: CatalogMapping) throws(CatalogError) -> String? {
        guard let prefix = try entry.optionalString("hostPrefix") else { return nil }
        let isWord = prefix.utf8.allSatisfy {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        guard isWord, (1...63).contains(prefix.utf8.count), prefix.utf8.first != UInt8(ascii: ".") else {
            throw entry.fault("hostPrefix", "must be a word for the beginning of a host name, such as sync-")
        }
        return prefix
    }
}

extension Operation {
    fileprivate func status(is member: String) -> Bool {
        status.map { input[$0].member.utf8.elementsEqual(member.utf8) } ?? false
    }
}
