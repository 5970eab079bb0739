internal import PageCache
internal import RateLimiter

/// What became of an attempt that asked for its tokens.
public enum Admission: Sendable, Equatable {
    /// It may be sent now.
    case granted
    /// It waits for the token of its quota group, which hands it out, as things are at `until`.
    case queued(until: Int64)
    /// A limit does not let it go in time; not before `until`.
    case refused(ThrottleScope, until: Int64)
}

extension Gate {
    /// What is known of the domains that are limited: how many have a bucket of their own, and takes from the shared one.
    public var domainFigures: (keys: Int, overflows: UInt64) {
        domains.map { ($0.figures.keys, $0.figures.overflows) } ?? (0, 0)
    }

    /// Takes an attempt's tokens: its domain's, then its quota group's. Narrow first; when the group refuses, the domain's
    /// token goes back.
    public func admit(_ attempt: PendingAttempt, now: Int64) -> Admission {
        let fetch = attempt.fetch
        var attempt = attempt
        if let domains, let key = domainKey(fetch) {
            switch domains.take(key, now: now) {
            case .admitted: attempt.holdsDomainToken = true
            case .denied(let until):
                guard domainLimit?.isShadow == true else { return .refused(.domain, until: until) }
                shadows.count(.domain)
            }
        }
        let service = services[fetch.service]
        switch service.groups[fetch.quotaGroup].request(attempt, as: fetch.claim, deadline: fetch.deadline, now: now) {
        case .granted: return .granted
        case .queued(let until):
            // Of a first attempt, `send` holds the flight: here it may be on its way already.
            if attempt.number > 1, case .flight(let flight, _) = fetch.purpose { cache.hold(flight, isRetry: true) }
            return .queued(until: until)
        case .refused(let until):
            if service.settings.shadowGroups.contains(fetch.quotaGroup) {
                shadows.count(.quota)
                return .granted
            }
            giveBackDomainToken(attempt)
            return .refused(.quota, until: until)
        }
    }

    /// An attempt is about to be sent, its tokens taken.
    ///
    /// - Parameter number: 1 for the first.
    /// - Returns: `nil` if it may be sent now, else the moment before which it must not be: a snapshot with pages that it
    ///   makes void would be taken for true until then.
    public func depart(_ fetch: Fetch, number: Int, now: Int64) -> Int64? {
        switch fetch.purpose {
        case .flight(let flight, _):
            cache.depart(flight)
            return nil
        case .pass:
            guard number == 1, !fetch.invalidates.isEmpty else { return nil }
            return observer?.writeBegins(fetch.invalidates, now: now)
        }
    }

    /// A queued attempt will not be sent: it has taken a token of its domain and gives it back.
    ///
    /// - Returns: when it could have had its turn.
    public func withdraw(_ attempt: PendingAttempt, now: Int64) -> Int64 {
        giveBackDomainToken(attempt)
        return services[attempt.fetch.service].groups[attempt.fetch.quotaGroup].turn(of: attempt.fetch.claim, now: now)
    }

    /// An attempt that had its tokens was not sent: they are there for others. One that was sent is never given back.
    public func giveBack(_ fetch: Fetch, now: Int64) {
        // In shadow mode it may have gone without a token.
        if let domains, domainLimit?.isShadow == false, let key = domainKey(fetch) { domains.giveBack(key) }
        let service = services[fetch.service]
        guard !service.settings.shadowGroups.contains(fetch.quotaGroup) else { return }
        service.groups[fetch.quotaGroup].giveBack(now: now)
    }

    /// Whether it may be sent again after a failure, as far as those who wait are concerned: where all of them are on a
    /// second attempt of their own or a later one, another here would only multiply the load.
    public func mayRetry(_ fetch: Fetch) -> Bool {
        switch fetch.purpose {
        case .pass(_, let isRetry): !isRetry
        case .flight(let flight, _): !cache.isLeftToRetries(flight)
        }
    }

    private func giveBackDomainToken(_ attempt: PendingAttempt) {
        if attempt.holdsDomainToken, let key = domainKey(attempt.fetch) { domains?.giveBack(key) }
    }

    /// The domain of a service, as its limit knows it.
    private func domainKey(_ fetch: Fetch) -> [UInt8]? {
        guard domains != nil, !fetch.domain.isEmpty else { return nil }
        return [UInt8(truncatingIfNeeded: fetch.service)] + fetch.domain
    }

    /// The error for a request that a limit of its fetch refuses.
    func quotaError(_ fetch: Fetch, _ scope: ThrottleScope, until: Int64, now: Int64) -> GatewayError {
        let service = services[fetch.service]
        guard scope != .domain else {
            let domain = String(decoding: fetch.domain, as: UTF8.self)
            let rate = domainLimit.map { Self.rate($0.quota) } ?? "0 requests a second"
            let limit = "domain \(domain) is limited to \(rate) to the service"
            return .throttled(.domain, limit, wait: until - now, service.catalog)
        }
        let name = service.catalog.quotaGroups[fetch.quotaGroup].name
        let rate = Self.rate(service.groups[fetch.quotaGroup].currentQuota(now: now))
        let limit = "quota group '\(name)' of the service allows \(rate)"
        return .throttled(.quota, limit, wait: until - now, service.catalog)
    }

    /// A client has joined a flight that may still wait for its token: it goes on in their name if that is sooner.
    func join(_ flight: Flight, of wanted: Call.PageOrder, _ caller: Caller, now: Int64) {
        let group = wanted.order.service.groups[wanted.order.quotaGroup]
        guard group.depth > 0 else { return }
        if group.join(as: caller.claim, now: now, where: { $0.fetch.isFor(flight) }) { upstream.queueGrew() }
    }

    /// A flight for which nobody waits any more is not sent if it still waits for its first token.
    func withdraw(_ flight: Flight, _ group: QuotaGroup<PendingAttempt>, now: Int64) {
        guard let attempt = take(group, where: { $0.isFor(flight) }) else { return }
        if cache.landDeserted(flight) {
            _ = withdraw(attempt, now: now)
        } else {
            // Somebody has joined in the meantime.
            resume(attempt, now: now)
        }
    }

    /// A request whose client has gone is not sent if it still waits for its token.
    func withdraw(_ waiter: Waiter, _ group: QuotaGroup<PendingAttempt>, now: Int64) {
        guard let attempt = take(group, where: { $0.isFor(waiter) }) else { return }
        let turn = withdraw(attempt, now: now)
        deliver([finish(attempt.fetch, .throttled(.quota, until: turn), attempts: 0, now: now)])
    }

    private func take(
        _ group: QuotaGroup<PendingAttempt>, where isMeant: @Sendable (Fetch) -> Bool
    ) -> PendingAttempt? {
        group.depth > 0 ? group.remove { $0.number == 1 && isMeant($0.fetch) } : nil
    }

    private func resume(_ attempt: PendingAttempt, now: Int64) {
        let group = services[attempt.fetch.service].groups[attempt.fetch.quotaGroup]
        switch group.request(attempt, as: attempt.fetch.claim, deadline: attempt.fetch.deadline, now: now) {
        case .granted: upstream.start(attempt.fetch)
        case .queued: upstream.queueGrew()
        case .refused(let until):
            _ = withdraw(attempt, now: now)
            deliver([finish(attempt.fetch, .throttled(.quota, until: until), attempts: 0, now: now)])
        }
    }
}
