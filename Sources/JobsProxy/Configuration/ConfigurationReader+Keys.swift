internal import Gateway
internal import HTTPFront
internal import StrictYAML
internal import Telemetry
internal import Upstream

// Every key of the configuration file: its name, its parser, its field. `ConfigurationReader+Rules` has the rules between keys.

extension Configuration {
    mutating func read(_ file: Mapping, _ catalog: ConfigurationReader.CatalogLoader?) {
        // First, because callers and limits name their operations.
        let operations = readServices(file, catalog)
        // Before the listener, which they open to other machines.
        file.optional("anonymous", .choice, &anonymous)
        readCallers(file, operations)
        file.check("services", "callers", "anonymous") { passthroughProblem }
        file.section("listen") { section in
            section.value("address", .address, &listen.address)
            section.section("tls") { tls in listen.tls = .init(tls) }
            section.texts("hosts", .host, &listen.hosts)
            section.texts("trustedProxies", .proxy, &listen.trustedProxies)
            section.value("trusted", .flag, &listen.trusted)
            section.value("metrics", .flag, &listen.metrics)
            section.check("address") {
                file.accepted("anonymous") && file.accepted("callers") ? exposureProblem : nil
            }
        }
        file.section("admin") { section in
            section.value("address", .address, &admin.address)
            section.secret("token", &admin.token)
            section.check("address", "token") { adminProblem }
        }
        file.check("admin", "listen") { sharedAddressProblem }
        file.check("callers", "listen") { certificateProblem }
        file.section("http") { http.read($0) }
        file.section("retry") { retry.read($0) }
        file.section("breaker") { breaker.read($0) }
        file.section("cache") { cache.read($0, operations) }
        file.section("limits") { limits.read($0, operations) }
        file.value("replicas", .whole(1...1_000), &replicas)
        file.section("shared") { shared = Shared($0) }
        file.check("replicas", "shared") { replicasProblem }
        // A time alone is the total.
        let usual = drain.total
        var alone = usual
        file.value("drain", .duration(from: 0, to: .hour), &alone) { drain.read($0) }
        if alone != usual { drain.total = alone }
        file.value("reload", .choice, &reload)
        file.section("log") { log.read($0) }
        file.section("tracing") { tracing = Tracing($0) }
    }

    private mutating func readCallers(_ file: Mapping, _ operations: KnownNames?) {
        // Names and key ids are ASCII, so that equal texts have the same bytes.
        var names: Set<String> = []
        var keyIDs: Set<String> = []
        var certificates: Set<PeerCertificate.Name> = []
        wording.listsCallers = file.isList("callers")
        file.list("callers", mayBeEmpty: true) { section in
            let caller = Caller(section, operations)
            section.check("name") { names.insert(caller.name).inserted ? nil : caller.repeatedNameProblem }
            section.check("keys") {
                caller.keys.first { !keyIDs.insert($0.accessKeyID).inserted }.map(Caller.repeatedKeyProblem)
            }
            section.check("certificate") {
                guard let name = caller.certificate else { return nil }
                return certificates.insert(name).inserted ? nil : Caller.repeatedCertificateProblem
            }
            callers.append(caller)
        }
    }

    /// - Returns: the operations of the services; `nil` if a catalog is not known.
    private mutating func readServices(
        _ file: Mapping, _ catalog: ConfigurationReader.CatalogLoader?
    ) -> KnownNames? {
        var read: [(service: ServiceEntry, section: Mapping)] = []
        var operations: KnownNames? = KnownNames()
        file.list("services") { section in
            var service = ServiceEntry()
            let found = service.read(section, catalog)
            if let found { operations?.add(service.name, found) } else { operations = nil }
            read.append((service, section))
        }
        guard !read.isEmpty else {
            guard file.accepted("services"), let found = try? catalog?(ServiceEntry().catalog) else { return nil }
            operations?.add(ServiceEntry().name, found)
            return operations
        }
        services = read.map(\.service)
        // The name of a service with a refused catalog is not known.
        let good = zip(0..., read).filter { $0.1.section.accepted("catalog") }
        let sharers = Dictionary(grouping: good) { $0.1.service.catalog.bytes }
        var taken: [String: Int] = [:]
        for (index, (service, section)) in good {
            section.check("name") {
                let isShared = sharers[service.catalog.bytes, default: []].count > 1
                return service.nameProblem(isWritten: section.holds("name"), isShared: isShared, taken: taken)
            }
            section.check("quotaScope", "catalog") { service.scopeProblem(services[..<index]) }
            section.check("quotaScope", as: .warning) {
                service.loneScopeProblem(
                    read.enumerated().filter { $0.offset != index }.compactMap(\.element.service.quotaScope))
            }
            if taken[service.name] == nil { taken[service.name] = index }
        }
        return operations
    }
}

