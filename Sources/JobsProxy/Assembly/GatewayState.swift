internal import AWSProtocol
internal import Cluster
internal import Gateway
internal import GatewayFront
internal import HTTPFront
internal import PageCache
internal import Primitives
internal import Upstream

/// The content of `/state`: names, figures and addresses that explain the gateway's decisions to an operator; no secret and no
/// page.
struct GatewayState: Sendable {
    let running: RunningGateway
    let upstream: Upstream
    let limiter: ConnectionLimiter
    let cluster: ClusterMember?
    let isServing: @Sendable () -> Bool

    var configuration: Configuration { running.configuration }
    private var gate: Gate { running.parts.gate }
    private var credentials: ServiceCredentials { running.parts.credentials }

    func json() -> [UInt8] {
        let now = Process.now
        let cache = gate.cache.figures
        let state = JSONValue.object([
            ("version", .string(buildVersion)),
            ("serving", .bool(isServing())),
            ("connections", .number("\(limiter.total)")),
            (
                "cache",
                .object([
                    ("pages", .number("\(cache.pages)")), ("bytes", .number("\(cache.bytes)")),
                    ("flights", .number("\(cache.flights)")), ("evictions", .number("\(cache.evictions)")),
                    ("invalidations", .number("\(cache.invalidations)")),
                ])
            ),
            ("refreshing", refreshing()),
            ("callers", .array((["anonymous"] + configuration.callers.map(\.name)).map(JSONValue.string))),
            ("anonymous", .string(configuration.effectiveAnonymous.rawValue)),
            ("overrides", .array(overrides(now: now))),
            ("shared", cluster.map { Self.shared($0.figures) } ?? .null),
            ("services", .array(zip(configuration.services, gate.services).map { service($0, $1, now: now) })),
        ])
        return state.serialized() + Array("\n".utf8)
    }

    private func service(_ settings: Configuration.ServiceEntry, _ service: Service, now: MonotonicInstant) -> JSONValue
    {
        let breaker = upstream.breakerStates[service.index]
        let groups = service.catalog.quotaGroups.indices.map { place in
            let figures = gate.queue.figures(service: service.index, group: place, now: now)
            return JSONValue.object([
                ("name", .string(service.catalog.quotaGroups[place].name)),
                ("rate", Self.decimal(figures.rate)),
                ("fullRate", Self.decimal(figures.fullRate)),
                ("tokens", Self.decimal(figures.tokens)), ("waiting", .number("\(figures.waiting)")),
                ("pagesToRefresh", .number("\(gate.pagesToRefresh(service: service.index, group: place))")),
            ])
        }
        return .object([
            ("name", .string(settings.name)), ("catalog", .string(settings.catalog.name)),
            ("region", .string(settings.region)), ("endpoint", .string(Self.place(settings.endpoint))),
            ("signing", .string(settings.signing.rawValue)), ("credentials", .string(credentials.word(on: settings))),
            ("breaker", .string(breaker == 0 ? "closed" : breaker == 1 ? "half-open" : "open")),
            ("quotas", .array(groups)),
        ])
    }

    /// The rates that an operator has set for a while.
    func overrides(now: MonotonicInstant) -> [JSONValue] {
        running.parts.overrides.all.sorted { ($0.key.service, $0.key.group) < ($1.key.service, $1.key.group) }.map {
            .object([
                ("service", .string($0.key.service)), ("group", .string($0.key.group)),
                ("rate", Self.decimal($0.value.rate.rate)), ("burst", .number("\($0.value.rate.burst)")),
                ("secondsLeft", .number("\(max(0, $0.value.until - now) / .second)")),
            ])
        }
    }

    private static func shared(_ figures: ClusterFigures) -> JSONValue {
        let members = figures.members.map { member in
            JSONValue.object([
                ("name", .string(member.name)), ("self", .bool(member.isSelf)),
                ("seat", member.seat.map { .number("\($0)") } ?? .null),
                ("silentMilliseconds", .number("\(member.silentFor)")),
                ("leaseMilliseconds", .number("\(member.lease)")),
            ])
        }
        return .object([
            ("up", .bool(figures.isUp)), ("mode", .string(figures.mode)), ("live", .number("\(figures.live)")),
            ("silent", .number("\(figures.silent)")), ("fault", figures.isUp ? .null : .string(figures.fault)),
            ("members", .array(members)),
        ])
    }

    /// How pages change, by their kinds, and the times to live that follow from it.
    private func refreshing() -> JSONValue {
        let settings = configuration.cache.refreshAhead
        let kinds = gate.plan.kinds.prefix(Self.mostKinds).map { kind in
            let names = gate.operations[kind.operation]
            var members: [(name: String, value: JSONValue)] = [
                ("service", .string(names.service)), ("operation", .string(names.operation)),
                ("status", kind.status.map(JSONValue.string) ?? .null),
                ("changesEverySeconds", Self.decimal(kind.interval)),
            ]
            if let time = gate.timeToLive(ofNewPage: kind) {
                members.append(("timeToLiveSeconds", Self.decimal(Double(time) / 1e9)))
            }
            return JSONValue.object(members)
        }
        return .object([
            ("share", Self.decimal(settings.share)),
            ("minIntervalSeconds", Self.decimal(Double(settings.minInterval) / 1e9)),
            ("stalenessRatio", Self.decimal(gate.plan.staleness)), ("kinds", .array(Array(kinds))),
        ])
    }

    /// More would make the text too long for who reads it.
    private static let mostKinds = 256

    static func place(_ endpoint: Configuration.ServiceEntry.Endpoint) -> String {
        switch endpoint {
        case .sandbox: "sandbox"
        case .origin(let origin): "\(origin)"
        }
    }

    /// At most three decimals; `null` for infinities, which JSON does not have.
    private static func decimal(_ value: Double) -> JSONValue {
        guard value.isFinite, abs(value) < 1e12 else { return .null }
        return .number("\((value * 1000).rounded() / 1000)")
    }
}
