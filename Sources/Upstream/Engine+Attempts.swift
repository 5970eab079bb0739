internal import AWSProtocol
internal import Gateway
internal import OriginClient
internal import RateLimiter

// One attempt after the other.

extension Engine {
    func begin(_ fetch: Fetch, now: Int64) -> Call {
        let call = Call(fetch, now: now)
        calls[fetch.id] = call
        return call
    }

    /// Sends the next attempt of a call, whose tokens are taken; they go back if nothing is sent.
    func send(_ call: Call, now: Int64) {
        let service = call.fetch.service
        let admission = breakers[service].admit(call.input, now: now)
        call.isProbe = admission == .probe
        guard admission != .refused else {
            giveBack(call, now: now)
            finish(
                call, with: call.last, detail: GatewayError.breakerDetail,
                cause: "it has failed too often and is given a rest", now: now)
            return
        }
        if call.isProbe { noteProbe(service) }
        let patience = upstream.settings[service].attemptTimeout
        let timeout = call.fetch.deadline <= now ? 0 : min(patience, call.fetch.deadline - now)
        guard timeout > 0 else {
            giveBack(call, now: now)
            finish(call, with: call.last, detail: "deadline", cause: "the time for the call is over", now: now)
            return
        }
        guard let fields = fields(call, now: now) else { return }
        if let until = gate.depart(call.fetch, number: call.attempts + 1, now: now) {
            giveBack(call, now: now)
            pause(call, until: until)
            return
        }
        call.attempts += 1
        call.sentAt = now
        call.isCutShort = timeout < patience
        if call.attempts > 1 {
            counters.countRetry(call.fetch)
        } else {
            // Not for what an open breaker refuses, or retries would be saved up for when it closes.
            budgets[service].deposit(now: now)
        }
        do throws(CurlError) {
            try driver.start(
                call.fetch.id,
                AttemptRequest(
                    endpoint: endpoints[service], fields: fields.unwritten, lines: fields.lines,
                    body: call.fetch.body, timeout: timeout, maxReplyBytes: Self.maxReplyBytes,
                    needsFreshConnection: call.last?.lostConnection ?? false))
        } catch {
            settle(FinishedAttempt(id: call.fetch.id, result: .failure(error)), now: now)
        }
    }

    /// The fields of the next attempt; nothing if it cannot be sent now: the call then waits for credentials, or has ended.
    private func fields(
        _ call: Call, now: Int64
    ) -> (unwritten: [(name: String, value: String)], lines: HeaderLines?)? {
        let service = call.fetch.service
        if let forwarded = call.fetch.forwarded { return (forwarded.fields, nil) }
        switch signers[service]?.lines(call.fetch, wallClock: upstream.wallClock()) {
        case .lines(let lines):
            call.signedOffset = signers[service]?.clockOffset ?? 0
            call.signedGeneration = signers[service]?.generation ?? 0
            if unsigned.remove(service) != nil { upstream.report("\(serviceName(service)) has credentials again") }
            return ([], lines)
        case .pending:
            // It asks for its tokens again later, lest all who waited leave at once.
            giveBack(call, now: now)
            park(call)
            return nil
        case .unavailable(let reason):
            if unsigned.insert(service).inserted {
                upstream.report("\(serviceName(service)) has no credentials: \(reason)")
            }
            giveBack(call, now: now)
            finish(
                call, with: call.last, detail: "credentials", cause: "the gateway has no credentials to sign with",
                now: now)
            return nil
        case nil:
            giveBack(call, now: now)
            finish(call, with: call.last, cause: "the request was not signed", now: now)
            return nil
        }
    }

    /// Nothing is sent of an attempt that had its tokens, and perhaps the breaker's leave.
    private func giveBack(_ call: Call, now: Int64) {
        gate.giveBack(call.fetch, now: now)
        // Others may wait for them.
        nextRelease = now
        guard call.isProbe else { return }
        breakers[call.fetch.service].recordNothing(isProbe: true, wasSent: false, now: now)
        showBreaker(call.fetch.service)
    }

