internal import AWSProtocol
internal import PageCache

/// What became of an attempt that was about to be sent.
public enum Departure: ~Copyable {
    case sent(SentAttempt)
    /// It must not be sent before this instant: a snapshot with pages that it makes void would be taken for true until then.
    case held(GrantedAttempt, until: Int64)
}

extension Gate {
    // MARK: Attempts

    /// An attempt is sent: its page will be as new as that, and what it makes void is noted.
    public func depart(_ attempt: consuming GrantedAttempt, now: Int64) -> Departure {
        switch attempt.fetch.purpose {
        case .flight(let flight, _): cache.depart(flight)
        case .pass:
            let scopes = attempt.fetch.invalidates
            if attempt.number == 1, !scopes.isEmpty, let until = observer?.writeBegins(scopes, now: now) {
                return .held(attempt, until: until)
            }
        }
        return .sent(SentAttempt(record: attempt.record, sentAt: now))
    }

    /// Asks for the tokens of an attempt that has waited for something else, a retry's pause or credentials.
    public func askAgain(_ attempt: consuming WaitingAttempt, now: Int64) -> FetchQueue.Admission {
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
        case .flight(let flight, _): !cache.isLeftToRetries(flight)
        }
    }

    // MARK: Results

    /// Takes the result of a fetch: voids what a write made void, keeps the page. A write of which no attempt was made
    /// makes nothing void. A page is as old as the attempt that brought it: it may have been made at once (RFC 9111, section 4.2.3).
    ///
    /// - Returns: the answer for the requests that wait.
    public func finish(_ attempt: consuming EndedAttempt, _ result: FetchResult, now: Int64) -> Delivery {
        let fetch = attempt.fetch
        switch fetch.purpose {
        case .pass(let waiter, _):
            if attempt.attempts > 0 {
                for scope in fetch.invalidates { cache.invalidate(scope) }
                if !fetch.invalidates.isEmpty { observer?.writeEnded(fetch.invalidates) }
            }
            return Delivery(arrival(of: result, fetch, now: now), to: [waiter])
        case .flight(let flight, let lifetime):
            return land(flight, lifetime, result, fetch, sentAt: attempt.sentAt ?? now, now: now)
        }
    }

    /// Hands answers to the requests that wait.
    public func deliver(_ deliveries: [Delivery]) { receiver.deliver(deliveries) }

    private func land(
        _ flight: Flight, _ lifetime: Page.Lifetime, _ result: FetchResult, _ fetch: Fetch, sentAt: Int64, now: Int64
    ) -> Delivery {
        if case .reply(let reply) = result, let page = page(reply, flight.key, lifetime, sentAt: sentAt) {
            let waiters = cache.land(flight, .keep(page), now: now)
            return Delivery(page.status == 200 ? .page(page) : .reply(reply), to: waiters)
        }
        let stale = staleUse(result, services[fetch.service]).flatMap { use in
            cache.usablePage(flight.key, now: now).map { Arrival.stale($0, use) }
        }
        let waiters = cache.land(flight, Self.isDefinite(result) ? .drop : .nothing, now: now)
        return Delivery(stale ?? arrival(of: result, fetch, now: now), to: waiters)
    }

    /// Returns true if a reply is the service's word on the page, so that an older page must not be served any more.
    private static func isDefinite(_ result: FetchResult) -> Bool {
        guard case .reply(let reply) = result else { return false }
        switch reply.classification {
        case .good: return reply.status == 200 && reply.isGoodObject
        // A refused signature says nothing of the page. Neither does a reply that is no error of the service's, such as a
        // redirection or a proxy's page.
        case .refused: return reply.errorCode != nil && reply.answerStatus < 500 && !isAboutCredentials(reply)
        case .throttled, .failed: return false
        }
    }

    /// The page that a reply makes: a well-formed good one, or an error that is worth remembering.
    private func page(
        _ reply: UpstreamReply, _ key: PageKey, _ lifetime: Page.Lifetime, sentAt: Int64
    ) -> Page? {
        guard reply.isStorable else { return nil }
        switch reply.classification {
        case .good:
            guard reply.status == 200, reply.isGoodObject else { return nil }
            return Page(key: key, status: 200, body: reply.body, fetchedAt: sentAt, lifetime: lifetime)
        case .refused:
            guard let code = reply.errorCode, (400..<500).contains(reply.status),
                !ErrorCode.identity.contains(code), !code.utf8.starts(with: "AccessDenied".utf8),
                let fresh = policy.negativeTTL[code], fresh > 0
            else { return nil }
            return Page(
                key: key, status: reply.status, errorCode: code, queryError: reply.queryError, body: reply.body,
                fetchedAt: sentAt,
                lifetime: Page.Lifetime(fresh: fresh))
        case .throttled, .failed:
            return nil
        }
    }

    /// Returns true if the service did not accept what the request was signed with. A denial of access is about what was asked.
    private static func isAboutCredentials(_ reply: UpstreamReply) -> Bool {
        guard let code = reply.errorCode else { return false }
        return ErrorCode.identity.contains(code) && !ErrorCode.accessDenial.contains(code)
    }

    /// The use of a stale page in place of this result; nil if the result is to be relayed.
    private func staleUse(_ result: FetchResult, _ service: Service) -> PageUse? {
        switch result {
        case .throttled: .unrefreshable(.quota, status: nil)
        case .fault(let error):
            .unrefreshable(error.detail == GatewayError.breakerDetail ? .breaker : .error, status: nil)
        case .reply(let reply):
            switch reply.classification {
            case .throttled: .unrefreshable(.throttled, status: reply.status)
            case .failed: .unrefreshable(.error, status: reply.status)
            case .refused where reply.answerStatus >= 500 || reply.errorCode == nil:
                .unrefreshable(.error, status: reply.status)
            case .good where reply.status != 200: .unrefreshable(.error, status: reply.status)
            // The gateway's own credentials are at fault, not the client's.
            case .refused where !service.isPassthrough && Self.isAboutCredentials(reply):
                .unrefreshable(.error, status: reply.status)
            case .good, .refused: nil
            }
        }
    }

    private func arrival(of result: FetchResult, _ fetch: Fetch, now: Int64) -> Arrival {
        switch result {
        case .reply(let reply): .reply(reply)
        case .fault(let error): .error(error)
        case .throttled(let scope, let until): .error(queue.error(fetch, scope, until: until, now: now))
        }
    }
}
