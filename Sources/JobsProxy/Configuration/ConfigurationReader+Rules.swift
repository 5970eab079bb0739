internal import Gateway
internal import GatewayFront
internal import StrictYAML
internal import Upstream

// The rules between keys. Each is a problem, or `nil` if the rule holds.

// MARK: Listeners

extension Configuration {
    /// Without callers, every client that reaches the client listener may use it.
    var exposureProblem: String? {
        if listen.address.isLoopback || anonymous == .allow || !callers.isEmpty { return nil }
        return "\(listen.address) can be reached from other machines, and no callers are configured: listen on "
            + "127.0.0.1:\(listen.address.port), list 'callers', or set 'anonymous: allow' if all who reach it may use it"
    }

    /// Without a token, every client that reaches the admin listener may purge pages and see the state.
    var adminProblem: String? {
        if admin.address.isLoopback || admin.token != nil { return nil }
        return "\(admin.address) can be reached from other machines: give the admin listener a token, as "
            + "{env: NAME} or {file: PATH}, or a loopback address such as 127.0.0.1:\(admin.address.port)"
    }

    var sharedAddressProblem: String? {
        guard admin.address == listen.address, listen.address.isFixed else { return nil }
        return "listen and admin have one address (\(listen.address)): give one of them another "
            + (listen.address.path == nil ? "port" : "path")
    }
}

// MARK: Callers

extension Configuration {
    /// A caller with a certificate needs a listener that asks for certificates.
    var certificateProblem: String? {
        guard listen.tls?.clientCA == nil, let caller = callers.first(where: { $0.certificate != nil }) else {
            return nil
        }
        return
            "\(caller.name.quoted) is known by a certificate, which no client can show: set listen.tls with a clientCA"
    }

    /// The gateway cannot verify a signature that it passes on.
    var passthroughProblem: String? {
        guard services.contains(where: { $0.signing == .passthrough }), effectiveAnonymous == .deny,
            !callers.contains(where: { $0.certificate != nil })
        else { return nil }
        return
            "a service with 'signing: passthrough' serves nobody when 'anonymous' is deny, which it is beside callers: its "
            + "signatures cannot be verified here. Set 'anonymous: loopback' or 'allow' (which admit unsigned requests to the "
            + "other services too), or run two gateways"
    }
}

extension Configuration.Caller {
    var reservedNameProblem: String? {
        guard ["anonymous", "unknown"].contains(name) else { return nil }
        return "'\(name)' means somebody without a name: choose another"
    }

    var repeatedNameProblem: String { "\(name.quoted) is the name of another caller too: give each its own" }

    static func repeatedKeyProblem(_ key: Configuration.AccessKey) -> String {
        "the access key id \(key.accessKeyID.quoted) is there twice: a key belongs to one caller"
    }

    static var repeatedCertificateProblem: String {
        "names the certificate of another caller too: a certificate belongs to one caller"
    }

    var identityProblem: String? {
        keys.isEmpty && certificate == nil
            ? "is missing: a caller is known by keys ('jobs-proxy caller add' makes one) or by a certificate" : nil
    }
}

// MARK: Services

extension Configuration.ServiceEntry {
    /// The service refuses a signature for another Region than its own.
    var regionProblem: String? {
        guard case .origin(let origin) = endpoint, let own = AWSHost.region(of: origin.host), own != region else {
            return nil
        }
        return
            "is \(region), but the endpoint \(origin.host) is in \(own), which refuses what is signed for another Region: "
            + "write region: \(own), or the endpoint in \(region)"
    }

    /// - Parameter others: the scopes of the other services.
    func loneScopeProblem(_ others: [String]) -> String? {
        guard let quotaScope, !others.isEmpty else { return nil }
        return Spelling.problem("is no other service's, so no quota is shared", quotaScope, among: others) { _ in
            "give the same one to the services of one account"
        }
    }

    var signingProblem: String? {
        guard signing == .passthrough else { return nil }
        if endpoint == .sandbox { return "the embedded sandbox needs no signature: leave out 'signing: passthrough'" }
        return credentials == .default ? nil : "are not used with 'signing: passthrough': leave one of the two out"
    }

}

extension Configuration.ServiceEntry.CatalogSource {
    /// A built-in catalog's name is its own; a file's, the file's without folders and extension.
    var serviceName: String {
        let file = name.split(separator: "/").last ?? ""
        return String(file.split(separator: ".").first ?? "")
    }
}

extension Configuration.ServiceEntry {
    /// - Parameters:
    ///   - isShared: true if another service has the same catalog.
    ///   - taken: the services before this one, by name.
    func nameProblem(isWritten: Bool, isShared: Bool, taken: [String: Int]) -> String? {
        if !isWritten, isShared { return "is missing: other services have the catalog \(catalog.name.quoted) too" }
        if let index = taken[name] { return "\(name.quoted) is the name of services[\(index)] too: give each its own" }
        if !isWritten, !ValueParser.isName(name) { return "is missing: \(catalog.name.quoted) makes no name" }
        return nil
    }

    /// Quota groups are shared one by one, so their catalog must be the same.
    func scopeProblem(_ others: ArraySlice<Self>) -> String? {
        guard let quotaScope,
            let index = others.firstIndex(where: {
                $0.quotaScope == quotaScope && $0.catalog.bytes != catalog.bytes
            })
        else { return nil }
        return "\(quotaScope.quoted) is the scope of services[\(index)] too, which has another catalog: services that "
            + "share quotas have one catalog"
    }
}

extension Configuration.ServiceEntry.Timeouts {
    static func problem(_ inner: String, _ time: Int64, within outer: String, _ limit: Int64) -> String? {
        guard time > limit else { return nil }
        let (time, limit) = (Units.spelled(nanoseconds: time), Units.spelled(nanoseconds: limit))
        return "\(inner) (\(time)) must not be longer than \(outer) (\(limit)): shorten \(inner) or lengthen \(outer)"
    }
}

extension Configuration.Rate {
    /// The buckets count in nanoseconds; a year of them leaves room for every sum.
    var burstProblem: String? {
        let most = max(rate, 1 / 86_400) * 365 * 86_400
        guard Double(burst) > most else { return nil }
        return "burst (\(burst)) must not be more than a year of the rate brings (\(Int(most))): raise the rate or "
            + "lower the burst"
    }
}

// MARK: Waiting and keeping

extension RetryPolicy {
    var delayProblem: String? {
        guard baseDelay > maxDelay else { return nil }
        let (base, limit) = (Units.spelled(nanoseconds: baseDelay), Units.spelled(nanoseconds: maxDelay))
        return "baseDelay (\(base)) must not be longer than maxDelay (\(limit)): shorten baseDelay or lengthen maxDelay"
    }
}

extension Configuration.Cache {
    /// A page is served for that long at most, and the NextToken in it is good for a day.
    var lifeProblem: String? {
        let life = ttl.longest + staleWhileRevalidate + staleIfError
        guard life >= 24 * .hour else { return nil }
        return "the longest ttl (\(Units.spelled(nanoseconds: ttl.longest))), staleWhileRevalidate "
            + "(\(Units.spelled(nanoseconds: staleWhileRevalidate))) and staleIfError "
            + "(\(Units.spelled(nanoseconds: staleIfError))) must stay below 24h together, the life of a NextToken: "
            + "shorten one of them"
    }
}

extension Configuration {
    var replicasProblem: String? {
        replicas > 1 && shared?.quotas == true
            ? "must be left out: with shared.quotas each gateway takes its tokens from the whole quota" : nil
    }
}