    /// An attempt has ended: report its result, or have another try.
    func settle(_ attempt: FinishedAttempt, now: Int64) {
        guard let call = calls[attempt.id] else { return }
        let result = AttemptResult(attempt.result, isForPage: call.isForPage)
        counters.count(call.fetch, result.kind, elapsed: now - call.sentAt)
        let isFirstSign = attempt.lostConnection.map { lostConnections.add($0) } ?? true
        recordHealth(call, result, isFirstSign: isFirstSign, now: now)
        if result.isAboutRate(call.fetch.safety) { slowDown(call, now: now) }
        hold(call, result, now: now)
        let isOutdated = learnTime(call, result) || renewCredentials(call, result)
        let error = result.error
        guard result.kind.isRetryable && error?.isProxyRefusal != true || isOutdated else {
            finish(call, with: result, now: now)
            return
        }
        call.last = result
        let failure = FailedAttempt(
            kind: result.kind, mayHaveSent: result.mayHaveSent, isOutdated: isOutdated, safety: call.fetch.safety,
            attempts: call.attempts, isWanted: gate.mayRetry(call.fetch), timeLeft: call.fetch.deadline - now,
            isPaid: error?.isLocalFault == true || attempt.lostConnection.map { lostConnections.isPaid($0) } ?? false)
        let isAtOnce = error.map { $0.isLostConnection || $0 == .refusedStream } ?? false
        let jitter = upstream.retry.delay(after: call.attempts, isAtOnce: isAtOnce, using: &random)
        let delay = max(jitter, result.requestedWait)
        switch upstream.retry.verdict(after: failure, pause: delay, budget: &budgets[call.fetch.service], now: now) {
        case .again(let delay):
            if let lost = attempt.lostConnection { lostConnections.pay(lost) }
            pause(call, until: now + delay)
        case .stop: finish(call, with: result, now: now)
        }
    }

    /// Takes the service's time from a reply.
    ///
    /// - Returns: whether the service refused the attempt only for the time it was signed for, which is known better now.
    private func learnTime(_ call: Call, _ result: AttemptResult) -> Bool {
        guard call.fetch.forwarded == nil, result.mayBeMistimed, let date = result.date else { return false }
        return signers[call.fetch.service]?
            .learn(date: date, signedOffset: call.signedOffset, wallClock: upstream.wallClock()) ?? false
    }

    /// Has credentials fetched anew that the service did not accept, once for a call.
    ///
    /// - Returns: whether the call would be signed with others now, or once these have come.
    private func renewCredentials(_ call: Call, _ result: AttemptResult) -> Bool {
        let service = call.fetch.service
        guard call.fetch.forwarded == nil, result.hasExpiredCredentials, let signer = signers[service] else {
            return false
        }
        if signer.noteRefusal(of: call.signedGeneration) {
            upstream.report("\(serviceName(service)) does not accept the gateway's credentials")
        }
        guard !call.hasRenewed else { return false }
        call.hasRenewed = true
        return signer.renew(after: call.signedGeneration, wallClock: upstream.wallClock())
    }
}

// MARK: Ends

extension Engine {
    /// Reports the last attempt's result, or a fault in its place if there was none.
    func finish(
        _ call: Call, with result: AttemptResult?, detail: String = "error", cause: String = "no attempt was made",
        now: Int64
    ) {
        calls[call.fetch.id] = nil
        let catalog = gate.services[call.fetch.service].catalog
        let outcome: FetchResult =
            switch result?.outcome {
            case .success(let reply): .reply(reply)
            case .failure(let error): .fault(.upstreamFault(error.clientText, detail: Self.detail(error), catalog))
            case nil: .fault(.upstreamFault(cause, detail: detail, catalog))
            }
        deliveries.append(gate.finish(call.fetch, outcome, attempts: call.attempts, sentAt: call.sentAt, now: now))
    }

    /// Its tokens could not be had: it ends with what came of its last attempt, or as one that was throttled.
    func refuse(_ fetch: Fetch, _ scope: ThrottleScope, until: Int64, now: Int64) {
        if let call = calls[fetch.id], let last = call.last {
            finish(call, with: last, now: now)
        } else {
            calls[fetch.id] = nil
            deliveries.append(gate.finish(fetch, .throttled(scope, until: until), attempts: 0, now: now))
        }
    }

    private static func detail(_ error: CurlError) -> String {
        error.isTimeout ? "timeout" : error.isConnectFailure ? "connect" : "error"
    }

    /// The stop's deadline has come: everything gets an error.
    func abandonAll(now: Int64) {
        for service in gate.services {
            for attempt in service.groups.flatMap({ $0.removeAll() }) where attempt.number == 1 {
                refuse(attempt.fetch, .quota, until: now, now: now)
            }
        }
        pauses = []
        nextPause = .max
        parked = []
        nextParkedEnd = .max
        for call in Array(calls.values) {
            driver.cancel(call.fetch.id)
            finish(call, with: call.last, detail: "stop", cause: "the gateway is stopping", now: now)
        }
    }
}
