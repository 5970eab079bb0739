import AWSProtocol
import BuiltInCatalogs
import PageCache
import Primitives
import RateLimiter
import Synchronization

@testable import Gateway
import TestSupport

let second: Int64 = 1_000_000_000

/// An upstream that sends nothing and remembers what it was asked.
final class FakeUpstream: UpstreamPort {
    private let state = Mutex<(records: [AttemptRecord], grown: Int)>(([], 0))

    func start(_ attempt: consuming GrantedAttempt) {
        let record = attempt.record
        state.withLock { $0.records.append(record) }
    }
    func queueGrew() { state.withLock { $0.grown += 1 } }

    var fetches: [Fetch] { state.withLock { $0.records.map(\.fetch) } }
    /// The attempt that was granted last; it can be taken more than once here.
    var last: GrantedAttempt? { state.withLock { $0.records.last }.map { GrantedAttempt(record: $0) } }
    var grown: Int { state.withLock { $0.grown } }
}

/// Remembers what was delivered, and what was to be seen at that moment.
final class FakeReceiver: ArrivalReceiver {
    struct Received: Sendable {
        let arrival: Arrival
        let waiters: [Waiter]
        /// The cache's invalidations when it came.
        let invalidations: UInt64
    }

    private let cache: PageCache
    private let state = Mutex<[Received]>([])

    init(_ cache: PageCache) { self.cache = cache }

    func deliver(_ deliveries: [Delivery]) {
        let invalidations = cache.figures.invalidations
        state.withLock { state in
            state += deliveries.map {
                Received(arrival: $0.arrival, waiters: $0.waiters, invalidations: invalidations)
            }
        }
    }

    /// What came to somebody.
    var deliveries: [Received] { state.withLock { $0.filter { !$0.waiters.isEmpty } } }
    var words: [String] { deliveries.map { word($0.arrival) } }
}

/// A gate with everything around it, and a clock that is moved by hand.
final class GateFixture {
    /// Two domains that share their epoch neither with each other nor with the operations without a domain.
    static let domains: [String] = {
        var scopes: Set<EpochScope> = [EpochScope(service: "voice-id", domain: [])]
        return (10..<99).map { "abcdefghijABCDEFGHIJ\($0)" }
            .filter { scopes.insert(EpochScope(service: "voice-id", domain: Array($0.utf8))).inserted }
    }()
    static let domain = domains[0]
    static let otherDomain = domains[1]

    let gate: Gate
    let upstream = FakeUpstream()
    let receiver: FakeReceiver
    var now: MonotonicInstant = .at(100 * second)
    private var lastWaiter: UInt64 = 0

    /// - Parameter tokens: what every quota group holds at the start; one comes each `interval` seconds.
    init(
        tokens: Int = 10, interval: Double = 1000, maxWait: Int64 = 0, maxWaiters: Int = 10, callerBurst: Double = 1000,
        negative: [String: Int64] = ["ResourceNotFoundException": 5 * second],
        services names: [(name: String, region: String)] = [("voice-id", "us-east-1")],
        callers: (Double) -> [CallerSettings] = {
            [CallerSettings(name: "anonymous", limit: Limit(Quota(rate: 1, burst: $0)))]
        }, domainLimit: Limit? = nil, refreshAhead: RefreshSettings = .off, adaptive: AdaptiveTTL? = nil,
        catalog: (String) throws -> Catalog = { _ in try builtInCatalog() },
        change: (inout Catalog) -> Void = { _ in }
    ) throws {
        let quota = Quota(rate: 1 / interval, burst: Double(max(1, tokens)))
        // Groups start empty: long enough ago for the tokens that are wanted.
        let start = now - Int64(interval * 1e9) * Int64(tokens)
        let services = try names.enumerated().map { index, service in
            var catalog = try catalog(service.name)
            change(&catalog)
            return Service(
                index: index,
                settings: Service.Settings(
                    name: service.name, region: service.region, catalog: catalog,
                    quotas: catalog.quotaGroups.map { _ in quota }, callTimeout: 15 * second, maxWait: maxWait,
                    maxDepth: 4),
                now: start)
        }
        var policy = CachePolicy()
        policy.statusTTL = ["COMPLETED": 60 * second]
        policy.negativeTTL = negative
        if let adaptive { policy.operationTTL = ["List*": .adaptive(adaptive)] }
        let cache = PageCache(maxBytes: 1 << 22, maxWaiters: maxWaiters)
        receiver = FakeReceiver(cache)
        gate = Gate(
            services: services, cache: cache, policy: policy, callers: callers(callerBurst),
            domainLimit: domainLimit, refreshAhead: refreshAhead, upstream: upstream, receiver: receiver)
    }

