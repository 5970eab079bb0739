internal import Primitives
public import Gateway
internal import Synchronization
public import Telemetry

/// What the responders of all event loops share.
public final class Front: Sendable {
    public let dispatcher: LoopDispatcher
    public let metrics: FrontMetrics
    let metricsText: SharedText
    let log: AccessLog?
    let callers: Callers
    let hasSeveralRegions: Bool
    /// Whether there is a service whose requests keep their callers' signatures.
    let hasPassthrough: Bool
    let wallClock: @Sendable () -> Int64
    /// The hosts by which requests may call that show nothing of who sends them.
    let hosts: OwnHosts
    private let serviceHosts: OwnHosts
    /// The authorities (`host[:port]`) of the services, in lower case.
    private let authorities: [[UInt8]]
    private let serving = Atomic<Bool>(false)
    private let canCallServices: @Sendable () -> Bool

    /// - Parameters:
    ///   - offload: runs what takes long on a thread that serves nobody.
    ///   - hosts: those of the listener and of the services; see `UnidentifiedRequests`.
    ///   - authorities: `host[:port]` of each of the gate's services. A target in absolute form must name one of these hosts.
    ///   - canCallServices: whether there is what calls to the services take, credentials above all; asked when somebody
    ///     asks for readiness.
    ///   - wallClock: nanoseconds since 1970-01-01T00:00:00Z.
    public init(
        gate: Gate, dispatcher: LoopDispatcher, metrics: FrontMetrics, log: AccessLog?, callers: Callers,
        offload: @escaping SharedText.Offload, hosts: OwnHosts, authorities: [String],
        canCallServices: @escaping @Sendable () -> Bool,
        wallClock: @escaping @Sendable () -> Int64
    ) {
        self.dispatcher = dispatcher
        self.metrics = metrics
        metricsText = SharedText(offload: offload) { metrics.registry.render() }
        self.log = log
        self.callers = callers
        self.canCallServices = canCallServices
        self.hosts = hosts
        self.authorities = authorities.map { $0.utf8.map(\.lowercased) }
        serviceHosts = OwnHosts(authorities, hasLoopback: false)
        // The Region that a caller signed for chooses the service then.
        hasSeveralRegions = Set(gate.services.map(\.settings.region)).count > 1
        hasPassthrough = gate.services.contains(where: \.isPassthrough)
        self.wallClock = wallClock
    }

    /// Whether it serves: it has started, and is not being stopped.
    public var isServing: Bool {
        get { serving.load(ordering: .relaxed) }
        set { serving.store(newValue, ordering: .relaxed) }
    }

    /// Whether `/readyz` says so.
    var isReady: Bool { isServing && canCallServices() }

    /// Whether an authority (`host[:port]`) names one of the services' hosts.
    func isOwn(authority bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        serviceHosts.contains(bytes, range)
    }

    /// Whether an authority is that of a service: its signed requests can go nowhere else.
    func isAuthority(of service: Int, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard authorities.indices.contains(service), authorities[service].count == range.count else { return false }
        for (index, place) in zip(authorities[service].indices, range) {
            if authorities[service][index] != bytes[place].lowercased { return false }
        }
        return true
    }
}
