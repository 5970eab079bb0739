internal import AWSProtocol
public import Gateway
public import HTTPFront
internal import NIOCore
internal import PageCache
internal import Telemetry

/// Answers the requests of one event loop: routes, asks the gate, renders what it decided.
public final class GatewayResponder: Responder {
    /// A request that waits for a fetch.
    private struct Waiting {
        let role: Verdict.Role
        let call: Call
        /// Who asks.
        let caller: Int
        let since: Int64
        /// When it is told that its time is over.
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
    /// The requests about the gateway itself that are among the answers which `answered` has not been told of yet.
    private var probes = 0

    /// - Parameter front: what all loops share.
    public init(loop: ServerLoop<GatewayResponder>, gate: Gate, front: Front) {
        self.loop = loop
        self.gate = gate
        self.front = front
        counters = front.metrics.makeCounters()
        identity = Identity(gate, front)
        front.deliveries.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    // MARK: Requests

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, ticket: Ticket, now: Int64,
        into response: inout ResponseWriter
    ) -> Disposition {
        if let authority = head.authority, !front.isOwn(authority: bytes, authority) {
            response.closes = true
            reject(.foreignTarget, &response)
            return .answered
        }
        switch Route(head, bytes) {
        case .call:
            return answerCall(head, bytes, content, ticket, now, &response)
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

    private func answerCall(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>, _ ticket: Ticket, _ now: Int64,
        _ response: inout ResponseWriter
    ) -> Disposition {
        let target = bytes.extracting(head[.xAmzTarget] ?? 0..<0)
        let asker: Identity.Asker
        do throws(GatewayError) {
            asker = try identity.asker(head, bytes, content, target: target)
        } catch {
            refuse(error, gate.operation(target), nil, now: now, &response)
            return .answered
        }
        if let error = gate.charge(caller: asker.caller, target: target, now: now) {
            refuse(error, gate.operation(target), asker.caller, now: now, &response)
            return .answered
        }
        let call = memo.call(
            target: target, region: bytes.extracting(asker.region), principal: bytes.extracting(asker.principal),
            body: content, of: gate)
        if head[.contentEncoding] != nil, let error = CodedContent.refusal(head, bytes, call) {
            refuse(error, call.operation, asker.caller, now: now, &response)
            return .answered
        }
        var forwarded: ForwardedFields?
        if let service = call.passthroughService {
            guard let host = head[.host], front.isAuthority(of: service, bytes, host) else {
                response.closes = true
                reject(.foreignTarget, &response)
                return .answered
            }
            do throws(GatewayError) {
                forwarded = try EndToEnd.fields(head, bytes)
            } catch {
                refuse(error, call.operation, asker.caller, now: now, &response)
                return .answered
            }
        }
        let waiter = Waiter(loop: ticket.loop, slot: ticket.slot, generation: ticket.generation)
        let directives = directives(head, bytes, asker, now: now)
        switch gate.decide(
            call, caller: asker.caller, directives: directives, waiter: waiter, forwarded: forwarded, now: now)
        {
        case .page(let page, let use):
            renderer.page(page, use, &response, now: now)
            let outcome: Outcome = use == .fresh ? .hit : .stale
            counters.count(outcome, operation: call.operation, caller: asker.caller)
            counters.countAge(max(0, now - page.fetchedAt))
            log(
                call.operation, asker.caller, outcome, status: page.status, detail: Self.detail(page, use),
                id: renderer.lastID, since: now, now: now)
            return .answered
        case .refused(let error):
            refuse(error, call.operation, asker.caller, now: now, &response)
            return .answered
        case .wait(let role):
            let until = min(now &+ gate.patience(call), directives.deadline ?? .max)
            waiting[waiter] = Waiting(role: role, call: call, caller: asker.caller, since: now, until: until)
            return .later
        }
    }

    private func directives(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ asker: Identity.Asker, now: Int64
    ) -> CacheDirectives {
        var directives = CacheDirectives()
        if head[.cacheControl] != nil {
            directives = CacheControl.directives(head, bytes, allowsNoCache: gate.allowsNoCache(caller: asker.caller))
        }
        directives.deadline = SDKRequest.deadline(head, bytes, now: now, wallClock: front.wallClock)
        directives.isRetry = SDKRequest.isRetry(head, bytes)
        return directives
    }

    /// - Parameter caller: nothing for somebody unknown.
    private func refuse(
        _ error: GatewayError, _ operation: Int, _ caller: Int?, now: Int64, _ response: inout ResponseWriter
    ) {
        renderer.error(error, &response)
        counters.count(error, operation: operation, caller: caller)
        log(
            operation, caller, error.outcome, status: error.status, detail: error.detail, id: renderer.lastID,
            since: now, now: now)
    }

    /// Records an answer to what was no call.
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
        // Taken here: when this returns, those that waited behind it on its connection may have been answered too.
        var id: [UInt8] = []
        loop.answer(ticket) { responder, response in
            responder.renderer.arrival(arrival, role: request.role, &response, now: now)
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

    /// Why a page is no newer, or what error it is.
    private static func detail(_ page: Page, _ use: PageUse) -> String {
        if case .unrefreshable(let reason, _) = use { reason.rawValue } else { page.errorCode ?? "" }
    }

    /// - Parameters:
    ///   - caller: nothing for somebody unknown.
    ///   - detail: what is composed only for an answer that is recorded, as `id` is.
    private func log(
        _ operation: Int, _ caller: Int?, _ outcome: Outcome, status: Int, detail: @autoclosure () -> String,
        id: @autoclosure () -> [UInt8], since: Int64, now: Int64
    ) {
        front.log?.record(
            AccessRecord(
                operation: gate.operationNames[operation], caller: caller.map(gate.callerName) ?? "unknown",
                outcome: outcome.label, status: status,
                detail: detail(), requestID: id(), duration: now - since),
            isGood: status < 400,
            isSampled: caller ?? Identity.anonymous == Identity.anonymous && Self.isRefusal(outcome))
    }

    /// Whether an answer says no to its client without a look at a page or a service.
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
        // It never became a request of which the server says how long it took.
        counters.countDuration(0)
    }

    private func reject(_ refusal: Refusal, _ response: inout ResponseWriter) {
        renderer.refusal(refusal, &response)
        counters.count(refusal)
        counters.count(.invalid, operation: gate.otherOperation, caller: nil)
        log(
            gate.otherOperation, nil, .invalid, status: refusal.status.code, detail: refusal.rawValue,
            id: renderer.lastID, since: 0, now: 0)
    }

    /// Nobody asked for anything that could be logged.
    public func dropped(_ refusal: Refusal) { counters.count(refusal) }

    /// Who a connection's client certificate says that it is.
    public func identify(_ certificate: PeerCertificate) -> Int32 {
        front.callers.caller(with: certificate).map { Int32(clamping: $0) } ?? -1
    }

    public func answered(count: Int, elapsed: Int64) {
        let probes = min(probes, count)
        self.probes -= probes
        counters.countDuration(elapsed, times: count - probes)
    }

    /// Counts a request about the gateway itself that is answered at once, apart from all others.
    private func count(_ probe: FrontCounters.Probe) {
        counters.count(probe)
        probes += 1
    }

    /// Ends the wait of requests whose time is over, whatever has become of their fetch.
    public func tick(now: Int64) {
        identity.tick()
        front.log?.tick()
        for (waiter, request) in waiting where now > request.until {
            guard let error = gate.overdue(request.call, waiter: waiter, now: now) else { continue }
            arrive(.error(error), for: waiter)
        }
    }
}
