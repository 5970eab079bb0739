internal import AWSProtocol
public import PageCache
public import Primitives
internal import RateLimiter
public import Tracing

/// Decides the answer to a request: `charge` by the caller's limit, `read` what is asked for, `decide` by permission, cache, flight and
/// quota.
///
/// `decide` runs on the caller's event loop, without waiting for anything. `finish` takes the result of a fetch from
/// whatever thread made it. Time is an argument everywhere.
public final class Gate: Sendable {
    public let services: [Service]
    public let cache: PageCache
    public let policy: CachePolicy
    /// The operations of all services.
    public let operations: OperationNames
    let targets: TargetTable
    /// For each service, the index of the first one of the same Region and signing name: a signature for one is one for the other.
    let signedScopes: [Int]
    /// By their ids.
    let callers: [Caller]
    /// The limits of what is sent to the services.
    public let queue: FetchQueue
    /// What is known of pages' changes, and which is refreshed next.
    public let plan: RefreshPlan
    /// What the quotas' tokens were spent on.
    public let spending: QuotaSpending
    /// The refusals that limits in shadow mode did not carry out.
    public let shadows: ShadowCounts
    let upstream: any UpstreamPort
    let receiver: any ArrivalReceiver
    let observer: (any WriteObserver)?
    let cluster: (any ClusterPort)?
    private let fetchNumbers: FetchNumbers

    /// - Parameters:
    ///   - callers: the first stands for all unidentified callers.
    ///   - domainLimit: limits what is sent to the services for each domain.
    ///   - refreshAhead: what is spent on pages before they are stale.
    ///   - upstream: gets the fetches.
    ///   - receiver: gets their results.
    ///   - observer: is told of writes.
    ///   - cluster: the gateways that share quotas and pages with this one.
    ///   - sharesQuotas: true if quota groups get their slots from the cluster.
    public init(
        services: [Service], cache: PageCache, policy: CachePolicy, callers: [CallerSettings],
        domainLimit: Limit? = nil, refreshAhead: RefreshSettings = .off, upstream: any UpstreamPort,
        receiver: any ArrivalReceiver, observer: (any WriteObserver)? = nil, cluster: (any ClusterPort)? = nil,
        sharesQuotas: Bool = false
    ) {
        fetchNumbers = FetchNumbers()
        self.services = services
        self.cache = cache
        self.policy = policy
        self.upstream = upstream
        self.receiver = receiver
        self.observer = observer
        self.cluster = cluster
        let shadows = ShadowCounts()
        self.shadows = shadows
        queue = FetchQueue(
            services, domainLimit: domainLimit, shadows: shadows, supply: sharesQuotas ? cluster : nil)
        spending = QuotaSpending(services)
        let operations = OperationNames(services)
        plan = RefreshPlan(
            refreshAhead, groups: queue.groupCount, operations: operations.count,
            remembersPages: policy.hasAdaptiveTTL)
        self.operations = operations
        targets = TargetTable(services, operations)
        signedScopes = Self.signedScopes(services)
        let rules = CallerRules(operations)
        self.callers = callers.enumerated().map { Caller($1, CallerID($0), rules: rules, serviceCount: services.count) }
    }

    /// The gate that takes another's place after a reload. Cache, queues, plan and counts are the other's, so each of the two may finish
    /// fetches that the other has begun. Callers keep their buckets.
    ///
    /// - Parameters:
    ///   - services: the same services, in the same order; only settings that `FetchQueue.change` takes, time limits and shadow groups differ.
    ///   - callers: by their ids; at least as many as the other gate has.
    public init(
        replacing old: Gate, services: [Service], policy: CachePolicy, callers: [CallerSettings], now: MonotonicInstant
    ) {
        fetchNumbers = old.fetchNumbers
        self.services = services
        self.policy = policy
        (cache, queue, plan, spending, shadows) = (old.cache, old.queue, old.plan, old.spending, old.shadows)
        (upstream, receiver, observer, cluster) = (old.upstream, old.receiver, old.observer, old.cluster)
        operations = OperationNames(services)
        targets = TargetTable(services, operations)
        signedScopes = Self.signedScopes(services)
        let rules = CallerRules(operations)
        self.callers = callers.enumerated().map { index, settings in
            Caller(
                settings, CallerID(index), after: old.callers.indices.contains(index) ? old.callers[index] : nil,
                rules: rules, serviceCount: services.count, now: now)
        }
    }

