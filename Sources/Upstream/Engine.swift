internal import AWSProtocol
internal import Gateway
internal import Locking
internal import RateLimiter
internal import Telemetry

/// What the upstream thread does: sends attempts, sorts their results, retries, and reports. Used on that thread only.
final class Engine {
    /// A fetch of which at least one attempt was sent or is about to be.
    private struct Call {
        let fetch: Fetch
        /// Attempts that were sent.
        var attempts: Int
        var sentAt: Int64
        /// Whether the attempt has less time than the service is given.
        var isCutShort = false
        var last: AttemptResult?
    }

    private struct GroupPlace: Hashable {
        let service: Int
        let group: Int
    }

    /// A pause before another attempt.
    private struct Pause {
        let until: Int64
        let call: UInt64
    }

    /// Wake up at least this often, in nanoseconds; it bounds what a missed event could cost.
    private static let longestSleep: Int64 = 1_000_000_000
    private static let maxReplyBytes = 8 * 1024 * 1024

    private let upstream: Upstream
    private let gate: Gate
    private let driver: CurlDriver
    private let endpoints: [Endpoint]
    private let counters: UpstreamCounters
    private var breakers: [Breaker]
    /// Nothing for services that get their callers' signatures.
    private var signers: [ServiceSigner?]
    private var budget: RetryBudget
    private var calls: [UInt64: Call] = [:]
    private var pauses: [Pause] = []
    /// Calls that wait for credentials.
    private var parked: [UInt64] = []
    /// The services that lack credentials, so that it is said once.
    private var unsigned: Set<Int> = []
    /// The quota groups that use less than their quota, because the service has throttled.
    private var slowed: Set<GroupPlace> = []
    private var random = SystemRandomNumberGenerator()

    init(_ upstream: Upstream, _ gate: Gate) throws(CurlError) {
        self.upstream = upstream
        self.gate = gate
        endpoints = upstream.settings.map(Endpoint.init)
        driver = try CurlDriver(maxConnectionsInAll: upstream.settings.reduce(0) { $0 + $1.maxConnections })
        counters = UpstreamCounters(gate, upstream.metrics)
        breakers = upstream.settings.map {
            Breaker(Breaker.Policy(failures: $0.breakerFailures, openFor: $0.breakerOpenFor))
        }
        budget = RetryBudget(upstream.retry, now: CurlClock.now)
        signers = upstream.settings.map { $0.signing.map(ServiceSigner.init) }
        let waker = driver.waker
        upstream.mail.withLock { $0.waker = waker }
    }

    func run() {
        var finished: [FinishedAttempt] = []
        while true {
            let (started, stopBy, credentialsChanged) = upstream.mail.withLock { mail in
                defer {
                    mail.started = []
                    mail.credentialsChanged = false
                }
                return (mail.started, mail.stopBy, mail.credentialsChanged)
            }
            var now = CurlClock.now
            if credentialsChanged { unpark(now: now) }
            for fetch in started { send(begin(fetch, now: now), now: now) }
            endPauses(now: now)
            var next = releaseQueues(now: now)
            if !slowed.isEmpty { noteRecovery(now: now) }
            if let stopBy {
                if now >= stopBy { abandonAll(now: now) }
                if calls.isEmpty, gate.services.allSatisfy({ $0.groups.allSatisfy { $0.depth == 0 } }) { return }
                next = min(next, stopBy)
            }
            for pause in pauses { next = min(next, pause.until) }
            now = CurlClock.now
            driver.wait(timeout: min(max(0, next - now), Self.longestSleep), finished: &finished)
            now = CurlClock.now
            for attempt in finished { take(attempt, now: now) }
            finished.removeAll(keepingCapacity: true)
        }
    }

    // MARK: Attempts

    private func begin(_ fetch: Fetch, now: Int64) -> UInt64 {
        budget.deposit(now: now)
        calls[fetch.id] = Call(fetch: fetch, attempts: 0, sentAt: now)
        return fetch.id
    }

