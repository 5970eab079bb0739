internal import Gateway
internal import OriginClient
internal import Primitives
package import Tracing

// The spans of attempts. Only traces that are recorded have any.

extension FetchMachine {
    /// Adds the fields by which the service goes on with the request's trace, in a span of the attempt's own. They are not signed, as the
    /// SDKs do not sign `X-Amzn-Trace-Id`: what is between may change them.
    mutating func addTrace(to lines: inout HeaderLines, of call: FetchCall) {
        guard let trace = call.fetch.trace else { return }
        let span = SpanID(using: &random)
        call.attemptSpan = span
        let (parent, state) = (trace.parentField(span), trace.state)
        lines.add("traceparent", parent.span)
        if !state.isEmpty { lines.add("tracestate", state.span) }
    }

    /// Records the attempt that has just ended, and how long it waited for its tokens.
    mutating func recordSpans(_ attempt: borrowing SentAttempt, _ call: FetchCall, _ result: AttemptResult) {
        guard let trace = call.fetch.trace, trace.isRecorded else { return }
        let service = gate.services[call.fetch.service]
        if let askedAt = attempt.askedAt {
            var queue = trace.child(
                "queue", id: SpanID(using: &random), start: wall(askedAt), end: wall(askedAt + attempt.wait))
            queue.add("jobsproxy.quota_group", service.catalog.quotaGroups[call.fetch.quotaGroup].name)
            actions.append(.span(queue))
        }
        var span = trace.child(
            "attempt", .client, id: call.attemptSpan ?? SpanID(using: &random), start: wall(attempt.sentAt),
            end: wallClock)
        span.add("http.request.method", "POST")
        if attempt.number > 1 { span.add("http.request.resend_count", Int64(attempt.number - 1)) }
        span.add("rpc.system", "aws-api")
        span.add("rpc.service", service.settings.name)
        span.add("cloud.region", service.settings.region)
        switch result.outcome {
        case .success(let reply):
            span.add("http.response.status_code", Int64(reply.status))
            span.add("aws.request_id", reply.requestID ?? "")
            if result.kind != .ok { span.error = reply.errorCode ?? result.kind.rawValue }
        case .failure(let error): span.error = error.operatorText
        }
        if result.kind != .ok { span.add("error.type", result.kind.rawValue) }
        actions.append(.span(span))
    }

    /// The trace of the call whose attempt is on its way, if it is recorded.
    package func recordedTrace(of id: UInt64) -> RequestTrace? {
        guard let trace = calls[id]?.fetch.trace, trace.isRecorded else { return nil }
        return trace
    }

    private func wall(_ instant: MonotonicInstant) -> WallInstant { wallClock - (now - instant) }
}
