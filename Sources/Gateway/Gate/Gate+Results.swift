internal import PageCache
public import Primitives

// The results of fetches.

extension Gate {
    /// Takes the result of a fetch: voids what a write made void, keeps the page. A write of which no attempt was made
    /// makes nothing void. The result of a reply that is passed on as it comes is its head. A page is as old as the attempt that
    /// brought it: it may have been made at once (RFC 9111, section 4.2.3).
    ///
    /// - Parameters:
    ///   - upstreamTime: how long the attempts were on their way, in nanoseconds.
    ///   - cause: why there is no reply, in words for operators.
    /// - Returns: the answer for the requests that wait.
    public func finish(
        _ attempt: consuming EndedAttempt, _ result: FetchResult, upstreamTime: Int64 = 0, cause: String? = nil,
        now: MonotonicInstant
    ) -> Delivery {
        let fetch = attempt.fetch
        var story = FetchStory()
        (story.attempts, story.queueWait, story.upstreamTime) = (attempt.attempts, attempt.wait, upstreamTime)
        (story.upstreamRequestID, story.cause, story.trace) = (result.requestID, cause, fetch.trace)
        switch fetch.purpose {
        case .pass(let waiter, _):
            if attempt.attempts > 0 {
                for scope in fetch.invalidates { cache.invalidate(scope) }
                if !fetch.invalidates.isEmpty { observer?.writeEnded(fetch.invalidates) }
            }
            let delivery = Delivery(arrival(of: result, fetch, now: now), to: [waiter], story: story)
            guard let cluster, !fetch.invalidates.isEmpty else { return delivery }
            // The others' pages are void before the caller hears of the write.
            cluster.writeEnded(fetch, wasSent: attempt.attempts > 0, delivery)
            return Delivery(delivery.arrival, to: [])
        case .flight(let flight, let lifetime):
            return complete(
                flight, lifetime, result, fetch, sentAt: attempt.sentAt ?? now, story, now: now)
        }
    }

    /// Hands answers to the requests that wait.
    public func deliver(_ deliveries: [Delivery]) { receiver.deliver(deliveries) }

    private func complete(
        _ flight: Flight, _ lifetime: Page.Lifetime, _ result: FetchResult, _ fetch: Fetch, sentAt: MonotonicInstant,
        _ story: FetchStory, now: MonotonicInstant
    ) -> Delivery {
        if case .reply(let reply) = result,
            let page = reply.page(flight.key, lifetime, negativeTTL: policy.negativeTTL, sentAt: sentAt)
        {
            let (page, waiters) = keep(page, flight, lifetime, fetch, now: now)
            cluster?.flightEnded(flight, page)
            return Delivery(page.status == 200 ? .page(page) : .reply(reply), to: waiters, story: story)
        }
        if story.attempts > 0 || fetch.isScheduled { noteUnrefreshed(flight, result, fetch, now: now) }
        let stale = result.staleUse(isPassthrough: services[fetch.service].isPassthrough).flatMap { use in
            cache.usablePage(flight.key, now: now).map { Arrival.stale($0, use) }
        }
        let waiters = cache.complete(flight, result.isDefinite ? .drop : .nothing, now: now)
        cluster?.flightEnded(flight, nil)
        return Delivery(stale ?? arrival(of: result, fetch, now: now), to: waiters, story: story)
    }

    private func arrival(of result: FetchResult, _ fetch: Fetch, now: MonotonicInstant) -> Arrival {
        switch result {
        case .reply(let reply): .reply(reply)
        case .stream(let head, let body): .stream(head, body)
        case .fault(let error): .error(error)
        case .throttled(let scope, let until): .error(queue.error(fetch, scope, until: until, now: now))
        }
    }
}
