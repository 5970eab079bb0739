internal import AWSProtocol
public import Gateway
public import HTTPFront
internal import NIOCore
internal import PageCache
internal import Primitives
internal import Telemetry

/// Answers the requests of one event loop: it finds the route, asks the gate, and renders the verdict.
public final class GatewayResponder: Responder {
    /// A request that waits for a fetch.
    private struct Waiting {
        let role: Verdict.Role
        let call: Call
        let caller: CallerID
        let since: Int64
        /// When it is answered with an error if its fetch has not ended.
        let until: Int64
    }

    private unowned let loop: ServerLoop<GatewayResponder>
    private let gate: Gate
    private let front: Front
    private let counters: FrontCounters
    private let memo = CallMemo()
    private var identity: Identity
    private var renderer = AnswerRenderer()
    private var waiting: [Waiter: Waiting] = [:]
    /// Requests about the gateway itself that `answered` has not counted yet.
    private var probes = 0

    /// - Parameter front: shared by all loops.
    public init(loop: ServerLoop<GatewayResponder>, gate: Gate, front: Front) {
        self.loop = loop
        self.gate = gate
        self.front = front
        counters = front.metrics.makeCounters()
        identity = Identity(gate, front)
        front.dispatcher.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    // MARK: Requests

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, ticket: Ticket, now: Int64,
        into response: inout ResponseWriter
    ) -> Disposition {
        if let authority = head.authority, !front.isOwn(authority: bytes, authority) {
            return rejectForeign(&response)
        }
        switch Route(head, bytes) {
        case .call:
            return answerCall(head, bytes, content, ticket, now, &response)
        case .cborCall:
            renderer.cborError(.otherProtocol, &response)
            record(.otherProtocol)
        case .metrics:
            do throws(GatewayError) {
                try identity.checkOpen(head, bytes)
                front.metricsText.answer(ticket, on: loop, now: now) { $0.renderer.text($1, Metrics.contentType, &$2) }
                counters.count(.metrics)
                return .later
            } catch {
                renderer.error(error, &response)
                record(error)
            }
        case .health:
            renderer.text(Array("ok\n".utf8), "text/plain", &response)
            count(.health)
        case .readiness:
            renderer.readiness(front.isReady, &response)
            count(.readiness)
        case .notFound, .purge, .state:
            renderer.error(.notFound, &response)
            record(.notFound)
        case .methodNotAllowed(let allowed):
            renderer.methodNotAllowed(allowed, &response)
            record(.methodNotAllowed)
        }
        return .answered
    }

    /// The life of a call from its bytes to a verdict; its steps are those of docs/design.md.
    private func answerCall(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>, _ ticket: Ticket, _ now: Int64,
        _ response: inout ResponseWriter
    ) -> Disposition {
        let target = bytes.extracting(head[.xAmzTarget] ?? 0..<0)
        // Whose request.
        let requester: RequestIdentity
        do throws(GatewayError) {
            requester = try identity.identify(head, bytes, content, target: target)
        } catch {
            return refuse(error, gate.operation(target), nil, gate.owner(of: target), now: now, &response)
        }
        // Request to a call. Its caller is charged first, because to read it costs more than to refuse it.
        if let error = gate.charge(caller: requester.caller, target: target, now: now) {
            return refuse(
                error, gate.operation(target), requester.caller, gate.owner(of: target), now: now, &response)
        }
        let call = memo.call(
            target: target, region: bytes.extracting(requester.region),
            principal: bytes.extracting(requester.principal), body: content, of: gate)
        if isForeign(call, head, bytes) { return rejectForeign(&response) }
        let forwarded: ForwardedFields?
        do throws(GatewayError) {
            forwarded = try fieldsToForward(call, head, bytes)
        } catch {
            return refuse(error, call.operation, requester.caller, call.service, now: now, &response)
        }
        // Call to a verdict.
        let waiter = Waiter(loop: ticket.loop, slot: ticket.slot, generation: ticket.generation)
        let directives = directives(head, bytes, requester, now: now)
        switch gate.decide(
            call, caller: requester.caller, directives: directives, waiter: waiter, forwarded: forwarded, now: now)
        {
        case .page(let page, let use):
            return serve(page, use, call, requester.caller, now: now, &response)
        case .refused(let error):
            return refuse(error, call.operation, requester.caller, call.service, now: now, &response)
        case .wait(let role):
            let until = min(now &+ gate.patience(call), directives.deadline ?? .max)
            waiting[waiter] = Waiting(role: role, call: call, caller: requester.caller, since: now, until: until)
            return .later
        }
    }

    /// Returns true if a call keeps its signature, and its `Host` is not that of the service that it is signed for.
    private func isForeign(_ call: Call, _ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let service = call.passthroughService else { return false }
        guard let host = head[.host] else { return true }
        return !front.isAuthority(of: service, bytes, host)
    }

