internal import Gateway
internal import GatewayFront

/// The keys in which a file differs from the configuration that runs, and what becomes of each.
struct ConfigurationDifference: Equatable {
    /// The values of a key before and after; `nil` where it has none.
    struct Change: Equatable {
        let key: String
        let old: String?
        let new: String?
    }

    /// What takes effect at once.
    private(set) var changed: [Change] = []
    /// What takes effect at the next start.
    private(set) var needsRestart: [Change] = []

    /// - Parameters:
    ///   - running: the configuration in use.
    ///   - file: the one that is wanted.
    ///   - secrets: those in use, and those that the file's references lead to now; `nil` if they are not to be compared.
    init(
        from running: Configuration, to file: Configuration, secrets: (running: SecretValues, file: SecretValues)? = nil
    ) {
        let old = ConfigurationValues(running)
        let new = ConfigurationValues(file)
        let effective = ConfigurationValues(running.reloaded(as: file))
        let known = Set(old.keys)
        var entries: Set<String> = []
        for key in old.keys + new.keys.filter({ !known.contains($0) }) {
            if let owner = old.owners[key] ?? new.owners[key],
                old.entries.contains(owner) != new.entries.contains(owner)
            {
                // A caller or a service that is new, or gone, is one difference.
                guard entries.insert(owner).inserted else { continue }
                let change = Change(
                    key: owner, old: old.entries.contains(owner) ? "there" : nil,
                    new: new.entries.contains(owner) ? "there" : nil)
                if effective.entries.contains(owner) == new.entries.contains(owner) {
                    changed.append(change)
                } else {
                    needsRestart.append(change)
                }
                continue
            }
            // The value that is in use next, if that is another; and the one that is still wanted then.
            if effective[key] != old[key] { changed.append(Change(key: key, old: old[key], new: effective[key])) }
            if new[key] != effective[key] { needsRestart.append(Change(key: key, old: old[key], new: new[key])) }
        }
        addAnonymous(running, running.reloaded(as: file), file)
        guard let secrets else { return }
        let named = Set((changed + needsRestart).map(\.key))
        for key in secrets.file.keysThatDiffer(from: secrets.running) where !named.contains(key) {
            let change = Change(key: key, old: "a secret", new: "another secret")
            if key.hasPrefix("shared.") { needsRestart.append(change) } else { changed.append(change) }
        }
    }

    /// Catalogs are read at the start: that of one of these services has another content now.
    mutating func addEditedCatalogs(of services: [Configuration.ServiceEntry]) {
        for service in services {
            let key = "services.\(service.name).catalog"
            guard !needsRestart.contains(where: { $0.key == key || $0.key == "services.\(service.name)" }) else {
                continue
            }
            needsRestart.append(Change(key: key, old: "as it was read", new: "edited"))
        }
    }

    /// The rule for callers without a key depends on whether there are callers: it may change where its own key does not.
    private mutating func addAnonymous(_ old: Configuration, _ effective: Configuration, _ new: Configuration) {
        let (old, effective, new) = (old.effectiveAnonymous, effective.effectiveAnonymous, new.effectiveAnonymous)
        let key = "anonymous"
        if effective != old, !changed.contains(where: { $0.key == key }) {
            changed.append(Change(key: key, old: old.rawValue, new: effective.rawValue))
        }
        if new != effective, !needsRestart.contains(where: { $0.key == key }) {
            needsRestart.append(Change(key: key, old: old.rawValue, new: new.rawValue))
        }
    }

    var isEmpty: Bool { changed.isEmpty && needsRestart.isEmpty }
}

extension Configuration {
    /// The configuration that a reload puts in this one's place: another file's, but for what needs a restart, which stays. Whatever is not
    /// named here needs one.
    func reloaded(as file: Configuration) -> Configuration {
        var result = self
        result.listen.hosts = file.listen.hosts
        // Whether there is TLS is a property of the listener; its files are not.
        if listen.tls != nil, let tls = file.listen.tls { result.listen.tls = tls }
        result.admin.token = file.admin.token
        result.services = services.map { service in
            file.services.first { $0.name == service.name }.map { service.reloaded(as: $0) } ?? service
        }
        (result.retry, result.breaker) = (file.retry, file.breaker)
        result.cache = cache.reloaded(as: file.cache)
        (result.limits, result.callers, result.anonymous) = (file.limits, file.callers, file.anonymous)
        if shared?.quotas != true { result.replicas = file.replicas }
        (result.drain, result.reload) = (file.drain, file.reload)
        (result.log.level, result.log.access) = (file.log.level, file.log.access)
        result.wording = file.wording
        keepClosed(&result, file)
        return result
    }

    /// A rule that only a listener on loopback allows does not hold while the listener is open to other machines, which it is until the
    /// restart. A token that is missing may be so by mistake: operators are asked for it until the restart.
    private func keepClosed(_ result: inout Configuration, _ file: Configuration) {
        if !listen.address.isLoopback, file.listen.address.isLoopback, result.effectiveAnonymous != .deny {
            result.anonymous = effectiveAnonymous
        }
        if file.admin.token == nil { result.admin.token = admin.token }
    }

    /// Why a reload refuses a file that a restart would take, a line each.
    func refusals(ofReloadAs file: Configuration) -> [String] {
        // A disk that is full, or a program that writes in place, leaves the beginning of a file.
        if file.wording.isEmpty, !wording.isEmpty { return ["the file has no keys: it may not be written yet"] }
        if file.callers.isEmpty, !callers.isEmpty, !file.wording.listsCallers, file.anonymous == nil {
            return [
                "callers: the file has none, and may be half written: where all are to go, it must have callers: [] or anonymous"
            ]
        }
        return reloaded(as: file).reloadProblems.map {
            "\($0.key): \($0.problem) (of the running gateway, whose addresses change at a restart)"
        }
    }

    /// The rules between keys that a reload could break, although the file keeps them: some of its keys do not take effect yet.
    var reloadProblems: [(key: String, problem: String)] {
        [
            ("listen.address", exposureProblem), ("admin.token", adminProblem), ("callers", certificateProblem),
            ("services", passthroughProblem),
        ].compactMap { key, problem in problem.map { (key, $0) } }
    }
}

extension Configuration.Cache {
    fileprivate func reloaded(as file: Self) -> Self {
        var result = file
        // Where nothing follows how pages change, nothing is remembered of them.
        if !ttl.isAdaptive, refreshAhead.share == 0, file.ttl.isAdaptive { result.ttl.operation = ttl.operation }
        result.refreshAhead = refreshAhead
        result.snapshot = snapshot
        return result
    }
}

extension Configuration.ServiceEntry {
    fileprivate func reloaded(as file: Self) -> Self {
        var result = self
        (result.timeouts, result.headroom, result.maxReplyBytes) = (file.timeouts, file.headroom, file.maxReplyBytes)
        // Those of another catalog have other names.
        if catalog == file.catalog {
            result.quotas = file.quotas
        } else {
            result.timeouts.operation = timeouts.operation
        }
        // Whose signature is sent is a property of the service; with what the gateway signs is not.
        if signing == file.signing, endpoint == file.endpoint { result.credentials = file.credentials }
        return result
    }
}
