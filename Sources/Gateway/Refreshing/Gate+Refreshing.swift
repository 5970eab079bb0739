internal import Locking
internal import PageCache
public import Primitives
internal import RateLimiter
internal import RefreshScheduler

// Pages that are fetched anew: what each fetch tells, and which is fetched before anything asks for it.

extension Gate {
    // MARK: Fetches that have ended

    /// Stores the page that a flight has brought, and learns from it how often it changes.
    ///
    /// - Returns: the page as it is stored, and the flight's waiters. If it is the same as the one before, that one's bytes are kept.
    func keep(
        _ page: Page, _ flight: Flight, _ lifetime: Page.Lifetime, _ fetch: Fetch, now: MonotonicInstant
    ) -> (Page, [Waiter]) {
        guard page.status == 200 else {
            noteGone(flight, fetch, now: now)
            return (page, cache.complete(flight, .keep(page), now: now))
        }
        let service = services[fetch.service]
        let operation = fetch.operation.map { service.catalog.operations[$0] }
        let old = cache.stored(flight.key, now: now).flatMap { $0.page.status == 200 ? $0 : nil }
        let isSame = old?.page.isSame(page.body, operation) ?? false
        let former = old.map { RefreshPlan.Former(place: $0.place, fetchedAt: $0.page.fetchedAt, hasChanged: !isSame) }
        let kind = RefreshPlan.Kind(
            operations.id(service: fetch.service, place: fetch.operation), status: fetch.request.status)
        let estimate = plan.learn(
            kind, status: fetch.request.status, former: former, lifetime: lifetime.fresh, sentAt: page.fetchedAt)
        var lifetime = lifetime
        if let bounds = operation.flatMap({ policy.adaptiveTTL(of: $0, service) }) {
            lifetime.fresh = bounds.timeToLive(estimate)
        }
        var kept = page.renewed(fetchedAt: page.fetchedAt, lifetime: lifetime)
        if isSame, let old, old.page.mayStand(until: kept.usableUntil, operation) {
            kept = old.page.renewed(fetchedAt: page.fetchedAt, lifetime: lifetime)
        }
        if policy.packsPages, kept.packed == nil { kept = kept.packing() }
        let stored = cache.keep(kept, of: flight, now: now)
        plan.stored(
            kept, at: stored.place, kind, estimate, former: former, requests: stored.requests,
            // A request with its caller's signature cannot be made here; a page that is never fresh is of no use before its time.
            group: service.isPassthrough || lifetime.fresh <= 0 ? nil : queue.number(of: fetch))
        return (kept, stored.waiters)
    }

    /// A flight has brought no page. If there is one that it should have refreshed, that has failed; or the page is gone.
    func noteUnrefreshed(_ flight: Flight, _ result: FetchResult, _ fetch: Fetch, now: MonotonicInstant) {
        note(result.isDefinite ? .changed : .failed, flight, fetch, now: now)
    }

    /// The service has answered with an error in a page's place.
    private func noteGone(_ flight: Flight, _ fetch: Fetch, now: MonotonicInstant) {
        note(.changed, flight, fetch, now: now)
    }

    private func note(_ result: RefreshPlan.RefreshResult, _ flight: Flight, _ fetch: Fetch, now: MonotonicInstant) {
        guard let old = cache.stored(flight.key, now: now), old.page.status == 200 else { return }
        let operation = operations.id(service: fetch.service, place: fetch.operation)
        plan.ended(result, operation, of: old.place, fetchedAt: old.page.fetchedAt, now: now)
    }

    // MARK: Refreshes that are due

    /// The claim of a refresh to its group's tokens. A page with a fixed time to live has its turn by its age; one whose time follows its
    /// changes has it by what the refresh is worth, because its time says no more than that it may have changed.
    func refreshClaim(_ page: Page, _ request: Call.ServiceRequest, now: MonotonicInstant) -> Claim {
        guard plan.settings.share > 0, let operation = request.operation,
            policy.adaptiveTTL(of: request.service.catalog.operations[operation], request.service) != nil,
            let place = cache.stored(page.key, now: now)?.place,
            let turn = plan.state.withLock({ $0.scheduler.turn(of: place, fetchedAt: page.fetchedAt) })
        else { return .refresh(fetchedAt: page.fetchedAt) }
        return .refresh(fetchedAt: turn)
    }

    // MARK: Figures

    /// The time to live that a new page of a kind has because its kind changes as it does, in nanoseconds; nil if it is fixed.
    public func timeToLive(ofNewPage kind: RefreshPlan.KindFigures) -> Int64? {
        guard let (service, place) = operations.operation(kind.operation), let place else { return nil }
        return policy.adaptiveTTL(of: service.catalog.operations[place], service)?.timeToLive(kind.estimate)
    }