extension Configuration.HTTP {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("maxFields", .whole(1...1_000), &maxFields)
        section.value("maxFieldBytes", .size(from: 64, to: .mebibyte), &maxFieldBytes)
        section.value("maxHeadBytes", .size(from: 64, to: .mebibyte), &maxHeadBytes)
        section.value("maxBodyBytes", .size(from: 64, to: 16 * .mebibyte), &maxBodyBytes)
        section.value("headTimeout", .duration(from: .millisecond, to: .hour), &headTimeout)
        section.value("bodyTimeout", .duration(from: .millisecond, to: .hour), &bodyTimeout)
        section.value("idleTimeout", .duration(from: .millisecond, to: .hour), &idleTimeout)
        section.value("maxConnections", .whole(0...1_000_000), &maxConnections)
        section.value("maxConnectionsPerPeer", .whole(0...1_000_000), &maxConnectionsPerPeer)
        section.value("maxUnsentBytes", .size(from: .mebibyte, to: 1_024 * .gibibyte), &maxUnsentBytes)
    }
}

extension Configuration.ServiceEntry {
    /// - Returns: its catalog; `nil` if that is not known.
    fileprivate mutating func read(
        _ section: Mapping, _ loader: ConfigurationReader.CatalogLoader?
    ) -> Catalog? {
        var (name, model, overlay) = (catalog.name, nil as String?, nil as String?)
        section.value("catalog", .text, &name) { section in
            section.optional("model", .text, &model)
            section.require("model", "is missing: a built-in catalog's name, or the path of a catalog or a model")
            section.optional("overlay", .text, &overlay)
        }
        catalog = CatalogSource(name: model ?? name, overlay: overlay)
        var found: Catalog?
        section.check(
            "catalog",
            each: {
                do throws(CommandFailure) { found = try loader?(catalog) } catch {
                    // A line for each fault of the catalog or its overlay, with its place there.
                    return "\(error)".split(separator: "\n").map(String.init)
                }
                return []
            })
        self.name = catalog.serviceName
        section.value("name", .name, &self.name)
        section.value("endpoint", .endpoint, &endpoint)
        section.value("region", .region, &region)
        section.value("signing", .choice, &signing)
        // A passed on signature is its caller's, but the Region still chooses the service.
        section.check("region", "endpoint", as: signing == .resign ? .error : .warning) { regionProblem }
        section.section("credentials", orWord: "default") { credentials = .keys(.init($0, mayHaveToken: true)) }
        section.check("credentials", "signing") { signingProblem }
        section.value("http2", .choice, &http2)
        section.optional("caBundle", .text, &caBundle)
        section.optional("proxy", .origin, &proxy)
        section.value("maxConnections", .whole(1...10_000), &maxConnections)
        section.value("maxReplyBytes", .size(from: .kibibyte, to: .gibibyte), &maxReplyBytes)
        let operations = found.map { KnownNames(self.name, $0) }
        section.section("timeouts") { timeouts.read($0, operations) }
        section.value("headroom", .number(0...0.5), &headroom)
        section.sections("quotas", { found?.problem(ofGroup: $0) }) { quotas[$0] = .required($1) }
        section.optional("quotaScope", .name, &quotaScope)
        return found
    }
}