    private static func signedScopes(_ services: [Service]) -> [Int] {
        var scopes: [[String]: Int] = [:]
        return services.map { service in
            let scope = [service.settings.region, service.catalog.signingName]
            let first = scopes[scope] ?? service.index
            scopes[scope] = first
            return first
        }
    }

    /// Makes void all pages of a service.
    public func invalidateAll(ofService index: Int) { cache.invalidate(services[index].everything) }

    /// The operation of requests to no service.
    public var otherOperation: OperationID { operations.none }

    /// Charges a caller for a request before its body is read, whatever it is, so that refusing it
    /// costs next to nothing.
    ///
    /// - Parameters:
    ///   - target: the value of `X-Amz-Target`, which names the operation.
    ///   - scope: see `read`.
    /// - Returns: the error for a caller who may not ask for this operation, or who asks too often.
    public func charge(
        caller: CallerID = .anonymous, target: Span<UInt8>, scope: Span<UInt8> = Span(), now: MonotonicInstant
    ) -> GatewayError? {
        guard callers[caller.index].tellsOperationsApart else {
            let allowance = callers[caller.index].general
            return refusal(allowance, allowance.bucket.take(now: now), target, scope, now: now)
        }
        let caller = callers[caller.index]
        let operation = operation(target, scope: scope)
        let allowance = caller.allowance(operation)
        // A caller without permission is charged too.
        let decision = allowance.bucket.take(now: now)
        return denial(caller, operation, target) ?? refusal(allowance, decision, target, scope, now: now)
    }

    private func refusal(
        _ allowance: Caller.Allowance, _ decision: TokenBucket.Decision, _ target: Span<UInt8>, _ scope: Span<UInt8>,
        now: MonotonicInstant
    ) -> GatewayError? {
        guard case .denied(let until) = decision, let service = owner(of: target, scope: scope)
        else { return nil }
        guard !allowance.isShadow else {
            shadows.count(.caller)
            return nil
        }
        return GatewayError(allowance.notice(for: service), wait: until - now)
    }

    /// The error for a caller who may not ask for an operation.
    func denial(_ caller: Caller, _ operation: OperationID, _ target: Span<UInt8>) -> GatewayError? {
        if caller.permits(operation) { return nil }
        let found = operations.operation(operation)
        if let found, let place = found.place {
            let name = found.service.catalog.operations[place].name
            return .notAuthorized(caller.name, operation: name, domain: nil)
        }
        let name = Self.operationName(Array(copying: target))
        return caller.permits(operationNamed: name, of: found?.service.settings.name ?? "")
            ? nil : .notAuthorized(caller.name, operation: String(decoding: name, as: UTF8.self), domain: nil)
    }

    /// The error for a caller who may not ask about the domain of a request. It is decided before anything is looked up, so
    /// that the answer does not depend on what is cached of others' domains.
    func denial(_ caller: CallerID, _ call: Call) -> GatewayError? {
        let caller = callers[caller.index]
        guard !caller.permitsAllDomains, let request = call.request, !caller.permits(domain: request.namedDomain)
        else { return nil }
        let name = String(decoding: Self.operationName(Array(request.target.utf8)), as: UTF8.self)
        return .notAuthorized(
            caller.name, operation: name, domain: String(decoding: request.namedDomain, as: UTF8.self))
    }

    /// The bytes behind the last dot of a target.
    private static func operationName(_ target: [UInt8]) -> [UInt8] {
        Array(target[((target.lastIndex(of: UInt8(ascii: ".")) ?? -1) + 1)...])
    }

