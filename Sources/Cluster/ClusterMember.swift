public import Gateway
internal import Locking
internal import NIOCore
internal import NIOPosix
public import PageCache
public import Primitives
internal import RateLimiter
internal import Redis
public import Telemetry

/// This gateway among those that share quotas and pages through one Redis.
///
/// A hit sends nothing to Redis. Every other step is one message and its reply, on an event loop of its own. Without Redis, quota groups use the
/// time slots of their seat, and each gateway fetches its own pages.
public final class ClusterMember: ClusterPort {
    /// A change of the mode, for the log.
    public enum Event: Sendable, Equatable {
        /// Quotas and pages are shared from now on.
        case joined(seat: Int?, members: Int)
        /// Redis was not reached since the start, for this reason: nothing is sent.
        case notReached(reason: String)
        /// Redis is not reached any more, for this reason. Quota groups use the time slots of this seat.
        case seated(seat: Int, reason: String)
        /// Nothing is sent any more, because Redis is not reached, for this reason, and was away for too long or has given no seat.
        case forgotten(reason: String)
        /// Redis refuses to let the log be read, for this reason: pages are as without Redis.
        case unread(reason: String)
        /// Other gateways share these groups, named `service/group`, with another quota or another number of instances; none any more if empty.
        case differing(groups: [String])
    }

    struct State {
        var gate: Gate?
        var membership: Membership
        var mirror = EpochMirror()
        var log = LogPosition()
        var mode = Membership.Mode.unknown
        /// The reason why Redis was not reached the last time.
        var lastFault = "it was not reached yet"
        var lastBeat: MonotonicInstant = .distantPast
        var startedAt: MonotonicInstant = .distantPast
        /// True once the log of this process says that Redis was not reached since the start.
        var hasToldStart = false
        /// True once the log of this process says that the log in Redis cannot be read.
        var isLogUnread = false
        /// The log is not joined before, because it could not be read.
        var nextJoin: MonotonicInstant = .distantPast
        /// No sign of life follows the word that it leaves.
        var isLeaving = false
        /// Flights of this gateway for pages that others may wait for, by id.
        var flights: [UInt64: OwnFlight] = [:]
        /// Fetches that wait for another gateway's flight, by the page's name.
        var followers: [String: [Follower]] = [:]
        /// The ids of announced writes, by their fetches'.
        var announced: [UInt64: String] = [:]
        var lastWrite: UInt64 = 0
        /// Writes of others that have begun, and when their ends must have been heard of, in microseconds of Redis's clock.
        var writesElsewhere: [String: Int64] = [:]
        /// Ends of writes that Redis has not got.
        var pendingEnds: [PendingEnd] = []
        /// The buckets as they were seen last.
        var buckets: [QuotaGroupID: [UInt8]] = [:]
        var members: [MemberFigures] = []
        var lastCensus: MonotonicInstant = .distantPast
        var lastComparison: MonotonicInstant = .distantPast
        /// The groups that others share with another quota.
        var differing: [String] = []
    }

    let settings: ClusterSettings
    let keys: ClusterKeys
    /// Its name among the members: random, because a restarted process is another member.
    let name: String
    let nameBytes: [UInt8]
    /// Where it runs, for Redis; see `ClusterSettings.place`.
    let placeBytes: [UInt8]
    let state: Locked<State>
    let commands: RedisClient
    let reader: RedisClient
    let eventLoop: any EventLoop
    let metrics: ClusterMetrics
    private let group: MultiThreadedEventLoopGroup
    let report: @Sendable (Event) -> Void
    private let states: StateRelay

    /// - Parameters:
    ///   - report: called at each change of the mode.
    public init(_ settings: ClusterSettings, metrics: Metrics, report: @escaping @Sendable (Event) -> Void) {
        self.settings = settings
        self.report = report
        keys = ClusterKeys(settings)
        name = String(UInt64.random(in: .min ... .max), radix: 36)
        nameBytes = Array(name.utf8)
        placeBytes = settings.place.map(keys.place) ?? Array("-".utf8)
        state = Locked(State(membership: Membership(seats: settings.instances, forget: settings.forget)))
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        eventLoop = group.next()
        self.metrics = ClusterMetrics(metrics)
        let states = StateRelay()
        self.states = states
        commands = RedisClient(settings.redis, name: "jobs-proxy \(name)", group: group) {
            states.changed(.commands, $0)
        }
        reader = RedisClient(settings.redis, name: "jobs-proxy \(name) log", group: group) { states.changed(.log, $0) }
    }