    /// How many pages of a quota group may be refreshed ahead.
    public func pagesToRefresh(service: Int, group: Int) -> Int {
        plan.state.withLock { $0.scheduler.count(in: queue.number(service: service, group: group)) }
    }

    // MARK: Refreshing ahead

    /// True if pages are refreshed ahead at all.
    public var refreshesAhead: Bool { plan.settings.share > 0 }

    /// So many pages are looked at for a token that is there: most that nobody asks for any more are put off for long.
    private static let mostCandidates = 16
    /// A group with nothing but pages that nobody asks for is looked at again after this time, and one where others wait after the other
    /// at the latest; nanoseconds.
    private static let (shortestPause, longestPause): (Int64, Int64) = (10_000_000, 1_000_000_000)

    /// Begins the refreshes of pages that are worth a spare token. Called by the upstream's thread, whose queues were released.
    ///
    /// - Parameter granted: the attempts that have their token are appended.
    /// - Returns: when to ask again; `distantFuture` if not before something else happens.
    ///
    /// Complexity: O(log n) in the number of pages, for each refresh.
    public func refreshAhead(now: MonotonicInstant, granted: inout GrantedAttempts) -> MonotonicInstant {
        var next = MonotonicInstant.distantFuture
        let share = plan.settings.share
        guard share > 0 else { return next }
        for group in 0..<queue.groupCount {
            var candidates = 0
            while let candidate = plan.state.withLock({ $0.scheduler.next(in: group, now: now) }) {
                let from = max(candidate.from, queue.nextSpare(in: group, share, now: now) ?? now)
                guard from <= now, candidates < Self.mostCandidates else {
                    next = min(next, max(min(from, now + Self.longestPause), now + Self.shortestPause))
                    break
                }
                candidates += 1
                if let attempt = begin(candidate, share, now: now) { granted.append(attempt) }
            }
            if let rested = plan.state.withLock({ $0.scheduler.nextRested(in: group) }) {
                next = min(next, max(rested, now + Self.shortestPause))
            }
        }
        return next
    }

    private func begin(_ candidate: RefreshScheduler.Candidate, _ share: Double, now: MonotonicInstant)
        -> GrantedAttempt?
    {
        switch cache.claim(candidate.page, fetchedAt: candidate.fetchedAt, now: now) {
        case .gone:
            plan.state.withLock { $0.scheduler.forget(candidate) }
        case .unasked:
            plan.state.withLock { $0.scheduler.isUnasked(candidate, now: now) }
        case .inFlight:
            putOff(candidate, now: now)
        case .begun(let flight, let page, let requests):
            plan.state.withLock { $0.scheduler.begun(candidate, requests: requests) }
            guard let fetch = fetch(flight, page, now: now) else {
                _ = cache.complete(flight, .nothing, now: now)
                plan.state.withLock { $0.scheduler.forget(candidate) }
                return nil
            }
            if let attempt = queue.admitAhead(fetch, share, now: now) { return attempt }
            // The token has gone to a caller, or the domain has none. Clients may have joined meanwhile.
            putOff(candidate, now: now)
            guard !cache.cancelIfUnwanted(flight) else { return nil }
            return startJoined(fetch, now: now)
        }
        return nil
    }

    private func putOff(_ candidate: RefreshScheduler.Candidate, now: MonotonicInstant) {
        plan.state.withLock {
            $0.scheduler.putOff(candidate.page, fetchedAt: candidate.fetchedAt, until: now + plan.settings.minInterval)
        }
    }

    /// The flight that was begun ahead has clients now: it asks for a token as theirs.
    private func startJoined(_ fetch: Fetch, now: MonotonicInstant) -> GrantedAttempt? {
        var fetch = fetch
        fetch.isAhead = false
        switch queue.admit(WaitingAttempt(record: AttemptRecord(fetch: fetch)), now: now) {
        case .granted(let attempt): return attempt
        case .queued: upstream.queueGrew()
        case .refused(let attempt, let scope, let until):
            deliver([finish(attempt, .throttled(scope, until: until), now: now)])
        }
        return nil
    }

    /// The fetch of a stored page; nil if its key does not make a request any more.
    private func fetch(_ flight: Flight, _ page: Page, now: MonotonicInstant) -> Fetch? {
        guard let parts = KeyParts(page.key.bytes), let (service, operation, input) = parts.request(services),
            !service.isPassthrough,
            let place = service.catalog.operations.firstIndex(where: { $0.name == operation.name }),
            case .page(let query) = action(place, input, [UInt8]().span, input.canonicalBody.span, nil, service),
            query.key == page.key
        else { return nil }
        var fetch = Fetch(
            query.request, .flight(flight, query.lifetime), .refresh(fetchedAt: page.fetchedAt), forwarded: nil,
            id: nextFetch(), now: now)
        fetch.isAhead = true
        return fetch
    }
}
