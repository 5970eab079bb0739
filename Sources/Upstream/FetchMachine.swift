package import Gateway
package import OriginClient
package import Primitives
package import Tracing

/// The life of fetches between their first token and their end: retries, breakers, budgets, credentials and deadlines.
///
/// Pure: events come in with the time, and what is to be done comes out as actions. It starts no thread, opens no socket and reads
/// no clock. Tokens come from the gate's queue, which it releases; results go to the gate.
///
/// A fetch is here from its first token on. Its attempt is in one place at a time: in the queue (then only a retry's fetch is
/// here), in a pause, parked for want of credentials, or sent.
package struct FetchMachine: ~Copyable {
    /// When an event came.
    package struct Moment {
        let now: MonotonicInstant
        /// For signatures.
        let wallClock: WallInstant

        package init(now: MonotonicInstant, wallClock: WallInstant) {
            self.now = now
            self.wallClock = wallClock
        }
    }

    /// An event.
    package enum Event: ~Copyable {
        /// A first attempt has its tokens. (`tick` finds those that have waited for theirs.)
        case granted(GrantedAttempt)
        /// The reply of an attempt has begun, and is passed on as it comes.
        case began(BegunReply)
        /// An attempt was replied to, or has failed; by its fetch's id. So has one whose reply was passed on.
        case ended(FinishedAttempt)
        /// A supply of credentials that had none ready has some, or has given up.
        case credentialsCame
        /// An attempt has joined a queue.
        case queueGrew
        /// A connection could not be opened from here, though no attempt has failed.
        case localFault(CurlError)
        /// Time has passed. To be given when `wake` said so, and after other events.
        case tick
        /// Everything ends now, with an error.
        case stop
    }

    /// An action for the driver.
    package enum Action {
        case send(OutgoingAttempt)
        /// No reply of the attempt is wanted any more.
        case cancel(UInt64)
        case deliver(Delivery)
        /// The next `tick` is due at this instant, and no more at another; `distantFuture` if none is.
        case wake(at: MonotonicInstant)
        case report(UpstreamEvent)
        /// An attempt has ended so many nanoseconds after it was sent.
        case count(service: Int, operation: Int?, AttemptClass, elapsed: Int64)
        /// So many replies are being passed on.
        case showStreams(Int)
        /// A breaker's state may have changed: 0 closed, 1 half-open, 2 open.
        case showBreaker(service: Int, figure: Int)
        /// A part of a trace that is recorded.
        indirect case span(TraceSpan)
    }

    /// The pending actions, in order. The driver of the machine carries them out and removes them.
    package var actions: [Action] = []

    /// A call in a pause, or one that is parked until credentials come; then `until` is its deadline.
    private struct Wait {
        let call: UInt64
        let until: MonotonicInstant
        var isParked = false
    }

    private(set) var gate: Gate
    private(set) var retry: RetryPolicy
    var random: any RandomNumberGenerator
    var services: [ServiceState]
    /// Of all services: each connection has a number of its own.
    var lostConnections = LostConnections()
    /// The resources that this machine lacked, by errno, and when each was last reported.
    private var localFaults: [Int32: MonotonicInstant] = [:]

    /// The moment of the event that is being handled.
    var now: MonotonicInstant
    var wallClock: WallInstant
    var calls: [UInt64: FetchCall] = [:]
    /// The attempts whose replies are being passed on, and their services.
    var streams: [UInt64: Int] = [:]
    /// Calls whose attempt is here, in the order of their coming.
    private var waits: [Wait] = []
    /// When the next of them ends; `distantFuture` if there is none.
    private var nextWaitEnd = MonotonicInstant.distantFuture
    var ahead: AheadRefreshes
    /// When to release the queues; `distantFuture` if nothing waits.
    var nextRelease: MonotonicInstant
    /// The last instant that a `tick` was asked for.
    private var wakeAt = MonotonicInstant.distantFuture

    /// - Parameters:
    ///   - settings: one for each of the gate's services, in their order.
    ///   - random: for what must not happen to many at one moment.
    package init(
        _ gate: Gate, _ settings: [UpstreamSettings], _ retry: RetryPolicy,
        random: any RandomNumberGenerator = SystemRandomNumberGenerator(), now: MonotonicInstant
    ) {
        self.gate = gate
        self.retry = retry
        self.random = random
        services = zip(settings, gate.services).map { ServiceState($0, of: $1, retry, now: now) }
        self.now = now
        wallClock = WallInstant(seconds: 0)
        (nextRelease, ahead) = (now, AheadRefreshes(areOn: gate.refreshesAhead))
    }

    /// Other settings take effect. Fetches, pauses and attempts stay; the next steps follow the new settings.
    package mutating func change(_ change: UpstreamChange) {
        (gate, retry) = (change.gate, change.retry)
        for (place, service) in zip(services.indices, gate.services) where change.settings.indices.contains(place) {
            services[place].change(
                change.settings[place], of: service, retry, usesSupply: change.newSupplies.contains(place))
        }
    }

    /// Refreshes no page ahead any more, because the gateway ends.
    package mutating func endAhead() { ahead.areOn = false }

    /// True if no fetch is here or waits for its tokens, and no reply is being passed on.
    package var isIdle: Bool { calls.isEmpty && gate.queue.isEmpty && streams.isEmpty }

    /// Takes an event in; what follows is added to `actions`.
    package mutating func handle(_ event: consuming Event, at moment: Moment) {
        now = moment.now
        wallClock = moment.wallClock
        switch consume event {
        case .granted(let attempt): begin(attempt)
        case .began(let reply): begin(reply)
        case .ended(let attempt): settle(attempt)
        case .credentialsCame: for wait in takeWaits(where: \.isParked) { askForTokens(wait.call) }
        case .queueGrew:
            nextRelease = now
            ahead.change(now: now)
        case .localFault(let error): noteLocalFault(error)
        case .tick:
            tick()
            wakeAt = .distantFuture
        case .stop: stop()
        }
        let next = min(nextWaitEnd, min(nextRelease, ahead.next))
        if next < wakeAt || wakeAt == .distantFuture { actions.append(.wake(at: next)) }
        wakeAt = next
    }

    // MARK: Sending

    private mutating func begin(_ attempt: consuming GrantedAttempt) {
        let call = FetchCall(attempt.fetch)
        calls[call.fetch.id] = call
        send(attempt, of: call)
    }

    private mutating func send(_ attempt: consuming GrantedAttempt, of call: FetchCall) {
        let service = call.fetch.service
        let admission = services[service].breaker.admit(call.input, now: now)
        call.isProbe = admission == .probe
        guard admission != .refused else {
            let cause = "it has failed too often and is given a rest"
            return end(giveBack(attempt, of: call), of: call, detail: GatewayError.breakerDetail, cause)
        }
        if call.isProbe {
            showBreaker(service)
            actions.append(.report(.breakerHalfOpen(service: services[service].name)))
        }
        guard !call.fetch.isStream || services[service].streams < services[service].maxStreams else {
            let ended = gate.queue.end(giveBack(attempt, of: call))
            return refuse(ended, of: call.fetch.id, .streams, until: now + Self.streamWait)
        }
        let patience = call.fetch.attemptTimeout ?? services[service].attemptTimeout
        let timeout = call.fetch.deadline <= now ? 0 : min(patience, call.fetch.deadline - now)
        guard timeout > 0 else {
            return end(giveBack(attempt, of: call), of: call, detail: "deadline", "the time for the call is over")
        }
        var lines: HeaderLines?
        if call.fetch.forwarded == nil {
            switch services[service].sign(call.fetch, &call.signature, wallClock: wallClock) {
            case .lines(let signed):
                var signed = signed
                addTrace(to: &signed, of: call)
                lines = signed
                if !call.fetch.isUnsigned { report(services[service].noteCredentials(missing: nil)) }
            // It gives its tokens up and asks for others later, so that parked calls do not leave in one burst.
            case .pending:
                return wait(giveBack(attempt, of: call), of: call, until: call.fetch.deadline, isParked: true)
            case .unavailable(let reason):
                report(services[service].noteCredentials(missing: reason))
                let cause = "the gateway has no credentials to sign with"
                return end(giveBack(attempt, of: call), of: call, detail: "credentials", cause)
            case nil: return end(giveBack(attempt, of: call), of: call, "the request was not signed")
            }
        }
        switch gate.markSent(attempt, now: now) {
        case .held(let attempt, let until): wait(giveBack(attempt, of: call), of: call, until: until)
        case .sent(let attempt):
            if call.fetch.isStream { services[service].streams += 1 }
            call.isCutShort = timeout < patience
            // Not for what an open breaker refuses, or retries would be saved up for when it closes.
            if attempt.number == 1 { services[service].budget.deposit(now: now) }
            let outgoing = OutgoingAttempt(
                fetch: call.fetch, number: attempt.number, lines: lines, timeout: timeout, wait: attempt.wait,
                needsFreshConnection: call.last?.error?.isLostConnection ?? false)
            call.place = .sent(attempt)
            actions.append(.send(outgoing))
        }
    }

    /// When to come back where too many streams are open, in nanoseconds.
    private static let streamWait: Int64 = 1_000_000_000

    /// Nothing is sent of an attempt that had its tokens, and perhaps the breaker's leave. Others may wait for them.
    private mutating func giveBack(_ attempt: consuming GrantedAttempt, of call: FetchCall) -> WaitingAttempt {
        nextRelease = now
        if call.isProbe {
            services[call.fetch.service].breaker.recordNothing(isProbe: true, wasSent: false, now: now)
            showBreaker(call.fetch.service)
        }
        return gate.queue.giveBack(attempt, now: now)
    }

    // MARK: Waiting

    mutating func wait(
        _ attempt: consuming WaitingAttempt, of call: FetchCall, until: MonotonicInstant, isParked: Bool = false
    ) {
        call.place = .here(attempt)
        waits.append(Wait(call: call.fetch.id, until: until, isParked: isParked))
        nextWaitEnd = min(nextWaitEnd, until)
    }

    private mutating func takeWaits(where hasEnded: (Wait) -> Bool) -> [Wait] {
        let ended = waits.filter(hasEnded)
        waits.removeAll(where: hasEnded)
        nextWaitEnd = waits.reduce(.distantFuture) { min($0, $1.until) }
        return ended
    }

    private mutating func askForTokens(_ id: UInt64) {
        guard let call = calls[id], let attempt = call.takeHeld() else { return }
        // A first attempt that waits for its turn is as if it had never been here: its clients may still leave.
        if attempt.number == 1 { calls[id] = nil }
        switch gate.askAgain(attempt, now: now) {
        case .granted(let attempt):
            calls[id] = call
            send(attempt, of: call)
        // It may have pushed others out of the queue.
        case .queued: nextRelease = now
        case .refused(let attempt, let scope, let until): refuse(attempt, of: id, scope, until: until)
        }
    }

    private mutating func tick() {
        if now >= nextWaitEnd { endWaits() }
        if now >= nextRelease { release() }
        var refreshes = ahead.take(from: gate, now: now)
        while let attempt = refreshes.popFirst() { begin(attempt) }
    }

    private mutating func endWaits() {
        let now = now
        for wait in takeWaits(where: { $0.until <= now }) {
            guard wait.isParked else {
                askForTokens(wait.call)
                continue
            }
            guard let call = calls[wait.call], let attempt = call.takeHeld() else { continue }
            end(attempt, of: call, detail: "credentials", "the gateway's credentials did not come in time")
        }
    }

    /// Sends what has its token by now, and refuses what will not have it in time.
    private mutating func release() {
        var release = gate.queue.release(now: now)
        // Before the attempts are sent: what they do may call for another look.
        nextRelease = release.next ?? .distantFuture
        while let attempt = release.granted.popFirst() {
            ahead.change(now: now)
            if let call = calls[attempt.fetch.id] { send(attempt, of: call) } else { begin(attempt) }
        }
        while let attempt = release.expired.popFirst() {
            let turn = gate.queue.turn(of: attempt, now: now)
            let id = attempt.fetch.id
            refuse(gate.queue.end(attempt), of: id, .quota, until: turn)
        }
        for service in services.indices {
            for event in services[service].noteRestored(gate.queue, now: now) { report(event) }
        }
    }

    // MARK: Ends

    /// Ends a call whose attempt was not sent: with the last attempt's result, or a fault if there was none.
    private mutating func end(
        _ attempt: consuming WaitingAttempt, of call: FetchCall, detail: String = "error", _ cause: String
    ) {
        finish(gate.queue.end(attempt), of: call, with: call.last, detail: detail, cause)
    }

    /// Reports the last attempt's result, or a fault in its place if there was none.
    mutating func finish(
        _ attempt: consuming EndedAttempt, of call: FetchCall, with result: AttemptResult?, detail: String = "error",
        _ cause: String = "no attempt was made"
    ) {
        calls[call.fetch.id] = nil
        let catalog = gate.services[call.fetch.service].catalog
        let outcome =
            result?.fetchResult(catalog, maxReplyBytes: services[call.fetch.service].maxReplyBytes)
            ?? .fault(.upstreamFault(cause, detail: detail, catalog))
        let words: String? = if let result { result.error?.operatorText } else { cause }
        actions.append(
            .deliver(gate.finish(attempt, outcome, upstreamTime: call.upstreamTime, cause: words, now: now)))
    }

    /// Tokens could not be had: the fetch ends with what came of its last attempt, or as one that was throttled.
    private mutating func refuse(
        _ attempt: consuming EndedAttempt, of id: UInt64, _ scope: ThrottleScope, until: MonotonicInstant
    ) {
        guard let call = calls[id], let last = call.last else {
            calls[id] = nil
            return actions.append(.deliver(gate.finish(attempt, .throttled(scope, until: until), now: now)))
        }
        finish(attempt, of: call, with: last)
    }

    private mutating func stop() {
        cancelStreams()
        var waiting = gate.queue.removeAll()
        while let attempt = waiting.popFirst() {
            let id = attempt.fetch.id
            refuse(gate.queue.end(attempt), of: id, .quota, until: now)
        }
        waits = []
        nextWaitEnd = .distantFuture
        let cause = "the gateway is stopping"
        for call in Array(calls.values) {
            switch call.takePlace() {
            case .sent(let attempt):
                if call.fetch.isStream { services[call.fetch.service].streams -= 1 }
                actions.append(.cancel(call.fetch.id))
                finish(attempt.ended(), of: call, with: call.last, detail: "stop", cause)
            case .here(let attempt): end(attempt, of: call, detail: "stop", cause)
            // It was in the queue, and has been refused above.
            case .elsewhere: calls[call.fetch.id] = nil
            }
        }
    }

    // MARK: Reports

    mutating func report(_ event: UpstreamEvent?) { if let event { actions.append(.report(event)) } }

    mutating func showBreaker(_ service: Int) {
        actions.append(.showBreaker(service: service, figure: services[service].breaker.figure))
    }

    /// Reports what is lacking here, at most once a minute for each cause.
    mutating func noteLocalFault(_ error: CurlError) {
        if let last = localFaults[error.detail], now - last < 60_000_000_000 { return }
        localFaults[error.detail] = now
        actions.append(.report(.localFault(cause: error.description)))
    }
}
