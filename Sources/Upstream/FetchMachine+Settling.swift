internal import Gateway
internal import OriginClient
internal import Primitives

// Replies and failures of attempts.

extension FetchMachine {
    mutating func settle(_ finished: FinishedAttempt) {
        guard let call = calls[finished.id], let attempt = call.takeSent() else { return streamEnded(finished.id) }
        ahead.change(now: now)
        call.upstreamTime += max(0, now - attempt.sentAt)
        if call.fetch.isStream { services[call.fetch.service].streams -= 1 }
        let lostConnection = finished.lostConnection
        let fetch = call.fetch
        let result = AttemptResult(finished.result, for: call.replyUse)
        actions.append(
            .count(
                service: fetch.service, operation: fetch.operation, result.kind, elapsed: now - attempt.sentAt))
        recordSpans(attempt, call, result)
        let isFirstSign = lostConnection.map { lostConnections.add($0) } ?? true
        recordHealth(call, result, isFirstSign: isFirstSign, isRepeat: attempt.number > 1)
        feedBack(attempt, result)
        let isOutdated = call.fetch.forwarded == nil && learn(result, call)
        let error = result.error
        guard result.kind.isRetryable && error?.isProxyRefusal != true || isOutdated else {
            return finish(attempt.ended(), of: call, with: result)
        }
        call.last = result
        let isPaid =
            error?.isLocalFault == true || lostConnection.map { lostConnections.isPaid($0) } ?? false
        let failure = FailedAttempt(
            kind: result.kind, mayHaveSent: result.mayHaveSent, isOutdated: isOutdated, safety: fetch.safety,
            attempts: attempt.number, isWanted: gate.mayRetry(fetch), timeLeft: fetch.deadline - now, isPaid: isPaid)
        let isAtOnce = error.map { $0.isLostConnection || $0 == .refusedStream } ?? false
        let jitter = retry.delay(after: attempt.number, isAtOnce: isAtOnce, using: &random)
        let delay = max(jitter, result.requestedWait)
        switch retry.verdict(after: failure, pause: delay, budget: &services[fetch.service].budget, now: now) {
        case .again(let delay):
            if let lostConnection { lostConnections.pay(lostConnection) }
            wait(attempt.repeated(), of: call, until: now + delay)
        case .stop: finish(attempt.ended(), of: call, with: result)
        }
    }

    mutating func recordHealth(_ call: FetchCall, _ result: AttemptResult, isFirstSign: Bool, isRepeat: Bool) {
        let service = call.fetch.service
        if let error = result.error, error.isLocalFault { noteLocalFault(error) }
        let event = services[service].record(
            result, call, isFirstSign: isFirstSign, isRepeat: isRepeat, now: now, using: &random)
        if call.isProbe || event != nil { showBreaker(service) }
        report(event)
    }

    /// The quota group learns from the service's answer. Those who wait may lose their turn by it.
    private mutating func feedBack(_ attempt: borrowing SentAttempt, _ result: AttemptResult) {
        let fetch = attempt.fetch
        if result.isAboutRate(fetch.safety), gate.queue.slowDown(after: attempt, now: now) {
            nextRelease = now
            report(services[fetch.service].noteCut(ofGroup: fetch.quotaGroup))
        }
        guard result.kind == .throttled || result.kind == .serverError, result.requestedWait > 0 else { return }
        gate.queue.hold(fetch, until: now + min(result.requestedWait, Self.longestHold), now: now)
        nextRelease = now
    }

    /// Returns true if the service refused the attempt only for what it was signed with, and there is better to sign with.
    private mutating func learn(_ result: AttemptResult, _ call: FetchCall) -> Bool {
        guard result.mayBeMistimed || result.hasExpiredCredentials, !call.fetch.isUnsigned else { return false }
        let service = call.fetch.service
        report(services[service].noteRefusal(result, call.signature))
        return services[service].learn(result, &call.signature, wallClock: wallClock)
    }

    /// No reply, however wrong, stops a quota group for longer, in nanoseconds.
    private static let longestHold: Int64 = 300_000_000_000

    // MARK: Streams

    /// The good reply of a sent attempt has begun, and is passed on as it comes. The fetch ends here: it cannot be repeated any more, and
    /// its deadline is met. Only the number of its attempt stays, until that has ended too.
    mutating func begin(_ reply: BegunReply) {
        guard let call = calls[reply.id] else { return }
        guard let head = try? UpstreamReply(head: reply.head) else {
            actions.append(.cancel(reply.id))
            return settle(FinishedAttempt(id: reply.id, result: .failure(.badReply)))
        }
        guard let attempt = call.takeSent() else { return }
        let fetch = call.fetch
        call.upstreamTime += max(0, now - attempt.sentAt)
        let result = AttemptResult(head)
        actions.append(
            .count(service: fetch.service, operation: fetch.operation, result.kind, elapsed: now - attempt.sentAt))
        recordSpans(attempt, call, result)
        recordHealth(call, result, isFirstSign: true, isRepeat: attempt.number > 1)
        calls[fetch.id] = nil
        streams[fetch.id] = fetch.service
        actions.append(.showStreams(streams.count))
        actions.append(
            .deliver(gate.finish(attempt.ended(), .stream(head, reply.body), upstreamTime: call.upstreamTime, now: now))
        )
    }

    private mutating func streamEnded(_ id: UInt64) {
        guard let service = streams.removeValue(forKey: id) else { return }
        services[service].streams -= 1
        actions.append(.showStreams(streams.count))
    }

    /// Ends all streams.
    mutating func cancelStreams() {
        for id in streams.keys.sorted() {
            actions.append(.cancel(id))
            streamEnded(id)
        }
    }
}
