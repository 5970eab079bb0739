internal import AWSProtocol
internal import Credentials
internal import Gateway
internal import Upstream

/// What the gateway signs with, for each of its services that it signs for. Services that look where the AWS SDKs look share
/// what is found, by Region: a role may be asked for in the Region's own endpoint.
struct ServiceCredentials: Sendable {
    private let fixed: [String: AWSCredentials]
    private let stores: [String: CredentialStore]
    /// The Regions without whose credentials some service cannot be called.
    private let neededRegions: Set<String>

    /// - Throws: `CommandFailure` if a secret cannot be read.
    init(_ configuration: Configuration, environment: [String: String]) throws(CommandFailure) {
        var fixed: [String: AWSCredentials] = [:]
        var stores: [String: CredentialStore] = [:]
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
                        surroundings: Surroundings(variables: environment, homeDirectory: environment["HOME"]))
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

    /// How requests to a service are signed; nothing if its callers' signatures are passed on.
    func signing(
        of service: Configuration.Service, _ made: Gateway.Service, sandbox: EmbeddedSandbox?
    ) -> SigningSettings? {
        guard service.signing == .resign else { return nil }
        let scope = SigningScope(region: service.region, service: made.catalog.signingName)
        return SigningSettings(
            scope: scope, supply: supply(service), authority: service.authority(sandbox),
            mayGoUnsigned: service.isOnThisMachine)
    }

    private func supply(_ service: Configuration.Service) -> any CredentialSupply {
        if service.endpoint == .sandbox { return FixedCredentials(Self.sandboxKey) }
        if let credentials = fixed[service.name] { return FixedCredentials(credentials) }
        return stores[service.region] ?? NoCredentials()
    }

    /// What a service has that nothing was prepared for.
    private struct NoCredentials: CredentialSupply {
        func credentials(now: Int64) -> CredentialAnswer { .unavailable("none are configured") }
    }

    /// Begins to look for credentials, so that they are there when they are needed, and has `listener` called whenever some
    /// have come, or are known not to come.
    func begin(_ listener: @escaping @Sendable () -> Void) {
        for store in stores.values {
            store.onChange(listener)
            _ = store.credentials(now: Process.wallClockNanoseconds)
        }
    }

    /// Whether every service can be called now: calls to this machine may go unsigned.
    var areReady: Bool {
        let now = Process.wallClockNanoseconds
        return stores.allSatisfy { region, store in
            guard neededRegions.contains(region) else { return true }
            return if case .ready = store.credentials(now: now) { true } else { false }
        }
    }

    /// How it stands with a service's credentials, for a person.
    func word(on service: Configuration.Service) -> String {
        if service.signing == .passthrough { return "the callers' own" }
        switch supply(service).credentials(now: Process.wallClockNanoseconds) {
        case .ready(let credentials): return "ready: \(credentials.accessKeyID)"
        case .pending: return "being fetched"
        case .unavailable(let reason): return "none: \(reason)"
        }
    }

    /// The embedded sandbox's own.
    private static let sandboxKey = AWSCredentials(accessKeyID: "SANDBOX", secretAccessKey: "sandbox")
}

extension Configuration.Service {
    /// Whether it is spoken to without TLS and without leaving this machine.
    fileprivate var isOnThisMachine: Bool {
        guard case .origin(let origin) = endpoint else { return true }
        return origin.scheme == .http && Host.isLoopback(origin.host)
    }
}