    func read(_ operation: String, _ body: String, region: String = "", prefix: String = "VoiceID.") -> Call {
        read(operation, Array(body.utf8), region: region, prefix: prefix)
    }

    func read(
        _ operation: String, _ body: [UInt8], region: String = "", prefix: String = "VoiceID.",
        coding: ContentCoding? = nil
    ) -> Call {
        let target = operation.isEmpty ? [] : Array((prefix + operation).utf8)
        let region = Array(region.utf8)
        return gate.read(target: target.span, scope: region.span, body: body.span, coding: coding)
    }

    func ask(_ operation: String, _ body: String, region: String = "", caller: CallerID = .anonymous) -> Verdict {
        let target = operation.isEmpty ? [] : Array("VoiceID.\(operation)".utf8)
        if let error = gate.charge(caller: caller, target: target.span, now: now) { return .refused(error) }
        return gate.decide(read(operation, body, region: region), caller: caller, waiter: waiter(), now: now)
    }

    /// Asks for the jobs of a domain.
    func list(_ domain: String = GateFixture.domain) -> Verdict {
        ask("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(domain)\"}")
    }

    /// How many attempts wait for a token.
    var depth: Int { gate.queue.groups.joined().reduce(0) { $0 + $1.depth } }

    func waiter() -> Waiter {
        lastWaiter += 1
        return Waiter(loop: 0, slot: 0, generation: lastWaiter)
    }

    /// Answers the fetch that was sent last.
    func finish(_ result: FetchResult, attempts: Int = 1) {
        if let fetch = upstream.fetches.last { finish(fetch, result, attempts: attempts) }
    }

    /// Answers a fetch.
    func finish(_ fetch: Fetch, _ result: FetchResult, attempts: Int = 1, sentAt: MonotonicInstant? = nil) {
        let attempt = EndedAttempt(fetch: fetch, attempts: attempts, sentAt: sentAt)
        gate.deliver([gate.finish(attempt, result, now: now)])
    }

    /// Has a page of the domain fetched and kept now.
    func keepPage(_ body: String = #"{"JobSummaries":[]}"#) {
        _ = list()
        finish(.reply(good(body)))
    }
}

func builtInCatalog() throws -> Catalog { try Catalog(yaml: BuiltInCatalogs.bytes(named: "voice-id") ?? []) }

func good(_ body: String = "{}") -> UpstreamReply { UpstreamReply(status: 200, body: Array(body.utf8)) }

func bad(_ status: Int, _ code: String) -> UpstreamReply {
    UpstreamReply(status: status, body: Array("{\"__type\":\"x#\(code)\"}".utf8), errorCode: code)
}

func fault(_ detail: String = "timeout") throws -> FetchResult {
    .fault(.upstreamFault("it is down", detail: detail, try builtInCatalog()))
}

/// A verdict in a few words.
func word(_ verdict: Verdict) -> String {
    switch verdict {
    case .page(_, let use): "page \(word(use))"
    case .wait(let role): "wait \(role)"
    case .refused(let error): "refused \(word(error))"
    }
}

func word(_ arrival: Arrival) -> String {
    switch arrival {
    case .page: "page"
    case .stale(_, let use): "stale \(word(use))"
    case .stream(let head, _): "stream \(head.status)"
    case .reply(let reply): "reply \(reply.status)"
    case .error(let error): "error \(word(error))"
    }
}

private func word(_ error: GatewayError) -> String {
    [error.error.code, error.scope?.rawValue].compactMap { $0 }.joined(separator: " ")
}

private func word(_ use: PageUse) -> String {
    switch use {
    case .fresh: "fresh"
    case .revalidating: "revalidating"
    case .unrefreshable(let reason, let status): "\(reason) \(status.map(String.init) ?? "-")"
    }
}