extension Configuration.AccessKey {
    fileprivate init(_ section: Mapping, mayHaveToken: Bool = false) {
        section.value("accessKeyId", .accessKeyID, &accessKeyID)
        section.secret("secretAccessKey", &secretAccessKey)
        if mayHaveToken { section.secret("sessionToken", &sessionToken) }
        section.require("accessKeyId", "is missing: it stands with its secretAccessKey")
        section.require("secretAccessKey", "is missing: say where it is kept, as {env: NAME} or {file: PATH}")
    }
}

extension Configuration.TLS {
    fileprivate init(_ section: Mapping) {
        line = section.line
        section.value("certificate", .text, &certificate)
        section.value("key", .text, &key)
        section.optional("clientCA", .text, &clientCA)
        section.require("certificate", "is missing: the path of a PEM file with the listener's certificate chain")
        section.require("key", "is missing: the path of a PEM file with the certificate's private key")
    }
}

extension Configuration.Caller {
    fileprivate init(_ section: Mapping, _ known: KnownNames?) {
        section.value("name", .name, &name)
        section.require("name", "is missing: it stands in metrics and logs")
        section.check("name") { reservedNameProblem }
        section.list("keys", mayBeEmpty: true, isSecret: true) { keys.append(.init($0)) }
        section.section("certificate") { certificate = Self.certificate($0) }
        section.check("keys", "certificate") { identityProblem }
        section.texts("domains", .text, &domains, .warning) { known?.problem(ofDomain: $0) }
        section.texts("operations", .operationName, &operations) { known?.problem(ofOperation: $0) }
        section.section("limit") { limit = .required($0) }
        section.value("weight", .number(0.01...1_000), &weight)
        section.value("noCache", .flag, &noCache)
    }

    private static func certificate(_ section: Mapping) -> PeerCertificate.Name? {
        var names: [PeerCertificate.Name?] = []
        for (key, parser) in ValueParser<PeerCertificate.Name>.certificateNames {
            var name: PeerCertificate.Name?
            section.optional(key, parser, &name)
            names.append(name)
        }
        let given = names.compactMap { $0 }
        section.check("subject", "dns", "uri", "ip", "email", "san") {
            given.count == 1
                ? nil : "must be one of subject, dns, uri, ip and email: a name in the caller's certificate"
        }
        return given.first
    }
}

extension Configuration.ServiceEntry.Timeouts {
    fileprivate mutating func read(_ section: Mapping, _ known: KnownNames?) {
        section.value("connect", .duration(from: .millisecond, to: .hour), &connect)
        section.value("attempt", .duration(from: .millisecond, to: .hour), &attempt)
        section.value("call", .duration(from: .millisecond, to: .hour), &call)
        section.table("operation", .duration(from: .millisecond, to: .hour), &operation, names: .operationName) {
            known?.problem(ofOperation: $0)
        }
        section.check("connect", "attempt") { Self.problem("connect", connect, within: "attempt", attempt) }
        section.check("attempt", "call") { Self.problem("attempt", attempt, within: "call", call) }
    }
}

extension Configuration.Rate {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("rate", .rate, &rate)
        if section.holds("rate") { burst = Self.burst(of: rate) }
        section.value("burst", .whole(1...10_000_000), &burst)
        section.value("shadow", .flag, &shadow)
        section.check("burst", "rate") { burstProblem }
    }

    /// A limit that has no default: its rate must be there.
    fileprivate static func required(_ section: Mapping) -> Self {
        var rate = Configuration.Rate(rate: 1, burst: 1)
        rate.read(section)
        section.require("rate", "is missing: say how many requests a second there may be")
        return rate
    }
}

extension RetryPolicy {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("maxAttempts", .whole(1...10), &maxAttempts)
        section.value("baseDelay", .duration(from: 0, to: .minute), &baseDelay)
        section.value("maxDelay", .duration(from: 0, to: .minute), &maxDelay)
        section.section("budget") { section in
            section.value("ratio", .number(0...1), &budget.ratio)
            section.value("reserve", .whole(0...1_000_000), &budget.reserve)
        }
        section.check("baseDelay", "maxDelay") { delayProblem }
    }
}

extension Configuration.Drain {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("total", .duration(from: 0, to: .hour), &total)
        section.optional("lameDuck", .duration(from: 0, to: .hour), &lameDuck)
        section.check("lameDuck", "total") {
            lameDuck.flatMap { Configuration.ServiceEntry.Timeouts.problem("lameDuck", $0, within: "total", total) }
        }
    }
}

