internal import AWSProtocol
internal import Cluster
internal import Dashboard
internal import Gateway
internal import GatewayFront
internal import Locking
internal import PageCache
internal import Primitives
internal import Telemetry

/// What the operator's page shows: the events of `/events` as JSON, and the course of the last hour.
///
/// Names, figures and addresses, as at `/state` and `/metrics`, and the inputs of the hottest pages; no secret and no page's content. Used
/// on the thread for operators alone, but for the lock that holds what lasts from one event to the next.
final class DashboardFigures: Sendable {
    private struct Kept: Sendable {
        var course: SampleRing
        var callers = BusiestCallers()
        var hottest: [PageCache.AskedPage] = []
        var hottestAt = MonotonicInstant.distantPast
    }

    /// What the figures are read from.
    struct Parts: Sendable {
        let gate: Gate
        let front: FrontMetrics
        let cluster: ClusterMember?
        fileprivate let services: [(name: String, region: String, endpoint: String)]

        init(_ configuration: Configuration, _ gate: Gate, _ front: FrontMetrics, _ cluster: ClusterMember?) {
            (self.gate, self.front, self.cluster) = (gate, front, cluster)
            services = configuration.services.map { ($0.name, $0.region, GatewayState.place($0.endpoint)) }
        }
    }

    private let registry: Metrics
    private let parts: Locked<Parts>
    private let events: RecentEvents
    private let overrides: @Sendable () -> JSONValue
    private let isServing: @Sendable () -> Bool
    private let start = Process.wallClock()
    /// Service and group of the quota groups whose course is kept.
    private let groups: [[String]]
    private let kept: Locked<Kept>

    /// An hour in samples.
    static let interval: Int64 = 10_000_000_000
    private static let capacity = 361
    /// The course of more groups would make the history too long.
    private static let mostGroups = 24
    private static let mostCallers = 12
    private static let mostPages = 15
    /// In a larger cache the hottest pages are looked for every five seconds, since every page is looked at.
    private static let smallCache = 20_000
    private static let searchInterval: Int64 = 5_000_000_000

    /// - Parameter overrides: an array of the overrides that are in force, each an object.
    init(
        _ registry: Metrics, _ parts: Parts, _ events: RecentEvents,
        overrides: @escaping @Sendable () -> JSONValue = { .array([]) }, isServing: @escaping @Sendable () -> Bool
    ) {
        (self.registry, self.events) = (registry, events)
        self.parts = Locked(parts)
        (self.overrides, self.isServing) = (overrides, isServing)
        groups = Array(
            parts.gate.services.lazy.flatMap { service in
                service.catalog.quotaGroups.map { [service.settings.name, $0.name] }
            }.prefix(Self.mostGroups))
        let names = DashboardReading.fixedCounters + groups.map { "spent \($0.joined(separator: " "))" }
        kept = Locked(
            Kept(course: SampleRing(counters: names, gauges: DashboardReading.gauges, capacity: Self.capacity)))
    }

    /// Reads from other parts from now on, which have taken the place of those before. The course goes on.
    func use(_ parts: Parts) { self.parts.withLock { $0 = parts } }

    private func read() -> (DashboardReading, Parts) {
        let parts = parts.withLock { $0 }
        return (DashboardReading(registry, parts.front, services: parts.services.map(\.name)), parts)
    }

    // MARK: The last hour

    /// Notes a sample; to be called every `interval`.
    func sample() {
        let (reading, now) = (read().0, Process.now)
        kept.withLock {
            $0.course.append(counters: reading.counters(groups), gauges: reading.gaugeValues, at: now)
        }
    }

    /// The course of the last hour, up to now: `{"at": seconds, "ages": […], "counters": {name: rises}, "gauges": {name: values}}`.
    func history() -> [UInt8] {
        let (reading, now) = (read().0, Process.now)
        var ring = kept.withLock { $0.course }
        ring.append(counters: reading.counters(groups), gauges: reading.gaugeValues, at: now)
        let course = ring.course(now: now)
        func lines(_ names: [String], _ values: [[Double]]) -> JSONValue {
            .object(zip(names, values).map { ($0, .array($1.map { .decimal($0) })) })
        }
        return JSONValue.object([
            ("at", .seconds(Process.wallClock())), ("ages", .array(course.ages.map { .decimal($0) })),
            ("counters", lines(ring.counters, course.rises)), ("gauges", lines(ring.gauges, course.gauges)),
        ]).serialized()
    }