    /// The fields that go on to the service with a call that keeps its signature; `nil` for any other call.
    ///
    /// - Throws: the answer to a call whose content or fields cannot be used as they are.
    private func fieldsToForward(
        _ call: Call, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(GatewayError) -> ForwardedFields? {
        if call.passthroughService != nil { return try EndToEnd.fields(head, bytes) }
        if head[.contentEncoding] != nil { try CodedContent.check(head, bytes) }
        return nil
    }

    private func directives(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ requester: RequestIdentity, now: Int64
    ) -> CacheDirectives {
        var directives = CacheDirectives()
        if head[.cacheControl] != nil {
            directives = CacheControl.directives(
                head, bytes, allowsNoCache: gate.allowsNoCache(caller: requester.caller))
        }
        directives.deadline = SDKRequest.deadline(head, bytes, now: now, wallClock: front.wallClock)
        directives.isRetry = SDKRequest.isRetry(head, bytes)
        return directives
    }

    /// Answers from the cache.
    private func serve(
        _ page: Page, _ use: PageUse, _ call: Call, _ caller: CallerID, now: Int64, _ response: inout ResponseWriter
    ) -> Disposition {
        let operation = call.operation
        renderer.page(page, use, for: call, &response, now: now)
        let outcome: Outcome = use == .fresh ? .hit : .stale
        counters.count(outcome, operation: operation, caller: caller)
        counters.countAge(max(0, now - page.fetchedAt))
        log(
            operation, caller, outcome, status: page.status, detail: Self.detail(page, use), id: renderer.lastID,
            since: now, now: now)
        return .answered
    }

    /// - Parameter caller: `nil` if it is not known.
    private func refuse(
        _ error: GatewayError, _ operation: OperationID, _ caller: CallerID?, _ service: Service?, now: Int64,
        _ response: inout ResponseWriter
    ) -> Disposition {
        renderer.error(error, of: service, &response)
        counters.count(error, operation: operation, caller: caller)
        log(
            operation, caller, error.outcome, status: error.status, detail: error.detail, id: renderer.lastID,
            since: now, now: now)
        return .answered
    }

    /// Records the answer to a request that is no call.
    private func record(_ error: GatewayError) {
        counters.count(error, operation: gate.otherOperation, caller: nil)
        log(
            gate.otherOperation, nil, error.outcome, status: error.status, detail: error.detail, id: renderer.lastID,
            since: 0, now: 0)
    }

    // MARK: Arrivals

    /// The fetch that a request waits for has ended.
    func arrive(_ arrival: Arrival, for waiter: Waiter) {
        guard let request = waiting.removeValue(forKey: waiter) else { return }
        let ticket = Ticket(loop: waiter.loop, slot: waiter.slot, generation: waiter.generation)
        let now = Int64(clamping: loop.eventLoop.now.uptimeNanoseconds)
        // Read inside: when `answer` returns, requests that waited behind this one on its connection may be answered too.
        var id: [UInt8] = []
        loop.answer(ticket) { responder, response in
            responder.renderer.arrival(
                arrival, role: request.role, for: request.call, &response, now: now)
            if responder.front.log != nil { id = responder.renderer.lastID }
        }
        count(arrival, request, id: id, now: now)
    }

    private func count(_ arrival: Arrival, _ request: Waiting, id: [UInt8], now: Int64) {
        let outcome: Outcome
        var status = 200
        var detail = ""
        switch arrival {
        case .page(let page):
            outcome = request.role == .follower ? .coalesced : .miss
            counters.countAge(max(0, now - page.fetchedAt))
        case .stale(let page, let use):
            outcome = .stale
            status = page.status
            detail = Self.detail(page, use)
            counters.countAge(max(0, now - page.fetchedAt))
        case .reply(let reply):
            status = reply.answerStatus
            if status < 300 {
                outcome = request.role == .pass ? .pass : request.role == .follower ? .coalesced : .miss
            } else {
                outcome = .failed
                detail = reply.errorCode ?? ""
            }
        case .error(let error):
            outcome = error.outcome
            status = error.status
            detail = error.detail
            if let scope = error.scope { counters.count(scope) }
        }
        counters.count(outcome, operation: request.call.operation, caller: request.caller)
        counters.countDuration(now - request.since)
        log(
            request.call.operation, request.caller, outcome, status: status, detail: detail, id: id,
            since: request.since, now: now)
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
        id: @autoclosure () -> [UInt8], since: Int64, now: Int64
    ) {
        front.log?.record(
            AccessRecord(
                operation: gate.operationNames[operation.index], caller: caller.map(gate.callerName) ?? "unknown",
                outcome: outcome.label, status: status,
                detail: detail(), requestID: id(), duration: now - since),
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

    public func abandon(_ ticket: Ticket) {
        let waiter = Waiter(loop: ticket.loop, slot: ticket.slot, generation: ticket.generation)
        if let request = waiting.removeValue(forKey: waiter) {
            gate.abandon(request.call, waiter: waiter, now: Int64(clamping: loop.eventLoop.now.uptimeNanoseconds))
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
            id: renderer.lastID, since: 0, now: 0)
    }

    /// There is no request to log.
    public func dropped(_ refusal: Refusal) { counters.count(refusal) }

    /// The index of the caller that a client certificate names; -1 for none.
    public func identify(_ certificate: PeerCertificate) -> Int32 {
        front.callers.caller(with: certificate).map { Int32(clamping: $0.index) } ?? -1
    }

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
    public func tick(now: Int64) {
        identity.tick()
        front.log?.tick()
        for (waiter, request) in waiting where now > request.until {
            guard let error = gate.overdue(request.call, waiter: waiter, now: now) else { continue }
            arrive(.error(error), for: waiter)
        }
    }
}