    /// Sends the next attempt of a call, whose quota token is taken.
    private func send(_ id: UInt64, now: Int64) {
        guard var call = calls[id] else { return }
        let service = call.fetch.service
        guard breakers[service].admits(now: now) else {
            finish(
                id, with: call.last, detail: GatewayError.breakerDetail,
                cause: "it has failed too often and is given a rest", now: now)
            return
        }
        showBreaker(service)
        let patience = upstream.settings[service].attemptTimeout
        let timeout = call.fetch.deadline <= now ? 0 : min(patience, call.fetch.deadline - now)
        guard timeout > 0 else {
            breakers[service].recordNothing(now: now)
            finish(id, with: call.last, detail: "deadline", cause: "the time for the call is over", now: now)
            return
        }
        guard let fields = fields(call, now: now) else {
            breakers[service].recordNothing(now: now)
            return
        }
        call.attempts += 1
        call.sentAt = now
        call.isCutShort = timeout < patience
        calls[id] = call
        if call.attempts > 1 { counters.countRetry(call.fetch) }
        gate.depart(call.fetch, number: call.attempts)
        do throws(CurlError) {
            try driver.start(
                id,
                AttemptRequest(
                    endpoint: endpoints[service], fields: fields, body: call.fetch.body,
                    timeout: timeout, maxReplyBytes: Self.maxReplyBytes))
        } catch {
            settle(id, AttemptResult(.failure(error)), now: now)
        }
    }

    /// The fields of the next attempt; nothing if it cannot be sent now: the call then waits for credentials, or has ended.
    private func fields(_ call: Call, now: Int64) -> [(name: String, value: String)]? {
        let service = call.fetch.service
        if let forwarded = call.fetch.forwarded { return forwarded.fields }
        switch signers[service]?.fields(call.fetch, wallClock: upstream.wallClock()) {
        case .fields(let fields):
            if unsigned.remove(service) != nil { upstream.report("\(serviceName(service)) has credentials again") }
            return fields
        case .pending:
            // Its token has been taken in vain: it takes another one later, lest all who waited leave at once.
            parked.append(call.fetch.id)
            pauses.append(Pause(until: call.fetch.deadline, call: call.fetch.id))
            return nil
        case .unavailable(let reason):
            if unsigned.insert(service).inserted {
                upstream.report("\(serviceName(service)) has no credentials: \(reason)")
            }
            finish(
                call.fetch.id, with: call.last, detail: "credentials",
                cause: "the gateway has no credentials to sign with", now: now)
            return nil
        case nil:
            finish(call.fetch.id, with: call.last, cause: "the request was not signed", now: now)
            return nil
        }
    }

    /// Credentials have come, or are known not to come.
    private func unpark(now: Int64) {
        let due = Set(parked)
        parked = []
        pauses.removeAll { due.contains($0.call) }
        pauses += due.map { Pause(until: now, call: $0) }
    }

    private func serviceName(_ service: Int) -> String { "service \(gate.services[service].settings.name)" }

    private func take(_ attempt: FinishedAttempt, now: Int64) {
        settle(attempt.id, AttemptResult(attempt.result), now: now)
    }

    /// An attempt has ended: report its result, or have another try.
    private func settle(_ id: UInt64, _ result: AttemptResult, now: Int64) {
        guard var call = calls[id] else { return }
        call.last = result
        calls[id] = call
        counters.count(call.fetch, result.kind, elapsed: now - call.sentAt)
        if call.isCutShort, result.kind == .timeout {
            breakers[call.fetch.service].recordNothing(now: now)
        } else {
            breakers[call.fetch.service].record(isFailure: result.kind.isFailure, now: now)
        }
        showBreaker(call.fetch.service)
        if result.kind == .throttled { slowDown(call, now: now) }
        let pause = upstream.retry.delay(after: call.attempts, using: &random)
        let wasMistimed = learnTime(call, result)
        guard wasMistimed || result.kind.isRetryable && isSafe(call.fetch, after: result),
            call.attempts < upstream.retry.maxAttempts, now + pause < call.fetch.deadline, budget.withdraw(now: now)
        else {
            finish(id, with: result, now: now)
            return
        }
        pauses.append(Pause(until: now + pause, call: id))
    }

    /// Takes the service's time from a reply.
    ///
    /// - Returns: whether the service refused the attempt only for the time it was signed for, which is known better now. It
    ///   has done nothing then, so that even a write may be sent again.
    private func learnTime(_ call: Call, _ result: AttemptResult) -> Bool {
        guard call.fetch.forwarded == nil, let date = result.date else { return false }
        let hasChanged = signers[call.fetch.service]?.learn(date: date, wallClock: upstream.wallClock()) ?? false
        return hasChanged && result.isRefusedForItsTime
    }

    /// The service throttles though the quota was kept: others use it too.
    private func slowDown(_ call: Call, now: Int64) {
        let service = gate.services[call.fetch.service]
        let group = service.groups[call.fetch.quotaGroup]
        guard group.throttled(sentAt: call.sentAt, now: now) else { return }
        let place = GroupPlace(service: call.fetch.service, group: call.fetch.quotaGroup)
        guard slowed.insert(place).inserted else { return }
        upstream.report(
            "service \(service.settings.name) throttles quota group \(name(place)) below its quota: slowing down")
    }

