internal import Cluster
internal import Gateway
internal import Logging
internal import Primitives
internal import RateLimiter
internal import Redis
internal import ServiceLifecycle
internal import Telemetry

/// Runs this gateway's part among those that share quotas and pages.
struct ClusterService: ServiceLifecycle.Service {
    let member: ClusterMember

    /// `nil` if the configuration shares nothing.
    ///
    /// - Throws: `CommandFailure` if a secret or a file cannot be had.
    init?(
        _ configuration: Configuration, environment: [String: String], _ registry: Metrics, _ logger: Logger
    ) throws(CommandFailure) {
        guard let settings = try ClusterSettings(configuration, environment: environment) else { return nil }
        let member = ClusterMember(settings, metrics: registry) { logger.log($0) }
        self.member = member
        registry.observed("jobsproxy_shared_up", "1 if Redis answers and its log is read, else 0.") {
            [("", member.figures.isUp ? 1 : 0)]
        }
        registry.observed("jobsproxy_shared_instances", "Gateways that share, by their state.") {
            let figures = member.figures
            return [
                (label("state", "live"), Double(figures.live)), (label("state", "silent"), Double(figures.silent)),
            ]
        }
    }

    func run() async {
        try? await gracefulShutdown()
        await member.stop()
    }
}

extension ClusterSettings {
    /// `nil` if the configuration shares nothing.
    ///
    /// - Throws: `CommandFailure` if a secret or a file cannot be had.
    init?(_ configuration: Configuration, environment: [String: String]) throws(CommandFailure) {
        guard let shared = configuration.shared, let key = shared.key else { return nil }
        let password = try shared.password?.value(environment)
        let redis: RedisSettings
        do throws(RedisSettingsFault) {
            redis = try shared.client(password: password)
        } catch {
            throw CommandFailure("shared: \(error)")
        }
        self.init(
            redis: redis, name: shared.name, instances: shared.instances, key: Array(try key.value(environment).utf8),
            maxWait: configuration.limits.queue.maxWait)
        (sharesPages, sharesQuotas, isStrict) = (shared.pages, shared.quotas, shared.strict)
        (timeout, forget) = (shared.timeout, shared.forget)
        place = Process.place(of: configuration.listen.address)
        flightTime = (configuration.services.map(\.timeouts.attempt).max() ?? 0) + maxWait
    }
}

extension Logger {
    fileprivate func log(_ event: ClusterMember.Event) {
        switch event {
        case .joined(let seat, let members):
            notice(
                "shared: quota and pages are shared",
                metadata: ["seat": "\(seat.map { "\($0)" } ?? "none")", "members": "\(members)"])
        case .notReached(let reason):
            warning(
                "shared: Redis was not reached since the start, and nothing is sent", metadata: ["cause": "\(reason)"])
        case .seated(let seat, let reason):
            warning(
                "shared: Redis is not reached; the quota is used in the time slots of a seat",
                metadata: ["cause": "\(reason)", "seat": "\(seat)"])
        case .forgotten(let reason):
            warning("shared: nothing is sent until Redis is back", metadata: ["cause": "\(reason)"])
        case .unread(let reason):
            warning(
                "shared: Redis does not let its log be read; pages are served as without Redis",
                metadata: ["cause": "\(reason)"])
        case .differing(let groups) where groups.isEmpty: notice("shared: all gateways have the same quotas again")
        case .differing(let groups):
            warning(
                "shared: other gateways have another quota or another number of instances; give all of them the same",
                metadata: ["groups": "\(groups.joined(separator: ", "))"])
        }
    }
}
