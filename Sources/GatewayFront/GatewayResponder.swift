public import Gateway
public import HTTPFront
internal import NIOCore
internal import PageCache
public import Primitives
internal import Telemetry
internal import Tracing

/// Answers the requests of one event loop: it finds the route, asks the gate, and renders the verdict.
public final class GatewayResponder: Responder {
    /// The requests that wait for an answer. They outlive the responder: a reload puts another in its place, and arrivals may be on their way
    /// to either.
    final class WaitingRequests {
        var all: [Waiter: Waiting] = [:]
    }

    struct Waiting {
        let role: Verdict.Role
        let call: Call
        /// Known only while pages are kept in gzip.
        let acceptsGzip: Bool
        let caller: CallerID
        let since: MonotonicInstant
        /// When it is answered with an error if its fetch has not ended.
        let until: MonotonicInstant
        /// `nil` if it is not recorded.
        let note: RequestNote?
    }

    unowned let loop: ServerLoop<GatewayResponder>
    let gate: Gate
    private let front: Front
    let counters: FrontCounters
    private let memo = CallMemo()
    private var identity: Identity
    var renderer = AnswerRenderer()
    let waiting: WaitingRequests
    let recorder: RequestRecorder
    /// The request that was just answered, if it is recorded.
    private var answeredRequest: AnsweredRequest?
    private var tracing: RequestTracing
    /// The trace of the request that is being answered, if it is recorded or sent on.
    private var trace: RequestTrace?
    /// Requests about the gateway itself that `answered` has not counted yet.
    private var probes = 0
    /// The outcomes of other requests that were answered at once, whose duration `answered` has not counted yet. Hits apart, because
    /// nearly all are.
    private var untimedHits = 0
    private var untimed = [Int](repeating: 0, count: Outcome.allCases.count)
    private var untimedOthers = 0

    /// - Parameter front: shared by all loops.
    public init(loop: ServerLoop<GatewayResponder>, gate: Gate, front: Front) {
        self.loop = loop
        self.gate = gate
        self.front = front
        counters = front.metrics.makeCounters()
        waiting = WaitingRequests()
        identity = Identity(gate, front)
        recorder = RequestRecorder(gate, front, counters)
        tracing = RequestTracing(front.tracing)
        front.dispatcher.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    /// The responder that takes another's place after a reload, on the same loop. Requests that wait are answered by this one.
    public init(replacing old: GatewayResponder, gate: Gate, front: Front) {
        loop = old.loop
        self.gate = gate
        self.front = front
        (counters, waiting, renderer, probes) = (old.counters, old.waiting, old.renderer, old.probes)
        identity = Identity(gate, front)
        recorder = RequestRecorder(gate, front, counters)
        tracing = RequestTracing(front.tracing)
        front.dispatcher.register(self, loop: loop.index, eventLoop: loop.eventLoop)
    }

    // MARK: Requests

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition {
        let disposition = answer(head, bytes, content, waiter, now, &response)
        if let answeredRequest {
            var note = RequestNote(head, bytes, content: content)
            if answeredRequest.outcome == .denied { note.addAccessKey(head, bytes) }
            note.trace = trace ?? tracing.taken(head, bytes)
            if trace?.isRecorded == true { answeredRequest.duration = max(0, loop.eventLoop.now.instant - now) }
            recordAnswered(note, response)
        }
        if trace != nil { trace = nil }
        return disposition
    }

    private func answer(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>, _ waiter: Waiter,
        _ now: MonotonicInstant, _ response: inout ResponseWriter
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
        case .metrics where !front.showsMetrics, .notFound, .purge, .state, .events, .reload, .override:
            return refuse(.notFound, gate.otherOperation, nil, &response)
        case .page:
            return refuse(.methodNotAllowed, gate.otherOperation, nil, allowing: "POST", &response)
        case .metrics:
            do throws(GatewayError) {
                try identity.checkOpen(head, bytes)
                let form = MetricTexts.Form(head, bytes)
                front.metricTexts[form].answer(waiter, on: loop, now: now) { $0.renderer.metrics($1, form, &$2) }
                counters.count(.metrics)
                return .later
            } catch {
                return refuse(error, gate.otherOperation, nil, &response)
            }
        case .health:
            renderer.text(Array("ok\n".utf8), "text/plain", &response)
            count(.health)
        case .readiness:
            renderer.readiness(front.reasonsAgainstReadiness, &response)
            count(.readiness)
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
        if tracing.records { trace = tracing.recorded(head, bytes) }
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
            trace: {
                if trace == nil { trace = tracing.passedOn(head, bytes) }
                return trace
            }, now: now)
        {
        case .page(let page, let use):
            return serve(
                page, use, call, requester.caller, acceptsGzip: head.acceptsGzip(bytes), now: now, &response)
        case .refused(let error):
            return refuse(error, call.operation, requester.caller, of: call.service, call: call, &response)
        case .wait(let role):
            let until = min(now + gate.patience(call), directives.deadline ?? .distantFuture)
            waiting.all[waiter] = Waiting(
                role: role, call: call, acceptsGzip: gate.policy.packsPages && head.acceptsGzip(bytes),
                caller: requester.caller, since: now, until: until,
                note: note(head, bytes, content))
            return .later
        }
    }