    /// Decides what becomes of a call, for which its caller was charged.
    ///
    /// - Parameters:
    ///   - waiter: gets the answer if it comes later.
    ///   - forwarded: the request's fields, for a service that gets them as they are.
    ///   - trace: returns the trace that the request belongs to, nil for none. Called only if something is fetched for it.
    public func decide(
        _ call: Call, caller: CallerID = .anonymous, directives: CacheDirectives = CacheDirectives(), waiter: Waiter,
        forwarded: ForwardedFields? = nil, trace: () -> RequestTrace? = { nil }, now: MonotonicInstant
    ) -> Verdict {
        if let error = denial(caller, call) { return .refused(error) }
        // Put together only where it is needed: by far most requests are for pages that are there.
        var client: ClientRequest {
            ClientRequest(caller: callers[caller.index], waiter: waiter, directives: directives, forwarded: forwarded)
        }
        switch call.action {
        case .refuse(let error):
            return .refused(error)
        case .pass(let request):
            guard !directives.onlyIfCached else { return .refused(.notCached(request.service.catalog)) }
            return pass(request, client, trace: trace(), now: now)
        case .page(let page):
            guard forwarded?.isPlain ?? true else { return pass(page.request, client, trace: trace(), now: now) }
            guard !directives.onlyIfCached || isServable(page, now: now) else {
                return .refused(.notCached(page.request.service.catalog))
            }
            if directives.noCache, !directives.onlyIfCached {
                let flight = cache.lead(page.key, scope: page.scope, waiter: waiter, isRetry: directives.isRetry)
                var fetch = fetch(page, flight, client, trace: trace(), now: now)
                fetch.wantsNewPage = true
                return lead(fetch, flight, client, .noCache, now: now)
            }
            let found = cache.find(page.key, scope: page.scope, waiter: waiter, isRetry: directives.isRetry, now: now)
            if case .fresh(let fresh) = found { return .page(fresh, .fresh) }
            return answer(found, page, client, trace: trace, now: now)
        }
    }

    private struct ClientRequest {
        let caller: Caller
        let waiter: Waiter
        let directives: CacheDirectives
        let forwarded: ForwardedFields?
    }

    private func answer(
        _ found: PageCache.Lookup, _ query: Call.PageQuery, _ client: borrowing ClientRequest,
        trace: () -> RequestTrace?, now: MonotonicInstant
    ) -> Verdict {
        switch found {
        case .fresh(let page):
            return .page(page, .fresh)
        case .stale(let page, let refresh):
            if let refresh {
                guard !waitsForItsTurn(refresh, page, now: now) else { return .page(page, .revalidating) }
                var fetch = fetch(query, refresh, client, trace: trace(), now: now)
                fetch.claim = .refresh(fetchedAt: page.fetchedAt)
                if case .refused(let attempt, let scope, let until) = start(fetch, now: now) {
                    deliver([finish(attempt, .throttled(scope, until: until), now: now)])
                }
            }
            return .page(page, .revalidating)
        case .lead(let flight):
            let fetch = fetch(query, flight, client, trace: trace(), now: now)
            return lead(fetch, flight, client, .leader, now: now)
        case .joined(let flight):
            if queue.join(flight, query.request, as: client.caller.claim, now: now) { upstream.queueGrew() }
            return .wait(.follower)
        case .held(let page):
            return .page(page, .unrefreshable(.quota, status: nil))
        case .crowded:
            let limit = "too many requests wait for this page"
            return .refused(.throttled(.waiters, limit, wait: 1_000_000_000, query.request.service.catalog))
        }
    }

    private func isServable(_ query: Call.PageQuery, now: MonotonicInstant) -> Bool {
        cache.usablePage(query.key, now: now).map { now < $0.revalidateUntil } ?? false
    }

    private func fetch(
        _ query: Call.PageQuery, _ flight: Flight, _ client: borrowing ClientRequest, trace: RequestTrace?,
        now: MonotonicInstant
    ) -> Fetch {
        var fetch = Fetch(
            query.request, .flight(flight, query.lifetime), client.caller.claim, forwarded: client.forwarded,
            id: nextFetch(), now: now)
        fetch.trace = trace
        return fetch
    }

    // MARK: First attempts

    /// The outcome for a fetch that has just begun.
    private enum Start: ~Copyable {
        case sent
        case queued(until: MonotonicInstant)
        case refused(EndedAttempt, ThrottleScope, until: MonotonicInstant)
    }

