internal import AWSProtocol
public import PageCache
public import Primitives
internal import RateLimiter
internal import Synchronization

/// Decides the answer to a request: the caller's limit, parsing, cache, flight, quota, in this order.
///
/// `decide` runs on the caller's event loop, without waiting for anything. `finish` takes the result of a fetch from
/// whatever thread made it. Time is an argument everywhere: monotonic nanoseconds.
public final class Gate: Sendable {
    public let services: [Service]
    public let cache: PageCache
    let policy: CachePolicy
    /// The names of all catalogued operations, then `other` for the rest: the values of metric labels.
    public let operationNames: [String]
    /// By their ids.
    let callers: [Caller]
    /// The limits of what is sent to the services.
    public let queue: FetchQueue
    /// The refusals that limits in shadow mode did not carry out.
    public let shadows: ShadowCounts
    /// By the service's index, and the operation's in its catalog.
    let labels: [[OperationID]]
    let upstream: any UpstreamPort
    let receiver: any ArrivalReceiver
    let observer: (any WriteObserver)?
    private let lastFetch = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - callers: the first stands for all unidentified callers.
    ///   - domainLimit: limits what is sent to the services for each domain.
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
        let shadows = ShadowCounts()
        self.shadows = shadows
        queue = FetchQueue(services, domainLimit: domainLimit, shadows: shadows)
        let names = Set(services.flatMap { $0.catalog.operations.map(\.name) }).sorted()
        let operationNames = names + ["other"]
        self.operationNames = operationNames
        self.callers = callers.enumerated().map {
            Caller($1, CallerID($0), operationNames: operationNames, services: services)
        }
        let places = Dictionary(uniqueKeysWithValues: zip(names, 0...))
        labels = services.map { service in
            service.catalog.operations.map { OperationID(places[$0.name] ?? names.count) }
        }
    }

    /// The label of requests that name no catalogued operation.
    public var otherOperation: OperationID { OperationID(operationNames.count - 1) }

    /// Charges a caller for a request before its body is read, whatever it is, so that refusing it
    /// costs next to nothing.
    ///
    /// - Parameter target: the value of `X-Amz-Target`, which names the operation.
    /// - Returns: the error for a caller who may not ask for this operation, or who asks too often.
    public func charge(caller: CallerID = .anonymous, target: Span<UInt8>, now: Int64) -> GatewayError? {
        guard callers[caller.index].tellsOperationsApart else {
            let allowance = callers[caller.index].general
            return refusal(allowance, allowance.bucket.take(now: now), target, now: now)
        }
        let caller = callers[caller.index]
        let operation = operation(target)
        let allowance = caller.allowance(operation)
        // A caller without permission is charged too.
        let decision = allowance.bucket.take(now: now)
        return denial(caller, operation, target) ?? refusal(allowance, decision, target, now: now)
    }

    private func refusal(
        _ allowance: Caller.Allowance, _ decision: TokenBucket.Decision, _ target: Span<UInt8>, now: Int64
    ) -> GatewayError? {
        guard case .denied(let until) = decision, let service = owner(of: target)
        else { return nil }
        guard !allowance.isShadow else {
            shadows.count(.caller)
            return nil
        }
        return GatewayError(allowance.notices[service.index], wait: until - now)
    }

    /// The service that is meant by a target, or may be.
    public func owner(of target: Span<UInt8>) -> Service? {
        services.count == 1 ? services[0] : services.first { $0.owns(target) } ?? services.first
    }

    public func operation(_ target: Span<UInt8>) -> OperationID {
        for service in services {
            if let place = service.operation(target) { return labels[service.index][place] }
        }
        return otherOperation
    }

    /// Decides what becomes of a call, for which its caller was charged.
    ///
    /// - Parameters:
    ///   - waiter: gets the answer if it comes later.
    ///   - forwarded: the request's fields, for a service that gets them as they are.
    public func decide(
        _ call: Call, caller: CallerID = .anonymous, directives: CacheDirectives = CacheDirectives(), waiter: Waiter,
        forwarded: ForwardedFields? = nil,
        now: Int64
    ) -> Verdict {
        if let error = denial(caller, call) { return .refused(error) }
        // Put together only where it is needed: by far most requests are for pages that are there.
        var request: Request { Request(callers[caller.index], waiter, directives, forwarded) }
        switch call.action {
        case .refuse(let error):
            return .refused(error)
        case .pass(let order):
            guard !directives.onlyIfCached else { return .refused(.notCached(order.service.catalog)) }
            return pass(order, request, now: now)
        case .page(let page):
            guard forwarded?.isPlain ?? true else { return pass(page.order, request, now: now) }
            guard !directives.onlyIfCached || isServable(page, now: now) else {
                return .refused(.notCached(page.order.service.catalog))
            }
            if directives.noCache, !directives.onlyIfCached {
                let flight = cache.lead(page.key, scope: page.scope, waiter: waiter, isRetry: directives.isRetry)
                return lead(fetch(page, flight, request, now: now), flight, request, .noCache, now: now)
            }
            let found = cache.find(page.key, scope: page.scope, waiter: waiter, isRetry: directives.isRetry, now: now)
            if case .fresh(let fresh) = found { return .page(fresh, .fresh) }
            return answer(found, page, request, now: now)
        }
    }

    /// A request's caller, waiter and directives.
    private struct Request {
        let caller: Caller
        let waiter: Waiter
        let directives: CacheDirectives
        let forwarded: ForwardedFields?

        init(_ caller: Caller, _ waiter: Waiter, _ directives: CacheDirectives, _ forwarded: ForwardedFields?) {
            self.caller = caller
            self.waiter = waiter
            self.directives = directives
            self.forwarded = forwarded
        }
    }

    private func answer(
        _ found: PageCache.Lookup, _ wanted: Call.PageOrder, _ request: borrowing Request, now: Int64
    ) -> Verdict {
        switch found {
        case .fresh(let page):
            return .page(page, .fresh)
        case .stale(let page, let refresh):
            if let refresh {
                var fetch = fetch(wanted, refresh, request, now: now)
                fetch.claim = .refresh(fetchedAt: page.fetchedAt)
                self.refresh(fetch, now: now)
            }
            return .page(page, .revalidating)
        case .lead(let flight):
            return lead(fetch(wanted, flight, request, now: now), flight, request, .leader, now: now)
        case .joined(let flight):
            if queue.join(flight, wanted.order, as: request.caller.claim, now: now) { upstream.queueGrew() }
            return .wait(.follower)
        case .held(let page):
            return .page(page, .unrefreshable(.quota, status: nil))
        case .crowded:
            let limit = "too many requests wait for this page"
            return .refused(.throttled(.waiters, limit, wait: 1_000_000_000, wanted.order.service.catalog))
        }
    }

    /// Whether there is a page that can be served at once.
    private func isServable(_ wanted: Call.PageOrder, now: Int64) -> Bool {
        cache.usablePage(wanted.key, now: now).map { now < $0.revalidateUntil } ?? false
    }

    private func fetch(_ wanted: Call.PageOrder, _ flight: Flight, _ request: borrowing Request, now: Int64) -> Fetch {
        Fetch(
            wanted.order, .flight(flight, wanted.lifetime), request.caller.claim, forwarded: request.forwarded,
            id: nextFetch(), now: now)
    }

    /// The client of a waiting call has gone. A flight goes on all the same if it has been sent; what still waits for its
    /// token, and for this client alone, does not.
    public func abandon(_ call: Call, waiter: Waiter, now: Int64) {
        switch call.action {
        case .page(let page):
            if let flight = cache.removeWaiter(waiter, of: page.key) { withdraw(flight, page.order, now: now) }
        case .pass(let order):
            guard let attempt = queue.withdraw(order, where: { $0.isFor(waiter) }) else { return }
            let turn = queue.turn(of: attempt, now: now)
            deliver([finish(queue.end(attempt), .throttled(.quota, until: turn), now: now)])
        case .refuse:
            break
        }
    }

    /// Withdraws a flight without waiters if it still waits for its first token.
    private func withdraw(_ flight: Flight, _ order: Call.Order, now: Int64) {
        guard let attempt = queue.withdraw(order, where: { $0.isFor(flight) }) else { return }
        guard !cache.landDeserted(flight) else {
            _ = queue.end(attempt)
            return
        }
        // A client has joined in the meantime.
        switch queue.admit(attempt, now: now) {
        case .granted(let attempt): upstream.start(attempt)
        case .queued: upstream.queueGrew()
        case .refused(let attempt, let scope, let until):
            deliver([finish(attempt, .throttled(scope, until: until), now: now)])
        }
    }

    /// How long a request waits for its answer at the most, in nanoseconds: the call's time, and a moment for the fetch to
    /// report its own end.
    public func patience(_ call: Call) -> Int64 {
        (call.service?.settings.callTimeout ?? 0) &+ 250_000_000
    }

    /// The error for a request whose time is over; nil for one that never waits. If it is a write, which may have taken
    /// effect, the pages that it is about are made void first.
    public func overdue(_ call: Call, waiter: Waiter, now: Int64) -> GatewayError? {
        guard let service = call.service else { return nil }
        if case .pass(let order) = call.action {
            for scope in order.invalidates { cache.invalidate(scope) }
        }
        abandon(call, waiter: waiter, now: now)
        return .upstreamFault("the time for the call is over", detail: "deadline", service.catalog)
    }

    // MARK: First attempts

    /// What became of a fetch that has just begun.
    private enum Start: ~Copyable {
        case sent
        case queued(until: Int64)
        case refused(EndedAttempt, ThrottleScope, until: Int64)
    }

    private func start(_ fetch: Fetch, now: Int64) -> Start {
        switch queue.admit(WaitingAttempt(record: AttemptRecord(fetch: fetch)), now: now) {
        case .granted(let attempt):
            upstream.start(attempt)
            return .sent
        case .queued(let until):
            if case .flight(let flight, _) = fetch.purpose { cache.hold(flight) }
            upstream.queueGrew()
            return .queued(until: until)
        case .refused(let attempt, let scope, let until): return .refused(attempt, scope, until: until)
        }
    }

    private func pass(_ order: Call.Order, _ request: borrowing Request, now: Int64) -> Verdict {
        var fetch = Fetch(
            order, .pass(request.waiter, isRetry: request.directives.isRetry), request.caller.claim,
            forwarded: request.forwarded, id: nextFetch(), now: now)
        if let deadline = request.directives.deadline { fetch.deadline = min(fetch.deadline, deadline) }
        guard case .refused(_, let scope, let until) = start(fetch, now: now) else { return .wait(.pass) }
        return .refused(queue.error(fetch, scope, until: until, now: now))
    }

    /// Without a token at once, a stale page goes before a wait, and a wait before a refusal. A `no-cache` request gets no
    /// stale page.
    private func lead(
        _ fetch: Fetch, _ flight: Flight, _ request: borrowing Request, _ role: Verdict.Role, now: Int64
    ) -> Verdict {
        let waiter = request.waiter
        let page = role == .noCache ? nil : cache.usablePage(flight.key, now: now)
        var fetch = fetch
        // The request is answered with the older page, so the fetch has the priority of a refresh.
        if let page { fetch.claim = .refresh(fetchedAt: page.fetchedAt) }
        let use = PageUse.unrefreshable(.quota, status: nil)
        switch start(fetch, now: now) {
        case .sent:
            return .wait(role)
        case .queued(let until):
            guard let page else {
                guard let deadline = request.directives.deadline, deadline < until else { return .wait(role) }
                // The client will be gone by then: the flight goes on only if others have joined.
                if cache.removeWaiter(waiter, of: flight.key) != nil { withdraw(flight, fetch.order, now: now) }
                return .refused(queue.error(fetch, .quota, until: until, now: now))
            }
            // The flight stays in the queue, for later requests.
            cache.removeWaiter(waiter, of: flight.key)
            return .page(page, use)
        case .refused(_, let scope, let until):
            // Others may have joined meanwhile.
            let others = cache.land(flight, .nothing, now: now).filter { $0 != waiter }
            guard let page else {
                let error = queue.error(fetch, scope, until: until, now: now)
                deliver([Delivery(.error(error), to: others)])
                return .refused(error)
            }
            deliver([Delivery(.stale(page, use), to: others)])
            return .page(page, use)
        }
    }

    private func refresh(_ fetch: Fetch, now: Int64) {
        if case .refused(let attempt, let scope, let until) = start(fetch, now: now) {
            deliver([finish(attempt, .throttled(scope, until: until), now: now)])
        }
    }

    private func nextFetch() -> UInt64 { lastFetch.wrappingAdd(1, ordering: .relaxed).newValue }
}
