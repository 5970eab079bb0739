public import Gateway
internal import HTTPFront
public import Primitives
internal import Synchronization
public import Telemetry

/// The state that the responders of all event loops share.
public final class Front: Sendable {
    public let dispatcher: LoopDispatcher
    public let metrics: FrontMetrics
    let metricsText: SharedText
    public let log: AccessLog?
    public let identities: CallerIdentities
    /// See `Gate.needsScope`.
    let needsScope: Bool
    /// True if the requests of some service keep their callers' signatures.
    let hasPassthrough: Bool
    let wallClock: @Sendable () -> WallInstant
    /// The hosts that unidentified requests may name.
    let hosts: OwnHosts
    private let serviceHosts: OwnHosts
    /// The authorities (`host[:port]`) of the services, in lower case.
    private let authorities: [[UInt8]]
    private let serving: ServingMark
    private let canCallServices: @Sendable () -> Bool

    /// - Parameters:
    ///   - offload: runs work that takes long on a thread that serves no caller.
    ///   - hosts: those of the listener and of the services; see `UnidentifiedRequests`.
    ///   - authorities: `host[:port]` of each of the gate's services. A target in absolute form must name one of these hosts.
    ///   - canCallServices: returns true if the services can be called, for which their credentials must be there; called by
    ///     requests for readiness.
    public init(
        gate: Gate, dispatcher: LoopDispatcher, metrics: FrontMetrics, log: AccessLog?, identities: CallerIdentities,
        offload: @escaping SharedText.Offload, hosts: OwnHosts, authorities: [String],
        canCallServices: @escaping @Sendable () -> Bool,
        wallClock: @escaping @Sendable () -> WallInstant
    ) {
        self.dispatcher = dispatcher
        self.metrics = metrics
        metricsText = SharedText(offload: offload) { metrics.registry.render() }
        serving = ServingMark()
        self.log = log
        self.identities = identities
        self.canCallServices = canCallServices
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
    ///   - hosts: see the other `init`, as for `canCallServices`.
    public init(
        replacing old: Front, gate: Gate, log: AccessLog?, identities: CallerIdentities, hosts: OwnHosts,
        canCallServices: @escaping @Sendable () -> Bool
    ) {
        (dispatcher, metrics, metricsText, serving) = (old.dispatcher, old.metrics, old.metricsText, old.serving)
        (authorities, serviceHosts, wallClock) = (old.authorities, old.serviceHosts, old.wallClock)
        (self.log, self.identities, self.hosts, self.canCallServices) = (log, identities, hosts, canCallServices)
        needsScope = gate.needsScope
        hasPassthrough = gate.services.contains(where: \.isPassthrough)
    }

    /// True from the end of the start to the beginning of the shutdown.
    public var isServing: Bool {
        get { serving.isSet.load(ordering: .relaxed) }
        set { serving.isSet.store(newValue, ordering: .relaxed) }
    }

    var isReady: Bool { isServing && canCallServices() }

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
