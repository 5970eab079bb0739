internal import AWSProtocol
internal import HTTPFront
internal import NIOCore
internal import Primitives
internal import Telemetry

/// Carries requests of one event loop to the service and its answers back.
final class SandboxResponder: Responder {
    private let service: SandboxService
    private let metrics: Metrics
    private let counters: CounterBlock
    private let latency: Int64
    private let wallClock: @Sendable () -> WallInstant
    /// Weak because the loop owns this responder, and because an answer may be due after the loop has gone.
    private weak var loop: ServerLoop<SandboxResponder>?
    private var id = RequestID()

    init(
        loop: ServerLoop<SandboxResponder>, service: SandboxService, metrics: Metrics, counters: CounterBlock,
        latency: Int64, wallClock: @escaping @Sendable () -> WallInstant
    ) {
        self.loop = loop
        self.service = service
        self.metrics = metrics
        self.counters = counters
        self.latency = latency
        self.wallClock = wallClock
    }

    func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, waiter: Waiter, now: MonotonicInstant,
        into response: inout ResponseWriter
    ) -> Disposition {
        switch Route(head.method, path: Self.text(head.path, in: bytes)) {
        case .call:
            let target = head[.xAmzTarget].map { Self.text($0, in: bytes) }
            let answer = service.answer(target: target, body: content, now: now, wallClock: wallClock())
            count(answer)
            return deliver(answer, waiter, into: &response)
        case .metrics:
            start(.ok, Metrics.contentType, &response)
            response.finish(metrics.render())
        case .health:
            start(.ok, "text/plain; charset=utf-8", &response)
            response.finish(Array("ok\n".utf8))
        case .unknown: refuse(.unknownOperation(status: 404), into: &response)
        case .wrongMethod(let allowed): refuse(.unknownOperation(status: 405), allowed: allowed, into: &response)
        }
        return .answered
    }

    /// Answers now, or lets the event loop's timer do it: no thread waits.
    private func deliver(
        _ answer: SandboxAnswer, _ waiter: Waiter, into response: inout ResponseWriter
    ) -> Disposition {
        guard latency > 0, let loop else {
            write(answer, into: &response)
            return .answered
        }
        // Not cancelled if the client goes: its waiter is void by then, and the timer bounds what is kept.
        loop.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(latency)) { [weak loop] in
            loop?.answer(waiter) { responder, response in responder.write(answer, into: &response) }
        }
        return .later
    }

    private static func text(_ range: Range<Int>, in bytes: Span<UInt8>) -> String {
        String(decoding: [UInt8](copying: bytes.extracting(range.clamped(to: bytes.indices))), as: UTF8.self)
    }

    private func count(_ answer: SandboxAnswer) {
        counters.add(at: CallCounters.place(answer.operation, answer.result))
    }

    /// - Parameter allowed: the methods that would do, for a 405 (RFC 9110, section 15.5.6).
    private func write(_ answer: SandboxAnswer, allowed: StaticString? = nil, into response: inout ResponseWriter) {
        start(Status(code: answer.status), JSONVersion.awsJson1_0.contentType, &response)
        if let errorType = answer.errorType { response.field("x-amzn-errortype", Array(errorType.utf8)) }
        if let allowed { response.field("Allow", allowed) }
        response.finish(answer.body)
    }

    private func start(_ status: Status, _ type: StaticString, _ response: inout ResponseWriter) {
        response.start(status)
        response.field("Content-Type", type)
        id.advance()
        response.line(id.lines)
    }

    private func refuse(_ error: ServiceError, allowed: StaticString? = nil, into response: inout ResponseWriter) {
        let answer = SandboxAnswer(nil, error)
        count(answer)
        write(answer, allowed: allowed, into: &response)
    }

    func refuse(_ refusal: Refusal, from peer: PeerAddress, into response: inout ResponseWriter) {
        var error = ServiceError.serialization(refusal.explanation)
        error.status = refusal.status.code
        if refusal.status == .serviceUnavailable { error.code = "ServiceUnavailable" }
        refuse(error, into: &response)
    }

    func dropped(_ refusal: Refusal, from peer: PeerAddress) {}
    func abandon(_ waiter: Waiter) {}
    func answered(count: Int, elapsed: Int64) {}
    func tick(now: MonotonicInstant) {}
}
