internal import AWSProtocol
public import PageCache
public import RateLimiter
internal import Synchronization

/// Decides what becomes of a request: parse, limits, cache, flight, quota, in this order.
///
/// `decide` runs on the caller's event loop, without waiting for anything. `finish` takes the result of a fetch from
/// whatever thread made it. Time is an argument everywhere: monotonic nanoseconds.
public final class Gate: Sendable {
    public let services: [Service]
    public let cache: PageCache
    let policy: CachePolicy
    /// The names of all catalogued operations, then `other` for the rest: the values of metric labels.
    public let operationNames: [String]
    /// The bucket of each caller. There is one caller yet, who is anonymous.
    private let callerBuckets: [AtomicBucket]
    let labels: [[Int]]
    private let upstream: any UpstreamPort
    let receiver: any ArrivalReceiver
    let observer: (any WriteObserver)?
    private let lastFetch = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - callerQuota: what each caller may ask for.
    ///   - upstream: gets the fetches.
    ///   - receiver: gets their results.
    ///   - observer: is told of writes.
    public init(
        services: [Service], cache: PageCache, policy: CachePolicy, callerQuota: Quota, upstream: any UpstreamPort,
        receiver: any ArrivalReceiver, observer: (any WriteObserver)? = nil
    ) {
        self.services = services
        self.cache = cache
        self.policy = policy
        self.upstream = upstream
        self.receiver = receiver
        self.observer = observer
        callerBuckets = [AtomicBucket(callerQuota)]
        let names = Set(services.flatMap { $0.catalog.operations.map(\.name) }).sorted()
        operationNames = names + ["other"]
        let places = Dictionary(uniqueKeysWithValues: zip(names, 0...))
        labels = services.map { service in service.catalog.operations.map { places[$0.name] ?? names.count } }
    }

    /// The label of requests that name no catalogued operation.
    public var otherOperation: Int { operationNames.count - 1 }

    /// Decides what becomes of a call.
    ///
    /// - Parameter waiter: who waits, if the answer comes later.
    public func decide(_ call: Call, wishes: Wishes = Wishes(), waiter: Waiter, now: Int64) -> Verdict {
        let bucket = callerBuckets[0]
        // Whatever the call is, it is charged: nobody can ask for ever.
        if case .denied(let until) = bucket.take(now: now), let service = call.service {
            let limit = "caller anonymous is limited to \(Self.rate(bucket.quota)) requests a second"
            return .refused(.throttled(.caller, limit, wait: until - now, service.catalog))
        }
        switch call.action {
        case .refuse(let error):
            return .refused(error)
        case .pass(let order):
            guard !wishes.onlyIfCached else { return .refused(.notCached(order.service.catalog)) }
            return pass(order, waiter, now: now)
        case .page(let page):
            guard !wishes.onlyIfCached || isServable(page, now: now) else {
                return .refused(.notCached(page.order.service.catalog))
            }
            if wishes.fetchesAnew, !wishes.onlyIfCached {
                let flight = cache.lead(page.key, scope: page.scope, waiter: waiter)
                return lead(fetch(page, flight, now: now), flight, waiter, .anew, now: now)
            }
            return find(page, waiter, now: now)
        }
    }

    private func find(_ wanted: Call.PageOrder, _ waiter: Waiter, now: Int64) -> Verdict {
        switch cache.find(wanted.key, scope: wanted.scope, waiter: waiter, now: now) {
        case .fresh(let page):
            return .page(page, .fresh)
        case .stale(let page, let refresh):
            if let refresh { self.refresh(fetch(wanted, refresh, now: now), now: now) }
            return .page(page, .revalidating)
        case .lead(let flight):
            return lead(fetch(wanted, flight, now: now), flight, waiter, .leader, now: now)
        case .joined:
            return .wait(.follower)
        case .crowded:
            let limit = "too many requests wait for this page"
            return .refused(.throttled(.waiters, limit, wait: 1_000_000_000, wanted.order.service.catalog))
        }
    }

    /// Whether there is a page that is served without waiting for anybody.
    private func isServable(_ wanted: Call.PageOrder, now: Int64) -> Bool {
        cache.usablePage(wanted.key, now: now).map { now < $0.revalidateUntil } ?? false
    }

    private func fetch(_ wanted: Call.PageOrder, _ flight: Flight, now: Int64) -> Fetch {
        Fetch(wanted.order, .flight(flight, wanted.lifetime), id: nextFetch(), now: now)
    }