    /// What a record of a waiting request says of its head; `nil` if it is not recorded.
    private func note(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ content: Span<UInt8>
    ) -> RequestNote? {
        guard recorder.records || trace?.isRecorded == true else { return nil }
        var note = RequestNote(head, bytes, content: content)
        note.trace = trace ?? tracing.taken(head, bytes)
        return note
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
        _ page: Page, _ use: PageUse, _ call: Call, _ caller: CallerID, acceptsGzip: @autoclosure () -> Bool,
        now: MonotonicInstant, _ response: inout ResponseWriter
    ) -> Disposition {
        let operation = call.operation
        renderer.page(page, use, for: call, acceptsGzip: acceptsGzip(), &response, now: now)
        let outcome: Outcome = use == .fresh ? .hit : .stale
        counters.count(outcome, operation: operation, caller: caller)
        let age = page.age(now: now)
        counters.countAge(age)
        if use == .fresh {
            untimedHits += 1
        } else {
            counters.countStale(use, of: call)
            timeLater(outcome)
        }
        remember(
            operation, caller, outcome, status: page.status, detail: Self.detail(page, use), call: call, age: age)
        return .answered
    }

    /// - Parameters:
    ///   - caller: `nil` if it is not known.
    ///   - methods: the value of `Allow`, for a method that the path does not have.
    private func refuse(
        _ error: GatewayError, _ operation: OperationID, _ caller: CallerID?, of service: Service? = nil,
        allowing methods: StaticString? = nil, call: Call? = nil, _ response: inout ResponseWriter
    ) -> Disposition {
        renderer.error(error, of: service, field: methods.map { ("Allow", $0) }, &response)
        record(error, operation, caller, call)
        return .answered
    }

    /// Counts and logs an error that was just answered.
    private func record(_ error: GatewayError, _ operation: OperationID, _ caller: CallerID?, _ call: Call? = nil) {
        counters.count(error, operation: operation, caller: caller, of: call)
        timeLater(error.outcome)
        remember(
            operation, caller, error.outcome, status: error.status, detail: error.detail, call: call,
            cause: Self.cause(error))
    }

    /// Remembers how a request was answered if that is recorded, until the step ends that answers it.
    ///
    /// - Parameters:
    ///   - caller: `nil` if it is not known.
    ///   - detail: composed only if the answer is recorded, like `cause`.
    private func remember(
        _ operation: OperationID, _ caller: CallerID?, _ outcome: Outcome, status: Int,
        detail: @autoclosure () -> String, call: Call? = nil, age: Int64? = nil,
        cause: @autoclosure () -> String = ""
    ) {
        guard recorder.records(status: status) || trace?.isRecorded == true else { return }
        answeredRequest = AnsweredRequest(
            operation, caller, outcome, status: status, detail: detail(), call: call, age: age, cause: cause())
    }

    /// Records the request that was just answered.
    private func recordAnswered(_ note: RequestNote, _ response: ResponseWriter) {
        guard let answered = answeredRequest.take() else { return }
        recorder.record(answered, note, id: renderer.lastID, response)
    }

    public func abandon(_ waiter: Waiter) {
        if let request = waiting.all.removeValue(forKey: waiter) {
            gate.abandon(request.call, waiter: waiter, now: loop.eventLoop.now.instant)
        }
    }

    // MARK: The front's own answers

    public func refuse(_ refusal: Refusal, from peer: PeerAddress, into response: inout ResponseWriter) {
        reject(refusal, &response)
        // The server reports no time for a refused request, so it counts as 0 here.
        counters.countDuration(0, .invalid)
        recordAnswered(RequestNote(from: peer), response)
    }

    /// Answers a request for a host that is not the gateway's, nor the service's that it is signed for.
    private func rejectForeign(_ response: inout ResponseWriter) -> Disposition {
        response.closes = true
        reject(.foreignTarget, &response)
        timeLater(.invalid)
        return .answered
    }

    private func reject(_ refusal: Refusal, _ response: inout ResponseWriter) {
        renderer.refusal(refusal, &response)
        counters.count(refusal)
        counters.count(.invalid, operation: gate.otherOperation, caller: nil)
        remember(gate.otherOperation, nil, .invalid, status: refusal.status.code, detail: refusal.rawValue)
    }

    /// A connection that was not used for a while is closed in the ordinary course of things: it has no line.
    public func dropped(_ refusal: Refusal, from peer: PeerAddress) {
        counters.count(refusal)
        if refusal != .idle { recorder.recordDropped(refusal, peer) }
    }

    /// The number of the name of a client certificate that is a caller's; -1 for none.
    public func identify(_ certificate: PeerCertificate) -> Int32 { front.identities.number(of: certificate) }

    public func answered(count: Int, elapsed: Int64) {
        let probes = min(probes, count)
        self.probes -= probes
        var left = count - probes
        let hits = min(untimedHits, left)
        untimedHits -= hits
        left -= hits
        if hits > 0 { counters.countDuration(elapsed, .hit, times: hits) }
        guard untimedOthers > 0 else { return }
        // By place: a list of all outcomes would be made anew each time.
        var place = 0
        while left > 0, place < untimed.count {
            let times = min(untimed[place], left)
            if times > 0, let outcome = Outcome(rawValue: place) {
                untimed[place] -= times
                untimedOthers -= times
                left -= times
                counters.countDuration(elapsed, outcome, times: times)
            }
            place += 1
        }
    }

    /// A request was answered at once, with this outcome: `answered` counts its duration.
    private func timeLater(_ outcome: Outcome) {
        untimed[outcome.rawValue] += 1
        untimedOthers += 1
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
            arrive(.error(error), nil, for: waiter)
        }
    }
}
