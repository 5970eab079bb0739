internal import AWSProtocol
internal import Credentials
internal import Locking
internal import OriginClient
internal import Primitives
internal import Telemetry

/// Tries one service: its endpoint, the credentials that its requests are signed with, and whose they are. No request is sent to
/// the service, so no quota is spent.
struct ServiceTrial: Sendable {
    let service: Configuration.ServiceEntry
    let environment: [String: String]
    let now: WallInstant

    /// The longest time for one of the three, in nanoseconds.
    static let patience: Int64 = 5 * .second

    func results() async -> [TrialResult] {
        async let connection = endpoint()
        async let identity = identity()
        return await [connection] + identity
    }

    // MARK: The endpoint

    private func endpoint() async -> TrialResult {
        guard case .origin(let origin) = service.endpoint else {
            return result(.skipped, "endpoint", "the sandbox is in the gateway's own process")
        }
        let endpoint = Endpoint(
            url: "\(origin)/", http2: service.http2, caBundle: service.caBundle, proxy: service.proxy.map { "\($0)" },
            connectTimeout: min(service.timeouts.connect, Self.patience))
        return await Self.connect(endpoint, "\(service.name) endpoint", "\(origin)", proxy: service.proxy)
    }

    /// Connects as the gateway would.
    static func connect(
        _ endpoint: Endpoint, _ subject: String, _ place: String, proxy: Configuration.Origin? = nil
    ) async -> TrialResult {
        let place = place + (proxy.map { " through \($0)" } ?? "")
        switch await within(patience, { ConnectionTrial.run(endpoint) }) {
        case .success(let report):
            let isTLS = place.hasPrefix("https://")
            let protocols = ["h2": ", HTTP/2", "http/1.1": ", HTTP/1.1"]
            let version = report.version.flatMap { protocols[$0] } ?? ""
            return TrialResult(
                .ok, subject,
                "\(place) connects in \(report.nanoseconds / .millisecond) ms\(isTLS ? ", its certificate is good" : "")\(version)"
            )
        case .failure(let failure): return TrialResult(.error, subject, "\(place): \(failure.words)")
        case nil: return TrialResult(.error, subject, "\(place): timed out after 5 s")
        }
    }

    // MARK: Credentials

    private func identity() async -> [TrialResult] {
        guard service.endpoint != .sandbox else {
            return [result(.skipped, "credentials", "the sandbox takes any")]
        }
        guard service.signing == .resign else {
            return [result(.skipped, "credentials", "callers' signatures are passed on")]
        }
        let trial = CredentialTrial(
            region: service.region,
            environment: CredentialEnvironment(variables: environment, homeDirectory: environment["HOME"]))
        switch await fetch(trial) {
        case .found(let credentials, let source):
            return [found(credentials, source), await identity(of: credentials, trial)]
        case .failed(let reason):
            // What goes to this machine may go unsigned.
            return [result(service.isOnThisMachine ? .warning : .error, "credentials", reason)]
        }
    }

    private func fetch(_ trial: CredentialTrial) async -> CredentialTrial.Fetched {
        switch service.credentials {
        case .default:
            return await Self.within(Self.patience) { trial.fetch() }
                ?? .failed("their source has not answered within 5 s")
        case .keys(let keys):
            do throws(CommandFailure) {
                let credentials = AWSCredentials(
                    accessKeyID: keys.accessKeyID, secretAccessKey: try keys.secretAccessKey?.value(environment) ?? "",
                    sessionToken: try keys.sessionToken?.value(environment))
                return .found(credentials, source: "the configuration")
            } catch {
                return .failed("\(error)")
            }
        }
    }

    private func found(_ credentials: AWSCredentials, _ source: String) -> TrialResult {
        let name = "\(credentials.accessKeyID) of \(source)"
        guard let end = credentials.expiration else {
            return result(.ok, "credentials", "\(name), without an end that is known")
        }
        guard end > now else { return result(.error, "credentials", "\(name), which ended at \(LogTime.text(end))") }
        return result(.ok, "credentials", "\(name), valid until \(LogTime.text(end))")
    }

    private func identity(of credentials: AWSCredentials, _ trial: CredentialTrial) async -> TrialResult {
        guard mayAskAWS || trial.hasConfiguredTokenService else {
            return result(
                .skipped, "identity", "the endpoint is not AWS's; AWS_ENDPOINT_URL_STS names a token service to ask")
        }
        switch await Self.within(Self.patience, { trial.identity(of: credentials) }) {
        case .known(let arn): return result(.ok, "identity", arn)
        case .refused(let code): return result(.error, "identity", "AWS does not accept the credentials: \(code)")
        case .unknown(let reason): return result(.warning, "identity", "it cannot be asked whose they are: \(reason)")
        case nil: return result(.warning, "identity", "it cannot be asked whose they are: no answer within 5 s")
        }
    }

    /// Credentials for another endpoint are none of AWS's business.
    private var mayAskAWS: Bool {
        if case .origin(let origin) = service.endpoint { AWSHost.contains(origin.host) } else { false }
    }

    private func result(_ kind: TrialResult.Kind, _ what: String, _ text: String) -> TrialResult {
        TrialResult(kind, "\(service.name) \(what)", text)
    }

    // MARK: Time

    /// Does something that blocks, on a thread of its own.
    ///
    /// - Returns: `nil` if it has not ended in time; its thread goes on, and what it does is forgotten.
    static func within<Value: Sendable>(
        _ patience: Int64, _ work: @escaping @Sendable () -> Value
    ) async -> Value? {
        let (values, source) = AsyncStream.makeStream(of: Value.self)
        do throws(ThreadError) {
            try spawnThread {
                source.yield(work())
                source.finish()
            }
        } catch {
            return nil
        }
        let timer = Task {
            try? await Task.sleep(for: .nanoseconds(patience + patience / 4))
            source.finish()
        }
        defer { timer.cancel() }
        for await value in values { return value }
        return nil
    }
}
