internal import Cluster
internal import OriginClient
internal import Primitives

/// Tries what a gateway with this configuration would connect to, all of it at the same time.
struct ConnectionTrials: Sendable {
    let configuration: Configuration
    let environment: [String: String]
    let now: WallInstant

    /// The results in the order of the configuration.
    func results() async -> [TrialResult] {
        await withTaskGroup(of: (Int, [TrialResult]).self) { group in
            for (index, service) in configuration.services.enumerated() {
                let trial = ServiceTrial(service: service, environment: environment, now: now)
                group.addTask { (index, await trial.results()) }
            }
            group.addTask { (configuration.services.count, await redis()) }
            group.addTask { (configuration.services.count + 1, await collector()) }
            var results: [(Int, [TrialResult])] = []
            for await result in group { results.append(result) }
            return results.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    private func redis() async -> [TrialResult] {
        do throws(CommandFailure) {
            guard let settings = try ClusterSettings(configuration, environment: environment) else { return [] }
            guard let fault = await ConnectionCheck(settings).fault() else {
                return [TrialResult(.ok, "shared redis", "it answers, and permits all that is needed")]
            }
            return [TrialResult(.error, "shared redis", fault)]
        } catch {
            return [TrialResult(.error, "shared redis", "\(error)")]
        }
    }

    /// The gateway serves without it.
    private func collector() async -> [TrialResult] {
        guard let tracing = configuration.tracing else { return [] }
        let endpoint = Endpoint(
            url: tracing.endpoint, caBundle: tracing.caBundle, connectTimeout: 2 * .second)
        let result = await ServiceTrial.connect(endpoint, "tracing endpoint", tracing.endpoint)
        return [result.kind == .error ? TrialResult(.warning, result.subject, result.text) : result]
    }
}