extension Configuration.Breaker {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("failures", .whole(1...1_000), &failures)
        section.value("openFor", .duration(from: .millisecond, to: .hour), &openFor)
    }
}

extension Configuration.Cache {
    /// - Parameter known: the operations of the services; `nil` if they are not known.
    fileprivate mutating func read(_ section: Mapping, _ known: KnownNames?) {
        section.value("maxBytes", .size(from: 64 * .kibibyte, to: 1_024 * .gibibyte), &maxBytes)
        section.value("maxWaiters", .whole(1...1_000_000), &maxWaiters)
        section.section("ttl") { section in
            section.value("default", .duration(from: 0, to: 24 * .hour), &ttl.default)
            section.table("status", .duration(from: 0, to: 24 * .hour), &ttl.status, .warning) {
                known?.problem(ofStatus: $0)
            }
            section.value("final", .duration(from: 0, to: 24 * .hour), &ttl.final)
            section.table("operation", .timeToLive, names: .operationName, { known?.problem(ofOperation: $0) }) {
                .adaptive(AdaptiveTTL($0))
            } take: {
                ttl.operation[$0] = $1
            }
        }
        section.section("refreshAhead") { section in
            section.value("share", .number(0...1), &refreshAhead.share)
            section.value("minInterval", .duration(from: 100 * .millisecond, to: .hour), &refreshAhead.minInterval)
        }
        section.value("staleWhileRevalidate", .duration(from: 0, to: 24 * .hour), &staleWhileRevalidate)
        section.value("staleIfError", .duration(from: 0, to: 24 * .hour), &staleIfError)
        section.table("negative", .duration(from: 0, to: .hour), &negative)
        section.value("gzip", .flag, &gzip)
        section.optional("snapshot", .text, &snapshot)
        section.check("staleIfError", "staleWhileRevalidate", "ttl") { lifeProblem }
    }
}

extension AdaptiveTTL {
    fileprivate init(_ section: Mapping) {
        self.init()
        section.value("min", .duration(from: 100 * .millisecond, to: 24 * .hour), &min)
        section.value("max", .duration(from: 100 * .millisecond, to: 24 * .hour), &max)
        section.value("staleness", .share(0.001...0.9), &staleness)
        section.check("min", "max") {
            min <= max ? nil : "min must not be longer than max: shorten min or lengthen max"
        }
    }
}

extension Configuration.Limits {
    /// - Parameter known: the operations of the services; `nil` if they are not known.
    fileprivate mutating func read(_ section: Mapping, _ known: KnownNames?) {
        section.section("caller") { caller.read($0) }
        section.sections("operation", names: .operationName, { known?.problem(ofOperation: $0) }) {
            operation[$0] = .required($1)
        }
        section.section("domain") { domain = .required($0) }
        section.section("queue") { section in
            section.value("maxWait", .duration(from: 0, to: .minute), &queue.maxWait)
            section.value("maxDepth", .whole(0...100_000), &queue.maxDepth)
        }
    }
}

extension Configuration.Tracing {
    fileprivate init(_ section: Mapping) {
        section.value("sample", .number(0...1), &sample)
        section.value("endpoint", .text, &endpoint)
        section.check("endpoint") { endpointProblem }
        section.value("serviceName", .text, &serviceName)
        section.optional("caBundle", .text, &caBundle)
    }

    private var endpointProblem: String? {
        let rest = ["http://", "https://"].compactMap { endpoint.hasPrefix($0) ? endpoint.dropFirst($0.count) : nil }
            .first
        let isURL =
            rest?.first.map { $0 != "/" } == true && endpoint.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            && !endpoint.contains("@")
        return isURL ? nil : "must be the URL of a collector's OTLP receiver, such as http://127.0.0.1:4318/v1/traces"
    }
}

extension Configuration.Log {
    fileprivate mutating func read(_ section: Mapping) {
        section.value("level", .choice, &level)
        section.value("access", .choice, &access)
        section.optional("format", .choice, &format)
    }
}
