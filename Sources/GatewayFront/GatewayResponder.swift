public import Gateway
public import HTTPFront
internal import NIOCore
internal import PageCache
public import Primitives
internal import Telemetry

/// Answers the requests of one event loop: it finds the route, asks the gate, and renders the verdict.
public final class GatewayResponder: Responder {
    /// The requests that wait for an answer. They outlive the responder: a reload puts another in its place, and arrivals may be on their way
    /// to either.
    private final class WaitingRequests {
        var all: [Waiter: Waiting] = [:]
    }

    private struct Waiting {
        let role: Verdict.Role
        let call: Call
        let caller: CallerID
        let since: MonotonicInstant
        /// When it is answered with an error if its fetch has not ended.
        let until: MonotonicInstant
    }

    private unowned let loop: ServerLoop<GatewayResponder>
    private let gate: Gate
    private let front: Front
    private let counters: FrontCounters
    private let memo = CallMemo()
    private var identity: Identity
    private var renderer = AnswerRenderer()
    private let waiting: WaitingRequests
    /// Requests about the gateway itself that `answered` has not counted yet.
    private var probes = 0

    /// - Parameter front: shared by all loops.
    public init(loop: ServerLoop<GatewayResponder>, gate: Gate, front: Front) {
        self.loop = loop
        self.gate = gate
        self.front = front
        counters = front.metrics.makeCounters()
        waiting = WaitingRequests()
        identity = Identity(gate, front)
        front.dispatcher.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    /// The responder that takes another's place after a reload, on the same loop. Requests that wait are answered by this one.
    public init(replacing old: GatewayResponder, gate: Gate, front: Front) {
        loop = old.loop
        self.gate = gate
        self.front = front
        (counters, waiting, renderer, probes) = (old.counters, old.waiting, old.renderer, old.probes)
        identity = Identity(gate, front)
        front.dispatcher.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    // MARK: Requests

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition {
        if let authority = head.authority, !front.isServiceHost(bytes, authority) {
            return rejectForeign(&response)
        }
        switch Route(head, bytes) {
        case .call:
            return answerCall(head, bytes, content, waiter, now, &response)
        case .cborCall:
            renderer.cborError(.otherProtocol, &response)
            record(.otherProtocol, gate.otherOperation, nil)
        case .metrics:
            do throws(GatewayError) {
                try identity.checkOpen(head, bytes)
                front.metricsText.answer(waiter, on: loop, now: now) { $0.renderer.text($1, Metrics.contentType, &$2) }
                counters.count(.metrics)
                return .later
            } catch {
                return refuse(error, gate.otherOperation, nil, &response)
            }
        case .health:
            renderer.text(Array("ok\n".utf8), "text/plain", &response)
            count(.health)
        case .readiness:
            renderer.readiness(front.isReady, &response)
            count(.readiness)
        case .notFound, .purge, .state, .events, .reload, .override:
            return refuse(.notFound, gate.otherOperation, nil, &response)
        case .page:
            return refuse(.methodNotAllowed, gate.otherOperation, nil, allowing: "POST", &response)
        case .methodNotAllowed(let allowed):
            return refuse(.methodNotAllowed, gate.otherOperation, nil, allowing: allowed, &response)
        }
        return .answered
    }

    /// The life of a call from its bytes to a verdict; its steps are those of docs/design.md.
    private func answerCall(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>, _ waiter: Waiter,
        _ now: MonotonicInstant,
        _ response: inout ResponseWriter
    ) -> Disposition {
        let target = bytes.extracting(head[.xAmzTarget] ?? 0..<0)
        // Whose request.
        let requester: RequestIdentity
        do throws(GatewayError) {
            requester = try identity.identify(head, bytes, content, target: target)
        } catch {
            return refuse(error, gate.operation(target), nil, of: gate.owner(of: target), &response)
        }
        let scope = bytes.extracting(requester.scope)
        // Request to a call. Its caller is charged first, because to read it costs more than to refuse it.
        if let error = gate.charge(caller: requester.caller, target: target, scope: scope, now: now) {
            return refuse(
                error, gate.operation(target, scope: scope), requester.caller,
                of: gate.owner(of: target, scope: scope), &response)
        }
        let call: Call
        if head[.contentEncoding] == nil {
            call = memo.call(
                target: target, scope: scope, principal: bytes.extracting(requester.principal), body: content, of: gate)
        } else {
            do throws(GatewayError) {
                call = try codedCall(requester, head, bytes, content, target)
            } catch {
                return refuse(
                    error, gate.operation(target, scope: scope), requester.caller,
                    of: gate.owner(of: target, scope: scope), &response)
            }
        }
        if requester.signedScope >= 0, call.signedScope >= 0, call.signedScope != requester.signedScope {
            return refuse(.foreignScope, call.operation, nil, of: call.service, &response)
        }
        if isForeign(call, head, bytes) { return rejectForeign(&response) }
        let forwarded: ForwardedFields?
        do throws(GatewayError) {
            forwarded = try fieldsToForward(call, head, bytes)
        } catch {
            return refuse(error, call.operation, requester.caller, of: call.service, &response)
        }
        // Call to a verdict.
        let directives = CacheDirectives(
            head, bytes, allowsNoCache: gate.allowsNoCache(caller: requester.caller), now: now,
            wallClock: front.wallClock)
        switch gate.decide(
            call, caller: requester.caller, directives: directives, waiter: waiter, forwarded: forwarded,
            now: now)
        {
        case .page(let page, let use):
            return serve(page, use, call, requester.caller, now: now, &response)
        case .refused(let error):
            return refuse(error, call.operation, requester.caller, of: call.service, &response)
        case .wait(let role):
            let until = min(now + gate.patience(call), directives.deadline ?? .distantFuture)
            waiting.all[waiter] = Waiting(role: role, call: call, caller: requester.caller, since: now, until: until)
            return .later
        }
    }

    /// The call of a request that names a coding of its content. Such calls are seldom equal, and the memo knows no coding.
    ///
    /// - Throws: the answer to a request whose codings cannot be sent on.
    private func codedCall(
        _ requester: RequestIdentity, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>,
        _ target: Span<UInt8>
    ) throws(GatewayError) -> Call {
        let scope = bytes.extracting(requester.scope)
        let coding = try ContentCoding(
            head, bytes, maxBytes: loop.limits.maxBodyBytes,
            isPassedOn: front.hasPassthrough && gate.isPassthrough(target: target, scope: scope))
        return gate.read(
            target: target, scope: scope, principal: bytes.extracting(requester.principal), body: content,
            coding: coding)
    }

    /// Returns true if a call keeps its signature, and its `Host` is not that of the service that it is signed for.
    private func isForeign(_ call: Call, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let service = call.passthroughService else { return false }
        guard let host = head[.host] else { return true }
        return !front.isAuthority(of: service, prefix: call.hostPrefix, bytes, host)
    }

    /// The fields that go on to the service with a call that keeps its signature; `nil` for any other call.
    ///
    /// - Throws: the answer to a call whose fields cannot be used as they are.
    private func fieldsToForward(
        _ call: Call, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(GatewayError) -> ForwardedFields? {
        call.passthroughService == nil ? nil : try EndToEnd.fields(head, bytes)
    }

    /// Answers from the cache.
    private func serve(
        _ page: Page, _ use: PageUse, _ call: Call, _ caller: CallerID, now: MonotonicInstant,
        _ response: inout ResponseWriter
    ) -> Disposition {
        let operation = call.operation
        renderer.page(page, use, for: call, &response, now: now)
        let outcome: Outcome = use == .fresh ? .hit : .stale
        counters.count(outcome, operation: operation, caller: caller)
        counters.countAge(page.age(now: now))
        log(
            operation, caller, outcome, status: page.status, detail: Self.detail(page, use), id: renderer.lastID,
            duration: 0)
        return .answered
    }

    /// - Parameters:
    ///   - caller: `nil` if it is not known.
    ///   - methods: the value of `Allow`, for a method that the path does not have.
    private func refuse(
        _ error: GatewayError, _ operation: OperationID, _ caller: CallerID?, of service: Service? = nil,
        allowing methods: StaticString? = nil, _ response: inout ResponseWriter
    ) -> Disposition {
        renderer.error(error, of: service, field: methods.map { ("Allow", $0) }, &response)
        record(error, operation, caller)
        return .answered
    }

    /// Counts and logs an error that was just answered.
    private func record(_ error: GatewayError, _ operation: OperationID, _ caller: CallerID?) {
        counters.count(error, operation: operation, caller: caller)
        log(
            operation, caller, error.outcome, status: error.status, detail: error.detail, id: renderer.lastID,
            duration: 0)
    }

    // MARK: Arrivals

    /// The fetch that a request waits for has ended.
    func arrive(_ arrival: Arrival, for waiter: Waiter) {
        guard let request = waiting.all.removeValue(forKey: waiter) else { return }
        let now = loop.eventLoop.now.instant
        // Counted inside: when `answer` returns, requests that waited behind this one on its connection may be answered too.
        let isAnswered = loop.answer(waiter) { responder, response in
            responder.renderer.arrival(arrival, role: request.role, for: request.call, &response, now: now)
            responder.count(arrival, request, id: responder.renderer.lastID, now: now)
        }
        if !isAnswered { count(arrival, request, id: [], now: now) }
    }

    private func count(_ arrival: Arrival, _ request: Waiting, id: @autoclosure () -> [UInt8], now: MonotonicInstant) {
        let outcome: Outcome
        var status = 200
        var detail = ""
        switch arrival {
        case .page(let page):
            outcome = request.role == .follower ? .coalesced : .miss
            counters.countAge(page.age(now: now))
        case .stale(let page, let use):
            outcome = .stale
            status = page.status
            detail = Self.detail(page, use)
            counters.countAge(page.age(now: now))
        case .reply(let reply):
            status = reply.answerStatus
            if status < 300 {
                outcome = request.role == .pass ? .pass : request.role == .follower ? .coalesced : .miss
            } else {
                outcome = .failed
                detail = reply.errorCode ?? ""
            }
        // Counted, logged and timed when its head is passed on.
        case .stream(let head, _):
            outcome = .pass
            status = head.status
        case .error(let error):
            outcome = error.outcome
            status = error.status
            detail = error.detail
            if let scope = error.scope { counters.count(scope) }
        }
        counters.count(outcome, operation: request.call.operation, caller: request.caller)
        counters.countDuration(now - request.since)
        log(
            request.call.operation, request.caller, outcome, status: status, detail: detail, id: id(),
            duration: now - request.since)
    }

    /// The reason for a page that is stale, or the error that a page is.
    private static func detail(_ page: Page, _ use: PageUse) -> String {
        if case .unrefreshable(let reason, _) = use { reason.rawValue } else { page.errorCode ?? "" }
    }

    /// - Parameters:
    ///   - caller: `nil` if it is not known.
    ///   - detail: composed only if the answer is recorded, like `id`.
    private func log(
        _ operation: OperationID, _ caller: CallerID?, _ outcome: Outcome, status: Int,
        detail: @autoclosure () -> String,
        id: @autoclosure () -> [UInt8], duration: Int64
    ) {
        guard let log = front.log else { return }
        log.record(
            AccessRecord(
                gate.operations[operation], caller: caller.map(gate.callerName) ?? "unknown", outcome: outcome.label,
                status: status,
                detail: detail(), requestID: id(), duration: duration),
            isGood: status < 400,
            isSampled: caller ?? .anonymous == .anonymous && Self.isRefusal(outcome))
    }

    /// Returns true for refusals, which touch neither a page nor a service.
    private static func isRefusal(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .denied, .invalid, .throttled: true
        case .hit, .stale, .coalesced, .miss, .pass, .failed: false
        }
    }

    public func abandon(_ waiter: Waiter) {
        if let request = waiting.all.removeValue(forKey: waiter) {
            gate.abandon(request.call, waiter: waiter, now: loop.eventLoop.now.instant)
        }
    }

    // MARK: The front's own answers

    public func refuse(_ refusal: Refusal, into response: inout ResponseWriter) {
        reject(refusal, &response)
        // The server reports no time for a refused request, so it counts as 0 here.
        counters.countDuration(0)
    }

    /// Answers a request for a host that is not the gateway's, nor the service's that it is signed for.
    private func rejectForeign(_ response: inout ResponseWriter) -> Disposition {
        response.closes = true
        reject(.foreignTarget, &response)
        return .answered
    }

    private func reject(_ refusal: Refusal, _ response: inout ResponseWriter) {
        renderer.refusal(refusal, &response)
        counters.count(refusal)
        counters.count(.invalid, operation: gate.otherOperation, caller: nil)
        log(
            gate.otherOperation, nil, .invalid, status: refusal.status.code, detail: refusal.rawValue,
            id: renderer.lastID, duration: 0)
    }

    /// There is no request to log.
    public func dropped(_ refusal: Refusal) { counters.count(refusal) }

    /// The number of the name of a client certificate that is a caller's; -1 for none.
    public func identify(_ certificate: PeerCertificate) -> Int32 { front.identities.number(of: certificate) }

    public func answered(count: Int, elapsed: Int64) {
        let probes = min(probes, count)
        self.probes -= probes
        counters.countDuration(elapsed, times: count - probes)
    }

    /// Counts a request about the gateway itself apart from calls, whose durations it would distort.
    private func count(_ probe: FrontCounters.Probe) {
        counters.count(probe)
        probes += 1
    }

    /// Answers requests whose time is over, whether or not their fetch goes on.
    public func tick(now: MonotonicInstant) {
        identity.tick()
        front.log?.tick()
        for (waiter, request) in waiting.all where now > request.until {
            guard let error = gate.overdue(request.call, waiter: waiter, now: now) else { continue }
            arrive(.error(error), for: waiter)
        }
    }
}

extension AccessRecord {
    fileprivate init(
        _ names: (service: String, operation: String), caller: String, outcome: String, status: Int, detail: String,
        requestID: [UInt8], duration: Int64
    ) {
        self.init(
            service: names.service, operation: names.operation, caller: caller, outcome: outcome, status: status,
            detail: detail, requestID: requestID, duration: duration)
    }
}
