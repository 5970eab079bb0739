internal import Gateway
internal import Synchronization
public import Telemetry

/// What the responders of all event loops share.
public final class Front: Sendable {
    public let deliveries: Deliveries
    public let metrics: FrontMetrics
    let log: AccessLog?
    let hasSeveralRegions: Bool
    let admitsAnonymous: Bool
    let wallClock: @Sendable () -> Int64
    private let ownHosts: Set<[UInt8]>
    private let ready = Atomic<Bool>(false)

    /// - Parameters:
    ///   - ownHosts: the hosts of the configured endpoints, in lower case and without port. A target in absolute form must
    ///     name one of them.
    ///   - hasSeveralRegions: whether the Region that a caller signed for chooses the service.
    ///   - admitsAnonymous: whether callers without a key of this gateway are served.
    ///   - wallClock: nanoseconds since 1970-01-01T00:00:00Z.
    public init(
        deliveries: Deliveries, metrics: FrontMetrics, log: AccessLog?, ownHosts: [String], hasSeveralRegions: Bool,
        admitsAnonymous: Bool, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.deliveries = deliveries
        self.metrics = metrics
        self.log = log
        self.ownHosts = Set(ownHosts.map { Array($0.lowercased().utf8) })
        self.hasSeveralRegions = hasSeveralRegions
        self.admitsAnonymous = admitsAnonymous
        self.wallClock = wallClock
    }

    /// Whether `/readyz` says so.
    public var isReady: Bool {
        get { ready.load(ordering: .relaxed) }
        set { ready.store(newValue, ordering: .relaxed) }
    }

    /// Whether an authority (`host[:port]`) is one of ours.
    func isOwn(authority bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var host: [UInt8] = []
        var isBracketed = false
        for index in range {
            let byte = bytes[index]
            if byte == UInt8(ascii: "[") { isBracketed = true }
            if byte == UInt8(ascii: "]") { isBracketed = false }
            if byte == UInt8(ascii: ":"), !isBracketed { break }
            host.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
        }
        return ownHosts.contains(host)
    }
}
