internal import Gateway
internal import HTTPFront
internal import Primitives
internal import Telemetry
internal import Tracing

/// Records answered requests: in the access log, and as spans of their traces.
struct RequestRecorder {
    private let gate: Gate
    private let log: AccessLog?
    private let spans: SpanBuffer?
    private let counters: FrontCounters
    private let wallClock: @Sendable () -> WallInstant

    init(_ gate: Gate, _ front: Front, _ counters: FrontCounters) {
        self.gate = gate
        self.counters = counters
        log = front.log
        spans = front.tracing?.spans
        wallClock = front.wallClock
    }

    /// True if some answers are recorded.
    var records: Bool { log != nil }

    /// Returns true if an answer of this status is recorded.
    func records(status: Int) -> Bool { log?.records(isGood: status < 400) ?? false }

    /// Records an answer.
    ///
    /// - Parameters:
    ///   - id: its `x-amzn-RequestId`; empty without one.
    ///   - response: where it was just written; `nil` if the client has gone.
    func record(_ answered: AnsweredRequest, _ note: RequestNote, id: [UInt8], _ response: ResponseWriter?) {
        if let spans, let trace = note.trace, trace.isRecorded {
            spans.append(span(of: answered, note, trace, id: id, response))
            counters.exemplify(
                answered.duration, answered.outcome, trace: trace.trace.text, time: wallClock())
        }
        guard let log else { return }
        let isRefusedUnknown = answered.caller ?? .anonymous == .anonymous && Self.isRefusal(answered.outcome)
        log.record(
            record(of: answered, note, id: id, response), isGood: answered.status < 400, isSampled: isRefusedUnknown)
    }

    /// Records a connection that was closed without an answer, of each reason the first one in a second.
    func recordDropped(_ refusal: Refusal, _ peer: PeerAddress) {
        guard let log else { return }
        let names = gate.operations[gate.otherOperation]
        func record() -> AccessRecord {
            var record = AccessRecord(
                service: names.service, operation: names.operation, caller: "unknown", outcome: "dropped", status: 0,
                detail: refusal.rawValue, requestID: [], duration: 0)
            record.peer = peer.text
            return record
        }
        log.record(record(), isGood: false, isSampled: true)
    }

    private func record(
        of answered: AnsweredRequest, _ note: RequestNote, id: [UInt8], _ response: ResponseWriter?
    ) -> AccessRecord {
        let names = gate.operations[answered.operation]
        var record = AccessRecord(
            service: names.service, operation: names.operation,
            caller: answered.caller.map(gate.callerName) ?? "unknown", outcome: answered.outcome.label,
            status: answered.status, detail: answered.detail, requestID: id, duration: answered.duration)
        record.region = answered.call?.service?.settings.region ?? ""
        record.domain = answered.call?.domain ?? []
        record.age = answered.age
        record.peer = note.peer.text
        record.bytesIn = note.bytesIn
        record.invocationID = note.invocationID
        record.attempt = note.attempt
        record.accessKeyID = note.accessKeyID
        record.cause = answered.cause
        if let trace = note.trace { (record.traceID, record.spanID) = (trace.trace.text, trace.span.text) }
        if let story = answered.story {
            record.upstreamRequestID = story.upstreamRequestID ?? ""
            record.attempts = story.attempts
            record.queueWait = story.queueWait
            record.upstreamTime = story.upstreamTime
            if let cause = story.cause { record.cause = cause }
        }
        if let response {
            record.cacheStatus = response.lastValue(of: "Cache-Status")
            record.bytesOut = response.contentLength
        }
        return record
    }

    /// The span of a request, by the conventions for HTTP servers and calls to AWS
    /// (https://opentelemetry.io/docs/specs/semconv/http/http-spans/, https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/).
    private func span(
        of answered: AnsweredRequest, _ note: RequestNote, _ trace: RequestTrace, id: [UInt8],
        _ response: ResponseWriter?
    ) -> TraceSpan {
        let names = gate.operations[answered.operation]
        let end = wallClock()
        var span = trace.root("\(names.service)/\(names.operation)", start: end - answered.duration, end: end)
        span.add("http.request.method", "POST")
        span.add("http.response.status_code", Int64(answered.status))
        span.add("http.request.body.size", Int64(note.bytesIn))
        span.add("rpc.system", "aws-api")
        span.add("rpc.service", names.service)
        span.add("rpc.method", names.operation)
        span.add("aws.request_id", String(decoding: id, as: UTF8.self))
        span.add("cloud.region", answered.call?.service?.settings.region ?? "")
        span.add("client.address", note.peer.text)
        span.add("jobsproxy.outcome", answered.outcome.label)
        span.add("jobsproxy.caller", answered.caller.map(gate.callerName) ?? "unknown")
        span.add("jobsproxy.detail", answered.detail)
        if let response { span.add("http.response.body.size", Int64(response.contentLength)) }
        if let story = answered.story {
            span.add("jobsproxy.attempts", Int64(story.attempts))
            if let other = story.trace, other !== trace { span.links.append(TraceSpan.Link(other.trace, other.span)) }
        }
        if answered.status >= 500 {
            span.add("error.type", answered.detail.isEmpty ? "\(answered.status)" : answered.detail)
            span.error = answered.story?.cause ?? (answered.cause.isEmpty ? answered.detail : answered.cause)
        }
        return span
    }

    /// Returns true for refusals, which touch neither a page nor a service.
    private static func isRefusal(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .denied, .invalid, .throttled: true
        case .hit, .stale, .coalesced, .miss, .pass, .failed: false
        }
    }
}