    // MARK: Now

    func now(watchers: Int) -> [UInt8] {
        let ((reading, parts), now) = (read(), Process.now)
        return JSONValue.object([
            ("at", .seconds(Process.wallClock())), ("start", .seconds(start)), ("version", .string(buildVersion)),
            ("serving", .bool(isServing())), ("watchers", .integer(Int64(watchers))),
            ("mostWatchers", .integer(Int64(WatchHub.maxWatchers))),
            ("metrics", .object(reading.tables.map { ($0.name, $0.table.json) })),
            ("idleGroups", .integer(Int64(reading.idleGroups))),
            (
                "services",
                .array(
                    reading.services.map { place in
                        let service = parts.services[place]
                        return .object([
                            ("name", .string(service.name)), ("region", .string(service.region)),
                            ("endpoint", .string(service.endpoint)),
                        ])
                    })
            ),
            ("callers", callers(reading.requests, parts.front, now: now)), ("pages", pages(parts.gate, now: now)),
            ("members", parts.cluster.map { Self.members($0.figures) } ?? .null),
            ("overrides", overrides()),
            ("events", .array(events.all.map { .array([.seconds($0.time), .string($0.level), .string($0.text)]) })),
        ]).serialized()
    }

    /// Rows of name, requests a second, requests in all, and those that were throttled, denied, and failed.
    private func callers(
        _ requests: [[UInt64]], _ front: FrontMetrics, now: MonotonicInstant
    ) -> JSONValue {
        let counts = requests.map { $0.reduce(0, &+) }
        let busiest = kept.withLock { kept in
            kept.callers.update(counts, now: now)
            return kept.callers.busiest(Self.mostCallers)
        }
        func count(_ place: Int, _ outcome: Outcome) -> JSONValue {
            .decimal(Double(requests[place][outcome.rawValue]))
        }
        let rows = busiest.map { caller in
            JSONValue.array([
                .string(front.callerName(at: caller.place)), .decimal(caller.rate),
                .decimal(Double(counts[caller.place])),
                count(caller.place, .throttled), count(caller.place, .denied), count(caller.place, .failed),
            ])
        }
        return .object([("count", .integer(Int64(counts.count { $0 > 0 }))), ("rows", .array(rows))])
    }

    /// Rows of a number that stays the page's, service, operation, input, age, what is left of its time to live, that time, requests and
    /// bytes; times in seconds.
    private func pages(_ gate: Gate, now: MonotonicInstant) -> JSONValue {
        let isSmall = gate.cache.figures.pages <= Self.smallCache
        let old = kept.withLock { now - $0.hottestAt < Self.searchInterval && !isSmall ? $0.hottest : nil }
        let hottest = old ?? gate.cache.hottest(Self.mostPages, now: now)
        if old == nil { kept.withLock { ($0.hottest, $0.hottestAt) = (hottest, now) } }
        let rows = hottest.compactMap { asked -> JSONValue? in
            guard let name = gate.name(of: asked.page.key) else { return nil }
            let page = asked.page
            return .array([
                .integer(Int64(asked.place)), .string(name.service), .string(name.operation), .string(name.input),
                .decimal(Double(now - page.fetchedAt) / 1e9), .decimal(Double(page.freshUntil - now) / 1e9),
                .decimal(Double(page.freshUntil - page.fetchedAt) / 1e9), .integer(Int64(asked.requests)),
                .integer(Int64(page.body.count)),
            ])
        }
        return .object([("rows", .array(rows))])
    }

    /// Rows of name, true for this gateway, seat, milliseconds of silence and of lease.
    private static func members(_ figures: ClusterFigures) -> JSONValue {
        let rows = figures.members.map { member in
            JSONValue.array([
                .string(member.name), .bool(member.isSelf), member.seat.map { .integer(Int64($0)) } ?? .null,
                .integer(member.silentFor), .integer(member.lease),
            ])
        }
        return .object([
            ("up", .bool(figures.isUp)), ("mode", .string(figures.mode)), ("fault", .string(figures.fault)),
            ("rows", .array(rows)),
        ])
    }
}

extension JSONValue {
    /// Seconds since 1970, with milliseconds.
    fileprivate static func seconds(_ instant: WallInstant) -> JSONValue {
        .decimal((Double(instant.nanoseconds) / 1e6).rounded() / 1e3)
    }
}