    private func start(_ fetch: Fetch, now: MonotonicInstant) -> Start {
        if let cluster, cluster.prepare(fetch, now: now) { return .sent }
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

    private func pass(
        _ request: Call.ServiceRequest, _ client: borrowing ClientRequest, trace: RequestTrace?, now: MonotonicInstant
    ) -> Verdict {
        var fetch = Fetch(
            request, .pass(client.waiter, isRetry: client.directives.isRetry), client.caller.claim,
            forwarded: client.forwarded, id: nextFetch(), now: now)
        if let deadline = client.directives.deadline { fetch.deadline = min(fetch.deadline, deadline) }
        fetch.trace = trace
        guard case .refused(_, let scope, let until) = start(fetch, now: now) else { return .wait(.pass) }
        return .refused(queue.error(fetch, scope, until: until, now: now))
    }

    /// Without a token at once, a stale page goes before a wait, and a wait before a refusal. A `no-cache` request gets no
    /// stale page.
    private func lead(
        _ fetch: Fetch, _ flight: Flight, _ client: borrowing ClientRequest, _ role: Verdict.Role, now: MonotonicInstant
    ) -> Verdict {
        let waiter = client.waiter
        let page = role == .noCache ? nil : cache.usablePage(flight.key, now: now)
        var fetch = fetch
        // The request is answered with the older page, so the fetch has the priority of a refresh.
        let use = PageUse.unrefreshable(.quota, status: nil)
        if let page {
            fetch.claim = .refresh(fetchedAt: page.fetchedAt)
            if queue.wouldWait(fetch, now: now), waitsForItsTurn(flight, page, without: waiter, now: now) {
                return .page(page, use)
            }
        }
        switch start(fetch, now: now) {
        case .sent:
            return .wait(role)
        case .queued(let until):
            guard let page else {
                guard let deadline = client.directives.deadline, deadline < until else { return .wait(role) }
                // The client will be gone by then: the flight goes on only if others have joined.
                if cache.removeWaiter(waiter, of: flight.key) != nil { withdraw(flight, fetch.request, now: now) }
                return .refused(queue.error(fetch, .quota, until: until, now: now))
            }
            // The flight stays in the queue, for later requests.
            cache.removeWaiter(waiter, of: flight.key)
            return .page(page, use)
        case .refused(_, let scope, let until):
            // Others may have joined meanwhile.
            let others = cache.complete(flight, .nothing, now: now).filter { $0 != waiter }
            cluster?.flightEnded(flight, nil)
            guard let page else {
                let error = queue.error(fetch, scope, until: until, now: now)
                deliver([Delivery(.error(error), to: others)])
                return .refused(error)
            }
            deliver([Delivery(.stale(page, use), to: others)])
            return .page(page, use)
        }
    }

    func nextFetch() -> UInt64 { fetchNumbers.next() }

    // MARK: Attempts

    /// An attempt is sent: its page will be as new as that, and what it makes void is noted.
    public func markSent(_ attempt: consuming GrantedAttempt, now: MonotonicInstant) -> SendResult {
        switch attempt.fetch.purpose {
        case .flight(let flight, _):
            cluster?.flightIsSent(flight)
            cache.markSent(flight)
        case .pass:
            let scopes = attempt.fetch.invalidates
            if attempt.number == 1, !scopes.isEmpty, let until = observer?.writeBegins(scopes, now: now) {
                return .held(attempt, until: until)
            }
        }
        spending.count(attempt)
        return .sent(SentAttempt(record: attempt.record, sentAt: now))
    }

    /// Asks for the tokens of an attempt that has waited for something else, a retry's pause or credentials.
    public func askAgain(_ attempt: consuming WaitingAttempt, now: MonotonicInstant) -> FetchQueue.Admission {
        let (number, purpose) = (attempt.number, attempt.fetch.purpose)
        let admission = queue.admit(attempt, now: now)
        // Of a first attempt, `start` holds the flight.
        if number > 1, admission.isQueued, case .flight(let flight, _) = purpose { cache.hold(flight, isRetry: true) }
        return admission
    }

    /// Returns true if a fetch may be repeated after a failure as far as its clients are concerned: where all of them are on a
    /// second attempt of their own or a later one, another here would only multiply the load.
    public func mayRetry(_ fetch: Fetch) -> Bool {
        switch fetch.purpose {
        case .pass(_, let isRetry): !isRetry
        // Another token may not be spare: only clients are worth it.
        case .flight(let flight, _):
            (!fetch.isAhead || cache.hasWaiters(flight)) && !cache.isLeftToRetries(flight)
        }
    }
}

/// The outcome for an attempt that was about to be sent.
public enum SendResult: ~Copyable {
    case sent(SentAttempt)
    /// It must not be sent before this instant: a snapshot with pages that it makes void would be taken for true until then.
    case held(GrantedAttempt, until: MonotonicInstant)
}