    /// Begins to share. Quota groups send nothing before Redis has answered once.
    public func start(for gate: Gate) {
        let now = MonotonicInstant.now
        state.withLock { state in
            state.gate = gate
            state.startedAt = now
        }
        if settings.sharesQuotas {
            for (id, _) in gate.queue.ownGroups { gate.queue.use(.none, for: id, now: now) }
        }
        if settings.sharesPages { gate.cache.trust(until: .distantPast, doubt: doubt(.unknown)) }
        states.set { [weak self] client, change in self?.clientChanged(client, change) }
        commands.start()
        reader.start()
        eventLoop.execute { [weak self] in self?.tick() }
    }

    /// Ends the connections, after what is under way has had a moment.
    public func stop() async {
        await leave()
        commands.close()
        reader.close()
        state.withLock { $0.gate = nil }
        try? await group.shutdownGracefully()
    }

    /// The key of the scopes of all services, the same in each gateway of the deployment.
    public var epochKey: EpochKey { keys.epochKey }

    var gate: Gate? { state.withLock { $0.gate } }

    /// True if pages are looked for elsewhere, and writes are announced.
    var isJoined: Bool { state.withLock { $0.log.isJoined } && commands.state.isUp }

    // MARK: Fetches

    public func prepare(_ fetch: Fetch, now: MonotonicInstant) -> Bool {
        guard settings.sharesPages, isJoined else { return false }
        switch fetch.purpose {
        case .flight(let flight, _):
            guard !fetch.wantsNewPage else { return false }
            lookUp(flight, fetch)
            return true
        case .pass:
            guard !fetch.invalidates.isEmpty else { return false }
            announce(fetch, now: now)
            return true
        }
    }

    // MARK: Commands

    /// Runs a script, and counts it.
    ///
    /// - Parameter completion: gets the reply's elements, and when the script was sent and the reply came. It runs on the event loop.
    func run(
        _ script: RedisScript, as command: ClusterMetrics.Command, keys: [[UInt8]], _ arguments: [[UInt8]],
        _ completion: @escaping @Sendable (ClusterMember, Reply?) -> Void
    ) {
        let sentAt = MonotonicInstant.now
        commands.evaluate(script, keys: keys, arguments: arguments, timeout: settings.timeout) { [weak self] result in
            guard let self else { return }
            let now = MonotonicInstant.now
            metrics.count(command, result, elapsed: now - sentAt)
            switch result {
            case .success(let value): completion(self, Reply(value: value, sentAt: sentAt, now: now))
            case .failure(let error):
                note("\(error)")
                completion(self, nil)
            }
        }
    }

    func note(_ fault: String) { state.withLock { $0.lastFault = fault } }

    /// Runs something on the event loop after a while.
    func later(_ nanoseconds: Int64, _ work: @escaping @Sendable (ClusterMember) -> Void) {
        eventLoop.scheduleTask(in: .nanoseconds(nanoseconds)) { [weak self] in if let self { work(self) } }
    }
}

/// A reply of Redis that is no error.
struct Reply: Sendable {
    let value: RESPValue
    let sentAt: MonotonicInstant
    let now: MonotonicInstant

    subscript(index: Int) -> RESPValue { value.array.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? .null }
    func text(_ index: Int) -> String { self[index].text ?? "" }
    func bytes(_ index: Int) -> [UInt8] { self[index].bytes ?? [] }
    func number(_ index: Int) -> Int64 { self[index].number ?? 0 }
    /// Names and values of a hash.
    func pairs(_ index: Int) -> [(String, String)] { (self[index].array ?? [])[...].pairs }
}

extension ArraySlice<RESPValue> {
    /// Names and values, in turn.
    var pairs: [(String, String)] {
        stride(from: startIndex, to: endIndex - 1, by: 2).map { (self[$0].text ?? "", self[$0 + 1].text ?? "") }
    }
}

extension RESPValue {
    /// An integer, or digits.
    var number: Int64? { integer ?? text.flatMap { Int64($0) } }
}

/// Forwards the state changes of the two clients to a handler, which is set later: the clients are made before their owner.
final class StateRelay: Sendable {
    enum Client: Sendable { case commands, log }
    typealias Handler = @Sendable (Client, RedisState) -> Void
    private let handler = Locked<Handler?>(nil)

    func set(_ handler: @escaping Handler) { self.handler.withLock { $0 = handler } }
    func changed(_ client: Client, _ state: RedisState) { handler.withLock { $0 }?(client, state) }
}

func bytes(_ number: some BinaryInteger) -> [UInt8] { Array("\(number)".utf8) }

extension MonotonicInstant {
    /// Read from the clock of event loops.
    static var now: Self { Self(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }
}
