internal import AWSProtocol
public import PageCache
internal import RateLimiter
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
    /// Those who may call, by the number that requests come with.
    let callers: [Caller]
    let domainLimit: Limit?
    let domains: KeyedBuckets?
    /// What limits in shadow mode would have refused.
    public let shadows = ShadowCounts()
    let labels: [[Int]]
    let upstream: any UpstreamPort
    let receiver: any ArrivalReceiver
    let observer: (any WriteObserver)?
    private let lastFetch = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - callers: who may call; the first is whoever is not known.
    ///   - domainLimit: what may be asked of the services for each domain.
    ///   - upstream: gets the fetches.
    ///   - receiver: gets their results.
    ///   - observer: is told of writes.
    public init(
        services: [Service], cache: PageCache, policy: CachePolicy, callers: [CallerSettings],
        domainLimit: Limit? = nil, upstream: any UpstreamPort, receiver: any ArrivalReceiver,
        observer: (any WriteObserver)? = nil
    ) {
        self.services = services
        self.cache = cache
        self.policy = policy
        self.upstream = upstream
        self.receiver = receiver
        self.observer = observer
        self.domainLimit = domainLimit
        domains = domainLimit.map { KeyedBuckets($0.quota) }
        let names = Set(services.flatMap { $0.catalog.operations.map(\.name) }).sorted()
        let operationNames = names + ["other"]
        self.operationNames = operationNames
        self.callers = callers.enumerated().map {
            Caller($1, index: $0, operationNames: operationNames, services: services)
        }
        let places = Dictionary(uniqueKeysWithValues: zip(names, 0...))
        labels = services.map { service in service.catalog.operations.map { places[$0.name] ?? names.count } }
    }

    /// The label of requests that name no catalogued operation.
    public var otherOperation: Int { operationNames.count - 1 }

    /// Charges a caller for a request, whatever it is, before anything of it is read: nobody can ask for ever, and what is
    /// refused costs next to nothing.
    ///
    /// - Parameters:
    ///   - caller: the number of who calls.
    ///   - target: the value of `X-Amz-Target`, which names the operation.
    /// - Returns: the error for a caller who may not ask for this operation, or who asks too often.
    public func charge(caller: Int = 0, target: Span<UInt8>, now: Int64) -> GatewayError? {
        guard callers[caller].tellsOperationsApart else {
            let allowance = callers[caller].general
            return refusal(allowance, allowance.bucket.take(now: now), target, now: now)
        }
        let caller = callers[caller]
        let operation = operation(target)
        let allowance = caller.allowance(operation)
        // Who may not ask is charged too.
        let decision = allowance.bucket.take(now: now)
        return denial(caller, operation, target) ?? refusal(allowance, decision, target, now: now)
    }

    private func refusal(
        _ allowance: Caller.Allowance, _ decision: TokenBucket.Decision, _ target: Span<UInt8>, now: Int64
    ) -> GatewayError? {
        guard case .denied(let until) = decision, let service = services.count == 1 ? services[0] : owner(of: target)
        else { return nil }
        guard !allowance.isShadow else {
            shadows.count(.caller)
            return nil
        }
        return GatewayError(allowance.notices[service.index], wait: until - now)
    }

    /// The service that is meant by a target, or may be.
    private func owner(of target: Span<UInt8>) -> Service? {
        services.first { $0.owns(target) } ?? services.first
    }

    /// The place of a target's operation in `operationNames`.
    public func operation(_ target: Span<UInt8>) -> Int {
        for service in services {
            if let place = service.operation(target) { return labels[service.index][place] }
        }
        return otherOperation
    }

    /// Decides what becomes of a call, for which its caller was charged.
    ///
    /// - Parameters:
    ///   - caller: the number of who calls.
    ///   - waiter: who waits, if the answer comes later.
    ///   - forwarded: the request's fields, for a service that gets them as they are.
    public func decide(
        _ call: Call, caller: Int = 0, wishes: Wishes = Wishes(), waiter: Waiter, forwarded: ForwardedFields? = nil,
        now: Int64
    ) -> Verdict {
        if let error = denial(caller, call) { return .refused(error) }
        // Put together only where it is needed: by far most requests are for pages that are there.
        var asker: Request { Request(callers[caller], waiter, wishes, forwarded) }
        switch call.action {
        case .refuse(let error):
            return .refused(error)
        case .pass(let order):
            guard !wishes.onlyIfCached else { return .refused(.notCached(order.service.catalog)) }
            return pass(order, asker, now: now)
        case .page(let page):
            guard forwarded?.isPlain ?? true else { return pass(page.order, asker, now: now) }
            guard !wishes.onlyIfCached || isServable(page, now: now) else {
                return .refused(.notCached(page.order.service.catalog))
            }
            if wishes.fetchesAnew, !wishes.onlyIfCached {
                let flight = cache.lead(page.key, scope: page.scope, waiter: waiter, isRetry: wishes.isRetry)
                return lead(fetch(page, flight, asker, now: now), flight, asker, .anew, now: now)
            }
            let found = cache.find(page.key, scope: page.scope, waiter: waiter, isRetry: wishes.isRetry, now: now)
            if case .fresh(let fresh) = found { return .page(fresh, .fresh) }
            return answer(found, page, asker, now: now)
        }
    }

    /// Who asks, and for what beside the answer.
    private struct Request {
        let caller: Caller
        let waiter: Waiter
        let wishes: Wishes
        let forwarded: ForwardedFields?

        init(_ caller: Caller, _ waiter: Waiter, _ wishes: Wishes, _ forwarded: ForwardedFields?) {
            self.caller = caller
            self.waiter = waiter
            self.wishes = wishes
            self.forwarded = forwarded
        }
    }

    private func answer(
        _ found: PageCache.Lookup, _ wanted: Call.PageOrder, _ asker: borrowing Request, now: Int64
    ) -> Verdict {
        switch found {
        case .fresh(let page):
            return .page(page, .fresh)
        case .stale(let page, let refresh):
            if let refresh {
                var fetch = fetch(wanted, refresh, asker, now: now)
                fetch.claim = .refresh(fetchedAt: page.fetchedAt)
                self.refresh(fetch, now: now)
            }
            return .page(page, .revalidating)
        case .lead(let flight):
            return lead(fetch(wanted, flight, asker, now: now), flight, asker, .leader, now: now)
        case .joined(let flight):
            join(flight, of: wanted, asker.caller, now: now)
            return .wait(.follower)
        case .held(let page):
            return .page(page, .unrefreshable(.quota, status: nil))
        case .crowded:
            let limit = "too many requests wait for this page"
            return .refused(.throttled(.waiters, limit, wait: 1_000_000_000, wanted.order.service.catalog))
        }
    }

    /// Whether there is a page that is served without waiting for anybody.
    private func isServable(_ wanted: Call.PageOrder, now: Int64) -> Bool {
        cache.usablePage(wanted.key, now: now).map { now < $0.revalidateUntil } ?? false
    }

    private func fetch(_ wanted: Call.PageOrder, _ flight: Flight, _ asker: borrowing Request, now: Int64) -> Fetch {
        Fetch(
            wanted.order, .flight(flight, wanted.lifetime), asker.caller.claim, forwarded: asker.forwarded,
            id: nextFetch(), now: now)
    }

    /// The client of a waiting call has gone. A flight goes on all the same if it has been sent; what still waits for its
    /// token, and for nobody else, does not.
    public func abandon(_ call: Call, waiter: Waiter, now: Int64) {
        switch call.action {
        case .page(let page):
            if let flight = cache.removeWaiter(waiter, of: page.key) {
                withdraw(flight, page.order.service.groups[page.order.quotaGroup], now: now)
            }
        case .pass(let order):
            withdraw(waiter, order.service.groups[order.quotaGroup], now: now)
        case .refuse:
            break
        }
    }

    /// How long a request waits for its answer at the most, in nanoseconds: the call's time, and a moment for the fetch to
    /// report its own end.
    public func patience(_ call: Call) -> Int64 {
        (call.service?.settings.callTimeout ?? 0) &+ 250_000_000
    }

    /// What a request gets whose time is over; nothing for one that never waits. If it is a write, which may have taken
    /// effect, the pages that it is about are void before anybody is told.
    public func overdue(_ call: Call, waiter: Waiter, now: Int64) -> GatewayError? {
        guard let service = call.service else { return nil }
        if case .pass(let order) = call.action {
            for scope in order.invalidates { cache.invalidate(scope) }
        }
        abandon(call, waiter: waiter, now: now)
        return .upstreamFault("the time for the call is over", detail: "deadline", service.catalog)
    }

    // MARK: Quota

    private func pass(_ order: Call.Order, _ asker: borrowing Request, now: Int64) -> Verdict {
        var fetch = Fetch(
            order, .pass(asker.waiter, isRetry: asker.wishes.isRetry), asker.caller.claim, forwarded: asker.forwarded,
            id: nextFetch(), now: now)
        if let deadline = asker.wishes.deadline { fetch.deadline = min(fetch.deadline, deadline) }
        guard case .refused(let scope, let until) = send(fetch, now: now) else { return .wait(.pass) }
        return .refused(quotaError(fetch, scope, until: until, now: now))
    }

    /// Without a token at once, a stale page goes before a wait, and a wait before a refusal; who asked for a new page is
    /// not served a stale one.
    private func lead(
        _ fetch: Fetch, _ flight: Flight, _ asker: borrowing Request, _ role: Verdict.Role, now: Int64
    ) -> Verdict {
        let waiter = asker.waiter
        let page = role == .anew ? nil : cache.usablePage(flight.key, now: now)
        var fetch = fetch
        // Nobody waits for a page of which there is an older one: its turn is that of a refresh.
        if let page { fetch.claim = .refresh(fetchedAt: page.fetchedAt) }
        let use = PageUse.unrefreshable(.quota, status: nil)
        switch (send(fetch, now: now), page) {
        case (.granted, _):
            return .wait(role)
        case (.queued, let page?):
            // The flight goes on in the queue, for whoever comes next.
            cache.removeWaiter(waiter, of: flight.key)
            return .page(page, use)
        case (.queued(let until), nil):
            guard let deadline = asker.wishes.deadline, deadline < until else { return .wait(role) }
            // The client will be gone by then: the flight goes on only if others have joined.
            if cache.removeWaiter(waiter, of: flight.key) != nil {
                withdraw(flight, services[fetch.service].groups[fetch.quotaGroup], now: now)
            }
            return .refused(quotaError(fetch, .quota, until: until, now: now))
        case (.refused, let page?):
            deliver([Delivery(.stale(page, use), to: landUnsent(flight, except: waiter, now: now))])
            return .page(page, use)
        case (.refused(let scope, let until), nil):
            let error = quotaError(fetch, scope, until: until, now: now)
            deliver([Delivery(.error(error), to: landUnsent(flight, except: waiter, now: now))])
            return .refused(error)
        }
    }

    /// A flight ends before it was sent.
    ///
    /// - Returns: those who have joined it meanwhile.
    private func landUnsent(_ flight: Flight, except waiter: Waiter, now: Int64) -> [Waiter] {
        cache.land(flight, .nothing, now: now).filter { $0 != waiter }
    }

    private func refresh(_ fetch: Fetch, now: Int64) {
        if case .refused(let scope, let until) = send(fetch, now: now) {
            deliver([finish(fetch, .throttled(scope, until: until), attempts: 0, now: now)])
        }
    }

    private func send(_ fetch: Fetch, now: Int64) -> Admission {
        let admission = admit(PendingAttempt(fetch: fetch, number: 1), now: now)
        switch admission {
        case .granted: upstream.start(fetch)
        case .queued:
            if case .flight(let flight, _) = fetch.purpose { cache.hold(flight) }
            upstream.queueGrew()
        case .refused: break
        }
        return admission
    }

    private func nextFetch() -> UInt64 { lastFetch.wrappingAdd(1, ordering: .relaxed).newValue }

    // MARK: Words

    /// A quota's rate for a message, for which two decimals are enough: `2 requests a second`, or `1 request in 250 seconds`
    /// for less than one in a hundred.
    static func rate(_ quota: Quota) -> String {
        let seconds = Double(max(1, quota.interval)) / 1e9
        let hundredths = Int64((100 / seconds).rounded())
        if seconds > 100 { return "1 request in \(Int64(seconds.rounded())) seconds" }
        if hundredths == 100 { return "1 request a second" }
        let (whole, fraction) = hundredths.quotientAndRemainder(dividingBy: 100)
        let decimals =
            fraction == 0
            ? "" : fraction % 10 == 0 ? ".\(fraction / 10)" : fraction < 10 ? ".0\(fraction)" : ".\(fraction)"
        return "\(whole)\(decimals) requests a second"
    }
}
