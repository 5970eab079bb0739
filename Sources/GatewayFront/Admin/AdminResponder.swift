public import Gateway
public import HTTPFront
internal import NIOCore
public import Primitives
internal import Telemetry

/// Answers operators: metrics, health, readiness, state, the page and its events, purges, reloads and overrides of rates.
public final class AdminResponder: Responder {
    private let gate: Gate
    private let front: Front
    private let loop: NIOLoopBound<WeakLoop<AdminResponder>>
    private let access: AdminAccess
    private let offload: SharedText.Offload
    private var unidentified: UnidentifiedRequests
    private var renderer = AnswerRenderer()

    public init(
        loop: ServerLoop<AdminResponder>, gate: Gate, front: Front, access: AdminAccess,
        offload: @escaping SharedText.Offload
    ) {
        self.loop = NIOLoopBound(WeakLoop(loop: loop), eventLoop: loop.eventLoop)
        self.gate = gate
        self.front = front
        self.access = access
        self.offload = offload
        unidentified = UnidentifiedRequests(access.hosts)
    }

    /// The responder that takes another's place after a reload, on the same loop.
    public init(replacing old: AdminResponder, gate: Gate, front: Front, access: AdminAccess) {
        (loop, offload, renderer) = (old.loop, old.offload, old.renderer)
        (self.gate, self.front, self.access) = (gate, front, access)
        unidentified = UnidentifiedRequests(access.hosts)
    }

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition {
        // A target in absolute form goes before Host (RFC 9112, section 3.2.2).
        if let authority = head.authority, !access.hosts.contains(bytes, authority) {
            response.closes = true
            renderer.refusal(.foreignTarget, &response)
            return .answered
        }
        let route = Route(head, bytes)
        if route.needsToken {
            guard access.admits(head, bytes) else {
                renderer.error(.unauthorized, field: ("WWW-Authenticate", "Bearer"), &response)
                return .answered
            }
            do throws(GatewayError) {
                if !access.asksForToken {
                    guard !head.isForwarded else { throw .forwarded }
                    try unidentified.check(head, bytes)
                }
            } catch {
                renderer.error(error, &response)
                return .answered
            }
        }
        switch route {
        case .metrics:
            guard let loop = loop.value.loop else { return .later }
            let form = MetricTexts.Form(head, bytes)
            front.metricTexts[form].answer(waiter, on: loop, now: now) { $0.renderer.metrics($1, form, &$2) }
            return .later
        case .health: renderer.text(Array("ok\n".utf8), "text/plain", &response)
        case .readiness: renderer.readiness(front.reasonsAgainstReadiness, &response)
        case .state: return answer(waiter, with: access.state, "application/json", now: now)
        case .purge:
            do throws(AdminQuery.Fault) {
                purge(try AdminQuery.purge(head, bytes), waiter, now: now)
                return .later
            } catch {
                renderer.error(.badPurge(error.message), &response)
            }
        case .page: access.page.write(&response)
        case .events: return watch(waiter, &response)
        case .reload:
            access.orders.reload(completion(waiter))
            return .later
        case .override:
            do throws(AdminQuery.Fault) {
                access.orders.override(try AdminQuery.pairs(head, bytes), completion(waiter))
                return .later
            } catch {
                renderer.order(AdminOrders.Answer(isDone: false, text: "\(error.message)\n"), &response)
            }
        case .methodNotAllowed(let allowed): renderer.error(.methodNotAllowed, field: ("Allow", allowed), &response)
        case .call, .cborCall, .notFound: renderer.error(.notFound, &response)
        }
        return .answered
    }

    /// Answers an order when it is carried out.
    private func completion(_ waiter: Waiter) -> AdminOrders.Completion {
        let loop = loop
        return { answer in
            loop.eventLoop.execute {
                loop.value.loop?.answer(waiter) { $0.renderer.order(answer, &$1) }
            }
        }
    }

    private func answer(_ waiter: Waiter, with text: SharedText, _ type: StaticString, now: MonotonicInstant)
        -> Disposition
    {
        guard let loop = loop.value.loop else { return .later }
        text.answer(waiter, on: loop, now: now) { $0.renderer.text($1, type, &$2) }
        return .later
    }

    /// Answers with events for as long as the client reads them.
    private func watch(_ waiter: Waiter, _ response: inout ResponseWriter) -> Disposition {
        guard let loop = loop.value.loop else { return .later }
        guard let events = access.hub.join(on: loop.eventLoop) else {
            renderer.error(.tooManyWatchers, &response)
            return .answered
        }
        loop.answer(waiter) { _, response in
            response.start(.ok)
            response.field("Content-Type", "text/event-stream")
            response.field("Cache-Control", "no-store")
            response.stream(events)
        }
        return .later
    }

    /// Purges off the event loop, because every page is examined, and answers with the number of purged pages.
    private func purge(_ request: PurgeRequest, _ waiter: Waiter, now: MonotonicInstant) {
        let gate = gate
        let loop = loop
        offload {
            gate.purge(request, now: now) { count, gateways in
                let others = gateways.map { ",\"gateways\":{\"answered\":\($0.answered),\"all\":\($0.all)}" } ?? ""
                loop.eventLoop.execute {
                    loop.value.loop?.answer(waiter) { responder, response in
                        let text = "{\"purged\":\(count)\(others)}\n"
                        responder.renderer.text(Array(text.utf8), "application/json", &response)
                    }
                }
            }
        }
    }

    public func refuse(_ refusal: Refusal, from peer: PeerAddress, into response: inout ResponseWriter) {
        renderer.refusal(refusal, &response)
    }

    /// Rejections are counted on the callers' listener only.
    public func dropped(_ refusal: Refusal, from peer: PeerAddress) {}

    public func abandon(_ waiter: Waiter) {}

    public func answered(count: Int, elapsed: Int64) {}

    public func tick(now: MonotonicInstant) {}
}
