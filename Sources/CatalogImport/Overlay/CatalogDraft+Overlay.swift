internal import Gateway
internal import StrictYAML

extension CatalogDraft {
    /// Lays an overlay on the draft, line by line; what does not fit is a fault with its line.
    ///
    /// - Parameter known: the names of all operations of the model, those that the draft leaves out among them.
    mutating func apply(_ overlay: Overlay, known: Set<String>, faults: FaultCollector) {
        for (name, group) in overlay.groups {
            if let place = groups.firstIndex(where: { $0.name == name.value }) {
                groups[place] = group
            } else {
                groups.append(group)
            }
        }
        applyFinal(overlay, faults)
        let names = Set(groups.map(\.name)).sorted()
        for rule in overlay.rules {
            guard let group = rule.words["quota"],
                let problem = Spelling.problem(
                    "\(group.value.quoted) is no group under 'quotas'", group.value, among: names)
            else { continue }
            faults.add(line: group.line, key: "rules.\(rule.pattern.value).quota", problem)
        }
        // Exact names go before patterns, each in the order of the file; the first that says something of a key is followed.
        let rules = overlay.rules.filter { !$0.isGlob } + overlay.rules.filter(\.isGlob)
        let changesParents = rules.contains { $0.words["domain"] != nil }
        for rule in rules { check(rule, known, faults) }
        for place in operations.indices {
            // A catalog's invalidations hold for its own parents.
            if changesParents { operations[place].invalidates = nil }
            let name = Array(operations[place].name.utf8)
            for rule in rules.reversed() where rule.matches(name) { operations[place].apply(rule) }
        }
        for place in operations.indices { settle(place, rules, faults) }
        for (member, _) in overlay.final
        where faults.count == 0 && !operations.contains(where: { $0.status == member.value }) {
            faults.add(line: member.line, key: "final.\(member.value)", "is the status of no page")
        }
    }

    private mutating func applyFinal(_ overlay: Overlay, _ faults: FaultCollector) {
        for (member, values) in overlay.final {
            let holders = operations.flatMap(\.input).filter { $0.name.utf8.elementsEqual(member.value.utf8) }
            guard holders.contains(where: \.isString) else {
                faults.add(
                    line: member.line, key: "final.\(member.value)",
                    "is no member that is a string of an operation here")
                continue
            }
            // A catalog without values knows none of the enumeration's.
            let possible = Set(holders.flatMap(\.values))
            for value in values where !possible.isEmpty && !possible.contains(value.value) {
                faults.add(
                    line: value.line, key: "final.\(member.value)",
                    "\(value.value.quoted) is none of its values, \(possible.sorted().joined(separator: ", "))")
            }
            final.removeAll { $0.member == member.value }
            final.append((member.value, values.map(\.value)))
        }
    }

    /// The names of a rule must be the model's: of an exact rule in its operation, of a pattern's in one of those that match.
    private func check(_ rule: Overlay.Rule, _ known: Set<String>, _ faults: FaultCollector) {
        let path = "rules.\(rule.pattern.value)"
        let matched = operations.filter { rule.matches(Array($0.name.utf8)) }
        guard !matched.isEmpty else {
            let isKnown = known.contains { rule.matches(Array($0.utf8)) }
            let near = Spelling.nearest(to: rule.pattern.value, among: operations.map(\.name))
            let problem =
                isKnown
                ? "matches only operations that 'operations' leaves out"
                : "matches no operation of the model\(near.map { "; did you mean \($0)?" } ?? "")"
            return faults.add(line: rule.pattern.line, key: path, problem)
        }
        for key in Overlay.memberKeys {
            guard let word = rule.words[key], !matched.contains(where: { $0.member(word.value)?.isString == true })
            else { continue }
            let names = matched.count == 1 ? "; it has \(matched[0].input.map(\.name).joined(separator: ", "))" : ""
            faults.add(
                line: word.line, key: "\(path).\(key)", "\(word.value.quoted) is no member that is a string\(names)")
        }
        for (member, _) in rule.defaults ?? []
        where !matched.contains(where: { $0.member(member.value)?.isInteger == true }) {
            faults.add(
                line: member.line, key: "\(path).defaults", "\(member.value.quoted) is no member that is a whole number"
            )
        }
    }

    /// An operation whose answers must not be kept stays `live`; keys that do not go with the kind are left out.
    private mutating func settle(_ place: Int, _ rules: [Overlay.Rule], _ faults: FaultCollector) {
        let operation = operations[place]
        if operation.kind.isCached, let secret = operation.secret {
            let name = Array(operation.name.utf8)
            let line = rules.first { $0.kind != nil && $0.matches(name) }?.kind?.line ?? 1
            faults.add(
                line: line, key: "rules.\(operation.name).kind",
                "must be live: \(secret.quoted) is sensitive, a secret, or good for one caller and moment")
        }
        if operation.kind != .page { operations[place].status = nil }
        if !operation.kind.isCached { operations[place].defaults = [] }
        if operation.kind == .write {
            operations[place].isSensitive = false
        } else {
            operations[place].idempotency = nil
            operations[place].invalidates = []
        }
    }
}

extension Overlay.Rule {
    func matches(_ name: [UInt8]) -> Bool { Glob(pattern.value).matches(name) }
}

extension DraftOperation {
    /// Takes what a rule says. A member that the operation does not have is passed over: another that matches has it.
    fileprivate mutating func apply(_ rule: Overlay.Rule) {
        func member(_ key: String) -> String? {
            rule.words[key].flatMap { self.member($0.value)?.isString == true ? $0.value : nil }
        }
        if let kind = rule.kind { self.kind = kind.kind }
        quota = rule.words["quota"]?.value ?? quota
        domain = member("domain") ?? domain
        resource = member("resource") ?? resource
        status = member("status") ?? status
        token = member("token") ?? token
        idempotency = member("idempotency") ?? idempotency
        tokenLife = rule.words["tokenLife"]?.value ?? tokenLife
        ttl = rule.words["ttl"]?.value ?? ttl
        timeout = rule.words["timeout"]?.value ?? timeout
        hostPrefix = rule.words["hostPrefix"]?.value ?? hostPrefix
        invalidates = rule.invalidates?.map(\.value) ?? invalidates
        // An output that the model calls sensitive stays so.
        isSensitive = (rule.isSensitive ?? isSensitive) || secret != nil
        if let values = rule.defaults {
            defaults = values.compactMap { name, value in
                self.member(name.value)?.isInteger == true ? (name.value, value) : nil
            }
        }
    }
}
