internal import AWSProtocol
internal import Credentials
internal import Gateway
internal import Logging
internal import Primitives
internal import Telemetry
internal import Upstream

/// The credentials for the services whose requests the gateway signs. Services that use the default chain of the AWS SDKs share
/// one store for each Region: a role is assumed at the Region's own endpoint.
struct ServiceCredentials: Sendable {
    private let fixed: [String: AWSCredentials]
    private let stores: [String: CredentialStore]

    /// - Parameter old: those before a reload, whose stores are used further.
    /// - Throws: `CommandFailure` if a secret cannot be read.
    init(
        _ configuration: Configuration, environment: [String: String], after old: ServiceCredentials? = nil
    ) throws(CommandFailure) {
        var fixed: [String: AWSCredentials] = [:]
        var stores = old?.stores ?? [:]
        for service in configuration.services where service.signing == .resign && service.endpoint != .sandbox {
            switch service.credentials {
            case .keys(let keys):
                fixed[service.name] = AWSCredentials(
                    accessKeyID: keys.accessKeyID, secretAccessKey: try keys.secretAccessKey?.value(environment) ?? "",
                    sessionToken: try keys.sessionToken?.value(environment))
            case .default:
                if stores[service.region] == nil {
                    stores[service.region] = CredentialStore(
                        region: service.region,
                        environment: CredentialEnvironment(variables: environment, homeDirectory: environment["HOME"]))
                }
            }
        }
        self.fixed = fixed
        self.stores = stores
    }

    /// The signing of requests to a service; `nil` if its callers' signatures are passed on.
    func signing(
        of service: Configuration.ServiceEntry, _ made: Gateway.Service, sandbox: EmbeddedSandbox?
    ) -> SigningSettings? {
        guard service.signing == .resign else { return nil }
        let scope = SigningScope(region: service.region, service: made.catalog.signingName)
        return SigningSettings(
            scope: scope, supply: supply(service), authority: service.authority(sandbox),
            mayGoUnsigned: service.isOnThisMachine, version: made.catalog.version,
            isQueryCompatible: made.catalog.isQueryCompatible)
    }

    private func supply(_ service: Configuration.ServiceEntry) -> any CredentialSupply {
        if service.endpoint == .sandbox { return FixedCredentials(Self.sandboxKey) }
        if let credentials = fixed[service.name] { return FixedCredentials(credentials) }
        return stores[service.region] ?? NoCredentials()
    }

    /// Begins to fetch credentials, so that they are there when they are needed. The upstream and the readiness that is in use are told
    /// whenever some have come, or have failed to come.
    ///
    /// - Parameter old: those before a reload, whose stores have begun already.
    func begin(
        _ logger: Logger, after old: ServiceCredentials? = nil, _ upstream: Upstream, _ running: RunningGateway
    ) {
        for (region, store) in stores where old?.stores[region] == nil {
            store.onReport { logger.report($0, region: region) }
            // Not the parts of now: a reload puts others in their place, and stores outlive it.
            store.onChange { [weak upstream, weak running] in
                upstream?.credentialsChanged()
                _ = running?.parts.readiness.reasons(now: Process.now)
            }
            _ = store.credentials(now: Process.wallClock())
        }
    }

    /// Asks for the credentials of services as a request would, so that those that are near their end are fetched anew. Calls to this machine
    /// may go unsigned: credentials that never came are not looked for again for them.
    func keepFresh(_ services: [Configuration.ServiceEntry]) {
        let now = Process.wallClock()
        for service in services {
            guard let store = store(service), !service.isOnThisMachine || store.expiration != nil else { continue }
            _ = store.credentials(now: now)
        }
    }

    /// Why services cannot be called now, a sentence without secrets for each; empty if all can. Calls to this machine may go unsigned.
    func faults(_ services: [Configuration.ServiceEntry]) -> [String] {
        let now = Process.wallClock()
        return services.compactMap { service in
            guard !service.isOnThisMachine, let store = store(service) else { return nil }
            return switch store.credentials(now: now) {
            case .ready: nil
            case .pending: "credentials of \(service.name): being fetched"
            case .unavailable(let reason): "credentials of \(service.name): \(reason)"
            }
        }
    }

    /// When the credentials for a service end to be valid; `nil` for those that do not, and without any.
    func expiration(_ service: Configuration.ServiceEntry) -> WallInstant? { store(service)?.expiration }

    /// The fetches of credentials for a service that have ended; services that share credentials share these.
    func fetches(_ service: Configuration.ServiceEntry) -> FetchCounts { store(service)?.fetches ?? FetchCounts() }

    /// Where a service's credentials come from; `nil` if they are given, or not needed.
    private func store(_ service: Configuration.ServiceEntry) -> CredentialStore? {
        guard service.signing == .resign, service.endpoint != .sandbox, service.credentials == .default else {
            return nil
        }
        return stores[service.region]
    }

    func word(on service: Configuration.ServiceEntry) -> String {
        if service.signing == .passthrough { return "the callers' own" }
        switch supply(service).credentials(now: Process.wallClock()) {
        case .ready(let credentials): return "ready: \(credentials.accessKeyID)"
        case .pending: return "being fetched"
        case .unavailable(let reason): return "none: \(reason)"
        }
    }

    private static let sandboxKey = AWSCredentials(accessKeyID: "SANDBOX", secretAccessKey: "sandbox")
}

extension Configuration.ServiceEntry {
    /// True if its endpoint is on this machine and has no TLS.
    var isOnThisMachine: Bool {
        guard case .origin(let origin) = endpoint else { return true }
        return origin.scheme == .http && Host.isLoopback(origin.host)
    }
}

extension Logger {
    /// Logs that credentials cannot be fetched, or can again.
    fileprivate func report(_ change: CredentialChange, region: String) {
        switch change {
        case .failing(let reason, let end):
            var metadata: Logger.Metadata = ["region": "\(region)", "cause": "\(reason)"]
            if let end { metadata["validUntil"] = "\(LogTime.text(end))" }
            error("credentials cannot be refreshed: it is tried again and again", metadata: metadata)
        case .recovered(let failures, let since):
            let metadata: Logger.Metadata = [
                "region": "\(region)", "failures": "\(failures)", "failingSince": "\(LogTime.text(since))",
            ]
            notice("credentials are refreshed again", metadata: metadata)
        }
    }
}

/// For a service without credentials.
struct NoCredentials: CredentialSupply {
    func credentials(now: WallInstant) -> CredentialAnswer { .unavailable("none are configured") }
}
