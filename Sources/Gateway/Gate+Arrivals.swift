internal import AWSProtocol
internal import PageCache

extension Gate {
    /// Takes the result of a fetch: voids what a write made void, keeps the page, tells those who wait.
    ///
    /// - Parameter attempts: how many were sent. A write of which not a byte left makes nothing void.
    public func finish(_ fetch: Fetch, _ result: FetchResult, attempts: Int, now: Int64) {
        switch fetch.purpose {
        case .pass(let waiter):
            if attempts > 0 {
                for scope in fetch.invalidates { cache.invalidate(scope) }
            }
            receiver.deliver(arrival(of: result, fetch, now: now), to: [waiter])
        case .flight(let flight, let lifetime):
            land(flight, lifetime, result, fetch, now: now)
        }
    }

    private func land(
        _ flight: Flight, _ lifetime: Page.Lifetime, _ result: FetchResult, _ fetch: Fetch, now: Int64
    ) {
        if case .reply(let reply) = result, let page = page(reply, flight.key, lifetime, now: now) {
            let waiters = cache.land(flight, storing: page, now: now)
            receiver.deliver(page.status == 200 ? .page(page) : .reply(reply), to: waiters)
            return
        }
        let stale = staleUse(result).flatMap { use in
            cache.usablePage(flight.key, now: now).map { Arrival.stale($0, use) }
        }
        let waiters = cache.land(flight, storing: nil, now: now)
        receiver.deliver(stale ?? arrival(of: result, fetch, now: now), to: waiters)
    }

    /// The page that a reply makes: a well-formed good one, or an error that is worth remembering.
    private func page(
        _ reply: UpstreamReply, _ key: PageKey, _ lifetime: Page.Lifetime, now: Int64
    ) -> Page? {
        guard reply.isStorable else { return nil }
        if reply.status == 200, reply.errorCode == nil {
            guard (try? JSONReader.members(of: reply.body.span)) != nil else { return nil }
            return Page(key: key, status: 200, body: reply.body, fetchedAt: now, lifetime: lifetime)
        }
        guard (400..<500).contains(reply.status), let code = reply.errorCode, let fresh = policy.negativeTTL[code],
            fresh > 0
        else { return nil }
        return Page(
            key: key, status: reply.status, errorCode: code, body: reply.body, fetchedAt: now,
            lifetime: Page.Lifetime(fresh: fresh))
    }

    /// Whether a stale page is better than this result, and what is said of it.
    private func staleUse(_ result: FetchResult) -> PageUse? {
        switch result {
        case .throttled: .unrefreshable(.quota, status: nil)
        case .fault: .unrefreshable(.error, status: nil)
        case .reply(let reply) where reply.errorCode == "ThrottlingException":
            .unrefreshable(.throttled, status: reply.status)
        case .reply(let reply) where reply.status >= 500: .unrefreshable(.error, status: reply.status)
        case .reply: nil
        }
    }

    private func arrival(of result: FetchResult, _ fetch: Fetch, now: Int64) -> Arrival {
        switch result {
        case .reply(let reply): .reply(reply)
        case .fault(let error): .error(error)
        case .throttled(let until): .error(quotaError(fetch, until: until, now: now))
        }
    }
}
