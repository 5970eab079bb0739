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

    // MARK: Requests

    func respond(
        to head: borrowing RequestHead, bytes: Span<UInt8>, content: Span<UInt8>, ticket: Ticket, now: Int64,
        into response: inout ResponseWriter
    ) -> Disposition {
        switch Route(head.method, path: Self.text(head.path, in: bytes)) {
        case .call:
            let target = head[.xAmzTarget].map { Self.text($0, in: bytes) }
            let answer = service.answer(target: target, body: content, now: now, wallClock: wallClock())
            count(answer)
            return deliver(answer, ticket, into: &response)
        case .metrics:
            write(.ok, Metrics.contentType, metrics.render(), into: &response)
        case .health:
            write(.ok, "text/plain; charset=utf-8", Array("ok\n".utf8), into: &response)
        case .unknown:
            let answer = SandboxAnswer(nil, .unknownOperation(status: 404))
            count(answer)
            write(answer, into: &response)
        case .wrongMethod(let allowed):
            let answer = SandboxAnswer(nil, .unknownOperation(status: 405))
            count(answer)
            write(answer, allowed: allowed, into: &response)
        }
        return .answered
    }

    /// Answers now, or lets the event loop's timer do it: no thread waits.
    private func deliver(
        _ answer: SandboxAnswer, _ ticket: Ticket, into response: inout ResponseWriter
    ) -> Disposition {
        guard latency > 0, let loop else {
            write(answer, into: &response)
            return .answered
        }
        // Not cancelled if the client goes: its ticket is void by then, and the timer bounds what is kept.
        loop.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(latency)) { [weak loop] in
            loop?.answer(ticket) { responder, response in responder.write(answer, into: &response) }
        }
        return .later
    }

    private static func text(_ range: Range<Int>, in bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        for index in range where index < bytes.count { text.append(bytes[index]) }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Answers

    private func count(_ answer: SandboxAnswer) {
        counters.add(at: CallCounters.place(answer.operation, answer.result))
    }

    /// - Parameter allowed: the methods that would do, for a 405 (RFC 9110, section 15.5.6).
    private func write(_ answer: SandboxAnswer, allowed: StaticString? = nil, into response: inout ResponseWriter) {
        response.start(Status(code: answer.status))
        response.field("Content-Type", JSONVersion.awsJson1_0.contentType)
        id.advance()
        response.line(id.lines)
        if let errorType = answer.errorType { response.field("x-amzn-errortype", Array(errorType.utf8)) }
        if let allowed { response.field("Allow", allowed) }
        response.finish(answer.body)
    }

    private func write(
        _ status: Status, _ type: StaticString, _ content: [UInt8], into response: inout ResponseWriter
    ) {
        response.start(status)
        response.field("Content-Type", type)
        id.advance()
        response.line(id.lines)
        response.finish(content)
    }

    func refuse(_ refusal: Refusal, into response: inout ResponseWriter) {
        var error = ServiceError.serialization(refusal.explanation)
        error.status = refusal.status.code
        if refusal.status == .serviceUnavailable { error.code = "ServiceUnavailable" }
        let answer = SandboxAnswer(nil, error)
        count(answer)
        write(answer, into: &response)
    }

    func dropped(_ refusal: Refusal) {}
    func abandon(_ ticket: Ticket) {}
    func answered(count: Int, elapsed: Int64) {}
    func tick(now: Int64) {}
}