    /// The client of a waiting call has gone: it takes up no more room on its flight, which goes on all the same.
    public func abandon(_ call: Call, waiter: Waiter) {
        if case .page(let page) = call.action { cache.removeWaiter(waiter, of: page.key) }
    }

    /// How long a request waits for its answer at the most, in nanoseconds: the call's time, and a moment for the fetch to
    /// report its own end.
    public func patience(_ call: Call) -> Int64 {
        (call.service?.settings.callTimeout ?? 0) &+ 250_000_000
    }

    /// What a request gets whose time is over; nothing for one that never waits. If it is a write, which may have taken
    /// effect, the pages that it is about are void before anybody is told.
    public func overdue(_ call: Call, waiter: Waiter) -> GatewayError? {
        guard let service = call.service else { return nil }
        if case .pass(let order) = call.action {
            for scope in order.invalidates { cache.invalidate(scope) }
        }
        abandon(call, waiter: waiter)
        return .upstreamFault("the time for the call is over", detail: "deadline", service.catalog)
    }

    // MARK: Quota

    private func pass(_ order: Call.Order, _ waiter: Waiter, now: Int64) -> Verdict {
        let fetch = Fetch(order, .pass(waiter), id: nextFetch(), now: now)
        if !fetch.invalidates.isEmpty { observer?.writeBegins() }
        guard case .refused(let until) = send(fetch, now: now) else { return .wait(.pass) }
        if !fetch.invalidates.isEmpty { observer?.writeEnded() }
        return .refused(quotaError(fetch, until: until, now: now))
    }

    /// Without a token at once, a stale page goes before a wait, and a wait before a refusal; who asked for a new page is
    /// not served a stale one.
    private func lead(
        _ fetch: Fetch, _ flight: Flight, _ waiter: Waiter, _ role: Verdict.Role, now: Int64
    ) -> Verdict {
        let admission = send(fetch, now: now)
        if admission == .granted { return .wait(role) }
        let use = PageUse.unrefreshable(.quota, status: nil)
        let page = role == .anew ? nil : cache.usablePage(flight.key, now: now)
        guard case .refused(let until) = admission else {
            guard let page else { return .wait(role) }
            // The flight goes on in the queue, for whoever comes next.
            cache.removeWaiter(waiter, of: flight.key)
            return .page(page, use)
        }
        // Nothing was sent: the flight ends here, for this request at once and for others that joined meanwhile.
        let others = cache.land(flight, storing: nil, now: now).filter { $0 != waiter }
        guard let page else {
            let error = quotaError(fetch, until: until, now: now)
            receiver.deliver(.error(error), to: others)
            return .refused(error)
        }
        receiver.deliver(.stale(page, use), to: others)
        return .page(page, use)
    }

    private func refresh(_ fetch: Fetch, now: Int64) {
        if case .refused(let until) = send(fetch, now: now) {
            finish(fetch, .throttled(until: until), attempts: 0, now: now)
        }
    }

    private func send(_ fetch: Fetch, now: Int64) -> QuotaGroup<PendingAttempt>.Admission {
        let attempt = PendingAttempt(fetch: fetch, number: 1)
        let admission = services[fetch.service].groups[fetch.quotaGroup].request(
            attempt, deadline: fetch.deadline, now: now)
        switch admission {
        case .granted: upstream.start(fetch)
        case .queued: upstream.queueGrew()
        case .refused: break
        }
        return admission
    }

    func quotaError(_ fetch: Fetch, until: Int64, now: Int64) -> GatewayError {
        let service = services[fetch.service]
        let name = service.catalog.quotaGroups[fetch.quotaGroup].name
        let rate = Self.rate(service.groups[fetch.quotaGroup].quota)
        let limit = "quota group '\(name)' of the service allows \(rate) requests a second"
        return .throttled(.quota, limit, wait: until - now, service.catalog)
    }

    private func nextFetch() -> UInt64 { lastFetch.wrappingAdd(1, ordering: .relaxed).newValue }

    // MARK: Words

    /// Two decimals are enough for a message.
    static func rate(_ quota: Quota) -> String {
        let hundredths = Int64((1e11 / Double(max(1, quota.interval))).rounded())
        if hundredths % 100 == 0 { return "\(hundredths / 100)" }
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }
}
