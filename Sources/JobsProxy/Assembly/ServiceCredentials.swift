internal import AWSProtocol
internal import Credentials
internal import Gateway
internal import Primitives
internal import Upstream

/// The credentials for the services whose requests the gateway signs. Services that use the default chain of the AWS SDKs share
/// one store for each Region: a role is assumed at the Region's own endpoint.
struct ServiceCredentials: Sendable {
    private let fixed: [String: AWSCredentials]
    private let stores: [String: CredentialStore]
    /// The Regions whose credentials some service needs.
    private let neededRegions: Set<String>

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
        neededRegions = Set(
            configuration.services.filter {
                $0.signing == .resign && $0.credentials == .default && !$0.isOnThisMachine
            }.map(\.region))
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

    /// Begins to fetch credentials, so that they are there when they are needed. `listener` is called whenever some have come, or
    /// have failed to come.
    ///
    /// - Parameter old: those before a reload, whose stores have begun already.
    func begin(after old: ServiceCredentials? = nil, _ listener: @escaping @Sendable () -> Void) {
        for (region, store) in stores where old?.stores[region] == nil {
            store.onChange(listener)
            _ = store.credentials(now: Process.wallClock())
        }
    }

    /// True if every service can be called now. Calls to this machine may go unsigned.
    var areReady: Bool {
        let now = Process.wallClock()
        return stores.allSatisfy { region, store in
            guard neededRegions.contains(region) else { return true }
            return if case .ready = store.credentials(now: now) { true } else { false }
        }
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
    fileprivate var isOnThisMachine: Bool {
        guard case .origin(let origin) = endpoint else { return true }
        return origin.scheme == .http && Host.isLoopback(origin.host)
    }
}

/// For a service without credentials.
struct NoCredentials: CredentialSupply {
    func credentials(now: WallInstant) -> CredentialAnswer { .unavailable("none are configured") }
}
