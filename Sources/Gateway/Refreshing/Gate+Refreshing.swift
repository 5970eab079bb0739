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
        let bounds = operation.flatMap { policy.adaptiveTTL(of: $0, service) }
        if let bounds { lifetime.fresh = bounds.timeToLive(estimate) }
        var kept = page.renewed(fetchedAt: page.fetchedAt, lifetime: lifetime)
        if isSame, let old, old.page.mayStand(until: kept.usableUntil, operation) {
            kept = old.page.renewed(fetchedAt: page.fetchedAt, lifetime: lifetime)
        }
        if policy.packsPages, kept.packed == nil { kept = kept.packing() }
        // A list of a final status may be old where tokens are short. With those that are spare it need not be older than others.
        let isFinal = fetch.request.status.flatMap { operation?.final.contains($0) } ?? false
        let stored = cache.keep(kept, of: flight, now: now)
        plan.stored(
            kept, at: stored.place, kind, estimate, former: former, requests: stored.requests,
            // A request with its caller's signature cannot be made here; a page that is never fresh is of no use before its time.
            group: service.isPassthrough || lifetime.fresh <= 0 ? nil : queue.number(of: fetch),
            isAdaptive: bounds != nil, timeToLive: isFinal ? min(lifetime.fresh, policy.defaultTTL) : lifetime.fresh)
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

    /// Has the refresh of a stale page wait for its turn by what it is worth, in place of a flight of its own that waits by its age.
    ///
    /// - Parameter waiter: is on the flight, and will be served the page.
    /// - Returns: false if the flight is to be started.
    func waitsForItsTurn(_ flight: Flight, _ page: Page, without waiter: Waiter? = nil, now: MonotonicInstant) -> Bool {
        // Gateways that share pages decide together who fetches one, by their flights.
        guard plan.settings.share > 0, cluster == nil, let stored = cache.stored(flight.key, now: now),
            stored.page.fetchedAt == page.fetchedAt,
            plan.state.withLock({ $0.scheduler.want(stored.place, fetchedAt: page.fetchedAt, now: now) })
        else { return false }
        if let waiter { cache.removeWaiter(waiter, of: flight.key) }
        // Others may have joined the flight meanwhile; then it is started for them, and finds the scheduler's claim there.
        let isPostponed = cache.postpone(flight, now: now)
        if isPostponed { upstream.queueGrew() }
        return isPostponed
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
            next = min(next, refresh(group, for: .claimed, now: now, granted: &granted))
            next = min(next, refresh(group, for: .spare, now: now, granted: &granted))
            if let rested = plan.state.withLock({ $0.scheduler.nextRested(in: group) }) {
                next = min(next, max(rested, now + Self.shortestPause))
            }
        }
        return next
    }

    /// Begins the refreshes of a group's pages that tokens of a kind are there for; returns when to ask again.
    ///
    /// Of those that have a claim to a token one at a time waits in the queue: which page is next is not decided before.
    private func refresh(
        _ group: Int, for token: RefreshScheduler.Token, now: MonotonicInstant, granted: inout GrantedAttempts
    ) -> MonotonicInstant {
        var candidates = 0
        while true {
            let share = plan.settings.share
            var from = now
            switch token {
            case .claimed:
                guard plan.state.withLock({ $0.scheduler.hasWanted(in: group) }), queue.refreshes(in: group) == 0
                else { return .distantFuture }
            case .spare: from = queue.nextSpare(in: group, share, now: now) ?? now
            }
            guard let candidate = candidate(in: group, for: token, now: now) else { return .distantFuture }
            from = max(candidate.from, from)
            guard from <= now, candidates < Self.mostCandidates else {
                return max(min(from, now + Self.longestPause), now + Self.shortestPause)
            }
            candidates += 1
            if let attempt = begin(candidate, token, share, now: now) { granted.append(attempt) }
        }
    }

    /// The page that is first when those have been looked at that were thought to be, with the requests that have come since.
    private func candidate(in group: Int, for token: RefreshScheduler.Token, now: MonotonicInstant)
        -> RefreshScheduler.Candidate?
    {
        for _ in 0..<Self.mostCandidates {
            guard let first = plan.state.withLock({ $0.scheduler.next(in: group, for: token, now: now) }) else {
                return nil
            }
            guard reconsider(first.page, first.fetchedAt, now: now) else { return first }
            let next = plan.state.withLock { $0.scheduler.next(in: group, for: token, now: now) }
            if next == first { return first }
        }
        return plan.state.withLock { $0.scheduler.next(in: group, for: token, now: now) }
    }

    /// Returns false if a page was not asked for, or is not there.
    private func reconsider(_ page: Int, _ fetchedAt: MonotonicInstant, now: MonotonicInstant) -> Bool {
        guard let requests = cache.requests(page, fetchedAt: fetchedAt, now: now), requests > 0 else { return false }
        plan.state.withLock {
            $0.scheduler.reconsider(page, fetchedAt: fetchedAt, requests: requests, now: now)
        }
        return true
    }

    private func begin(
        _ candidate: RefreshScheduler.Candidate, _ token: RefreshScheduler.Token, _ share: Double, now: MonotonicInstant
    ) -> GrantedAttempt? {
        switch cache.claim(candidate.page, fetchedAt: candidate.fetchedAt, now: now) {
        case .gone:
            plan.state.withLock { $0.scheduler.forget(candidate) }
        case .unasked:
            plan.state.withLock { $0.scheduler.isUnasked(candidate, now: now) }
        case .inFlight:
            putOff(candidate, now: now)
        case .begun(let flight, let page, let requests):
            let others = plan.state.withLock { state in
                state.scheduler.begun(candidate, requests: requests)
                return state.scheduler.sweep(Self.swept)
            }
            for other in others { _ = reconsider(other.page, other.fetchedAt, now: now) }
            guard var fetch = fetch(flight, page, now: now) else {
                _ = cache.complete(flight, .nothing, now: now)
                plan.state.withLock { $0.scheduler.forget(candidate) }
                return nil
            }
            fetch.isScheduled = true
            guard token == .spare else { return start(fetch, flight, now: now) }
            fetch.isAhead = true
            if let attempt = queue.admitAhead(fetch, share, now: now) { return attempt }
            // The token has gone to a caller, or the domain has none. Clients may have joined meanwhile.
            putOff(candidate, now: now)
            guard !cache.cancelIfUnwanted(flight) else { return nil }
            fetch.isAhead = false
            return start(fetch, flight, now: now)
        }
        return nil
    }

    /// Pages that are reconsidered with each refresh, beside those that were thought to be the first.
    private static let swept = 4

    private func putOff(_ candidate: RefreshScheduler.Candidate, now: MonotonicInstant) {
        plan.state.withLock {
            $0.scheduler.putOff(candidate.page, fetchedAt: candidate.fetchedAt, until: now + plan.settings.minInterval)
        }
    }

    /// A refresh asks for a token that it has a claim to.
    private func start(_ fetch: Fetch, _ flight: Flight, now: MonotonicInstant) -> GrantedAttempt? {
        switch queue.admit(WaitingAttempt(record: AttemptRecord(fetch: fetch)), now: now) {
        case .granted(let attempt): return attempt
        case .queued:
            cache.hold(flight)
            upstream.queueGrew()
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
        return Fetch(
            query.request, .flight(flight, query.lifetime), .refresh(fetchedAt: page.fetchedAt), forwarded: nil,
            id: nextFetch(), now: now)
    }
}
