public import PageCache
public import Primitives

// The ways back from the other gateways.

extension Gate {
    /// A wait for a token that is shorter is none, in nanoseconds: the slot that was asked for comes with the next message.
    private static let shortWait: Int64 = 20_000_000

    /// Goes on with a fetch that `ClusterPort.prepare` has taken: it asks for its tokens.
    public func proceed(_ fetch: Fetch, now: MonotonicInstant) {
        if case .flight(let flight, _) = fetch.purpose, !fetch.isRefresh, cache.cancelIfUnwanted(flight) {
            cluster?.flightEnded(flight, nil)
            return
        }
        switch queue.admit(WaitingAttempt(record: AttemptRecord(fetch: fetch)), now: now) {
        case .granted(let attempt): upstream.start(attempt)
        case .queued(let until):
            if case .flight(let flight, _) = fetch.purpose, until - now > Self.shortWait {
                serveStale(flight, now: now)
            }
            upstream.queueGrew()
        case .refused(let attempt, let scope, let until):
            deliver([finish(attempt, .throttled(scope, until: until), now: now)])
        }
    }

    /// Requests that wait for a flight that waits for its token get an older page, if there is one.
    private func serveStale(_ flight: Flight, now: MonotonicInstant) {
        cache.hold(flight)
        guard let page = cache.usablePage(flight.key, now: now) else { return }
        let waiters = cache.takeWaiters(flight)
        if !waiters.isEmpty { deliver([Delivery(.stale(page, .unrefreshable(.quota, status: nil)), to: waiters)]) }
    }

    /// Takes a page in that another gateway has fetched.
    ///
    /// - Parameters:
    ///   - scope: that of the flight's page.
    ///   - isFresh: true if it answers the fetch. Else it is kept as an older page, and `proceed` follows.
    public func take(_ page: Page, for fetch: Fetch, isFresh: Bool, now: MonotonicInstant) {
        guard case .flight(let flight, _) = fetch.purpose else { return }
        let page = policy.packsPages ? page.packing() : page
        guard isFresh else { return cache.offer(page, for: flight, now: now) }
        let waiters = cache.complete(flight, .keep(page), now: now)
        deliver([Delivery(.stale(page, .fresh), to: waiters)])
    }

    /// Slots have come, or the source of tokens is another one: what waits may go on.
    public func releaseQueues() { upstream.queueGrew() }

    /// Makes pages void because of a write through another gateway.
    public func invalidate(_ scopes: [EpochScope], now: MonotonicInstant) {
        let hasBegun = observer?.writeBegins(scopes, now: now) == nil
        for scope in scopes { cache.invalidate(scope) }
        if hasBegun { observer?.writeEnded(scopes) }
    }

    /// Purges the pages of this gateway alone.
    ///
    /// - Returns: the number of pages that matched.
    public func purgeHere(_ request: PurgeRequest, now: MonotonicInstant) -> Int {
        let services = services
        // Its pages are of any scope. It is not held back: `nil` or not, it is as if the write had begun.
        let hasBegun = !request.isSoft && observer?.writeBegins(EpochScope.all, now: now) == nil
        defer { if hasBegun { observer?.writeEnded(EpochScope.all) } }
        return cache.purge(request.isSoft ? .makeStale : .remove, now: now) { key in
            Self.matches(key, request, services)
        }
    }
}