    /// Looks which groups are back at their full rate.
    private func noteRecovery(now: Int64) {
        for place in slowed {
            let group = gate.services[place.service].groups[place.group]
            guard group.currentQuota(now: now) == group.quota else { continue }
            slowed.remove(place)
            let service = gate.services[place.service].settings.name
            upstream.report("quota group \(name(place)) of service \(service) is back at its full rate")
        }
    }

    private func name(_ place: GroupPlace) -> String {
        gate.services[place.service].catalog.quotaGroups[place.group].name
    }

    private func isSafe(_ fetch: Fetch, after result: AttemptResult) -> Bool {
        switch fetch.safety {
        case .read, .idempotentWrite: true
        case .unsafeWrite: !result.mayHaveSent
        }
    }

    // MARK: Waiting for tokens and pauses

    private func endPauses(now: Int64) {
        let due = pauses.filter { $0.until <= now }
        guard !due.isEmpty else { return }
        pauses.removeAll { $0.until <= now }
        for pause in due {
            guard let call = calls[pause.call] else { continue }
            let attempt = PendingAttempt(fetch: call.fetch, number: call.attempts + 1)
            switch gate.admit(attempt, now: now) {
            case .granted: send(pause.call, now: now)
            case .queued: break
            case .refused: finish(pause.call, with: call.last, now: now)
            }
        }
    }

    /// Sends what has its token by now.
    ///
    /// - Returns: when the next token comes, `.max` if nobody waits.
    private func releaseQueues(now: Int64) -> Int64 {
        var granted: [PendingAttempt] = []
        var expired: [PendingAttempt] = []
        var next = Int64.max
        for service in gate.services {
            for group in service.groups {
                next = min(next, group.release(now: now, granted: &granted, expired: &expired) ?? .max)
            }
        }
        for attempt in granted {
            send(attempt.number == 1 ? begin(attempt.fetch, now: now) : attempt.fetch.id, now: now)
        }
        for attempt in expired {
            let turn = gate.withdraw(attempt, now: now)
            if attempt.number == 1 {
                // It is known here if it had its token before, and lacked credentials.
                calls[attempt.fetch.id] = nil
                gate.finish(attempt.fetch, .throttled(.quota, until: turn), attempts: 0, now: now)
            } else {
                finish(attempt.fetch.id, with: calls[attempt.fetch.id]?.last, now: now)
            }
        }
        return next
    }

    // MARK: Ends

    /// Reports the last attempt's result, or a fault in its place if there was none.
    private func finish(
        _ id: UInt64, with result: AttemptResult?, detail: String = "error", cause: String = "no attempt was made",
        now: Int64
    ) {
        guard let call = calls.removeValue(forKey: id) else { return }
        let catalog = gate.services[call.fetch.service].catalog
        let outcome: FetchResult =
            switch result?.outcome {
            case .success(let reply): .reply(reply)
            case .failure(let error): .fault(.upstreamFault(error.description, detail: Self.detail(error), catalog))
            case nil: .fault(.upstreamFault(cause, detail: detail, catalog))
            }
        gate.finish(call.fetch, outcome, attempts: call.attempts, sentAt: call.sentAt, now: now)
    }

    private static func detail(_ error: CurlError) -> String {
        error.isTimeout ? "timeout" : error.isConnectFailure ? "connect" : "error"
    }

    /// The stop's deadline has come: everything gets an error.
    private func abandonAll(now: Int64) {
        for service in gate.services {
            for attempt in service.groups.flatMap({ $0.removeAll() }) where attempt.number == 1 {
                calls[attempt.fetch.id] = nil
                gate.finish(attempt.fetch, .throttled(.quota, until: now), attempts: 0, now: now)
            }
        }
        pauses = []
        for id in Array(calls.keys) {
            driver.cancel(id)
            finish(id, with: calls[id]?.last, detail: "stop", cause: "the gateway is stopping", now: now)
        }
    }

    private func showBreaker(_ service: Int) { upstream.breakerFigures[service].value = breakers[service].figure }
}

extension Endpoint {
    init(_ settings: UpstreamSettings) {
        let mode: HTTP2Mode =
            switch settings.http2 {
            case .auto: .auto
            case .off: .off
            case .priorKnowledge: .priorKnowledge
            }
        self.init(
            url: settings.url, http2: mode, caBundle: settings.caBundle, proxy: settings.proxy,
            maxConnections: settings.maxConnections, connectTimeout: settings.connectTimeout)
    }
}
