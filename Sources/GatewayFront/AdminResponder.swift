internal import Gateway
public import HTTPFront
internal import Telemetry

/// Answers the operator: metrics and health. It makes no calls.
public final class AdminResponder: Responder {
    private let front: Front
    private var renderer = AnswerRenderer()

    public init(front: Front) { self.front = front }

    public func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, ticket: Ticket, now: Int64,
        into response: inout ResponseWriter
    ) -> Disposition {
        switch Route(head, bytes) {
        case .metrics: renderer.text(front.metrics.registry.render(), Metrics.contentType, &response)
        case .health: renderer.text(Array("ok\n".utf8), "text/plain", &response)
        case .readiness: renderer.readiness(front.isReady, &response)
        case .methodNotAllowed(let allowed): renderer.methodNotAllowed(allowed, &response, now: now)
        case .call, .notFound: renderer.error(.notFound, &response, now: now)
        }
        return .answered
    }

    public func refuse(_ refusal: Refusal, into response: inout ResponseWriter) {
        renderer.refusal(refusal, &response)
    }

    public func abandon(_ ticket: Ticket) {}

    public func answered(count: Int, elapsed: Int64) {}

    public func tick(now: Int64) {}
}
