public import Gateway
internal import HTTPFront
public import Primitives
internal import Synchronization
public import Telemetry

/// The state that the responders of all event loops share.
public final class Front: Sendable {
    public let dispatcher: LoopDispatcher
    public let metrics: FrontMetrics
    let metricTexts: MetricTexts
    public let log: AccessLog?
    let tracing: TracingSettings?
    public let identities: CallerIdentities
    /// See `Gate.needsScope`.
    let needsScope: Bool
    /// True if the requests of some service keep their callers' signatures.
    let hasPassthrough: Bool
    /// True if callers may read `/metrics`.
    let showsMetrics: Bool
    let wallClock: @Sendable () -> WallInstant
    /// The hosts that unidentified requests may name.
    let hosts: OwnHosts
    private let serviceHosts: OwnHosts
    /// The authorities (`host[:port]`) of the services, in lower case.
    private let authorities: [[UInt8]]
    private let serving: ServingMark
    private let unreadiness: @Sendable () -> [String]

    /// - Parameters:
    ///   - showsMetrics: true if callers may read `/metrics`.
    ///   - offload: runs work that takes long on a thread that serves no caller.
    ///   - hosts: those of the listener and of the services; see `UnidentifiedRequests`.
    ///   - authorities: `host[:port]` of each of the gate's services. A target in absolute form must name one of these hosts.
    ///   - unreadiness: returns why callers cannot be served, a sentence without secrets for each reason; called by requests for
    ///     readiness.
    public init(
        gate: Gate, dispatcher: LoopDispatcher, metrics: FrontMetrics, showsMetrics: Bool = true, log: AccessLog?,
        tracing: TracingSettings? = nil,
        identities: CallerIdentities,
        offload: @escaping SharedText.Offload, hosts: OwnHosts, authorities: [String],
        unreadiness: @escaping @Sendable () -> [String],
        wallClock: @escaping @Sendable () -> WallInstant
    ) {
        self.dispatcher = dispatcher
        self.metrics = metrics
        metricTexts = MetricTexts(metrics.registry, offload: offload)
        serving = ServingMark()
        self.showsMetrics = showsMetrics
        self.log = log
        self.tracing = tracing
        self.identities = identities
        self.unreadiness = unreadiness
        self.hosts = hosts
        self.authorities = authorities.map { $0.utf8.map(\.lowercased) }
        serviceHosts = OwnHosts(authorities, prefixes: gate.hostPrefixes, hasLoopback: false)
        needsScope = gate.needsScope
        hasPassthrough = gate.services.contains(where: \.isPassthrough)
        self.wallClock = wallClock
    }

    /// The front that takes another's place after a reload. What it counts and shows of the gateway goes on.
    ///
    /// - Parameters:
    ///   - gate: that which takes the place of the other's.
    ///   - hosts: see the other `init`, as for `unreadiness`.
    public init(
        replacing old: Front, gate: Gate, log: AccessLog?, identities: CallerIdentities, hosts: OwnHosts,
        unreadiness: @escaping @Sendable () -> [String]
    ) {
        (dispatcher, metrics, metricTexts, serving) = (old.dispatcher, old.metrics, old.metricTexts, old.serving)
        (showsMetrics, tracing) = (old.showsMetrics, old.tracing)
        (authorities, serviceHosts, wallClock) = (old.authorities, old.serviceHosts, old.wallClock)
        (self.log, self.identities, self.hosts, self.unreadiness) = (log, identities, hosts, unreadiness)
        needsScope = gate.needsScope
        hasPassthrough = gate.services.contains(where: \.isPassthrough)
    }

    /// True from the end of the start to the beginning of the shutdown.
    public var isServing: Bool {
        get { serving.isSet.load(ordering: .relaxed) }
        set { serving.isSet.store(newValue, ordering: .relaxed) }
    }

    /// Why the gateway is not ready; empty if it is.
    var reasonsAgainstReadiness: [String] { isServing ? unreadiness() : ["the gateway is starting or ending"] }

    func isServiceHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        serviceHosts.contains(bytes, range)
    }

    /// Returns true if an authority is that of a service, for which its signed requests are valid.
    ///
    /// - Parameter prefix: a word that may stand before it.
    func isAuthority(of service: Int, prefix: String?, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard authorities.indices.contains(service) else { return false }
        let authority = authorities[service]
        if bytes.holds(anyCaseOf: authority.span, at: range) { return true }
        guard let prefix else { return false }
        let prefixed = prefix.utf8.map(\.lowercased) + authority
        return bytes.holds(anyCaseOf: prefixed.span, at: range)
    }
}

/// Outlives the fronts.
private final class ServingMark: Sendable {
    let isSet = Atomic<Bool>(false)
}
