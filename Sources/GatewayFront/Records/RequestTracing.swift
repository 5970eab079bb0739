internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import Primitives
public import Tracing

/// How requests are traced.
public struct TracingSettings: Sendable {
    /// The part of the requests without a trace of their own whose traces are recorded, from 0 to 1.
    public let sample: Double
    /// Where spans go.
    public let spans: SpanBuffer

    public init(sample: Double, spans: SpanBuffer) {
        self.sample = sample
        self.spans = spans
    }
}

/// Finds the trace of each request of one event loop. A request that is not recorded and not sent on costs a comparison and a subtraction.
struct RequestTracing {
    private let settings: TracingSettings?
    private var sampler: TraceSampler
    private var random = SystemRandomNumberGenerator()

    /// - Parameter settings: `nil` if no trace is recorded, or begun here. Clients' traces go on all the same.
    init(_ settings: TracingSettings?) {
        self.settings = settings
        sampler = TraceSampler(share: settings?.sample ?? 0, using: &random)
    }

    /// True if traces are recorded.
    var records: Bool { settings != nil }

    /// The trace of a request if it is recorded: the client has said so, or has begun none and the request is chosen.
    mutating func recorded(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> RequestTrace? {
        if let field = Self.parent(head) {
            guard TraceContext.maySample(bytes, field) else {
                // A broken one is none; whether it is broken is looked at only for those that would be chosen.
                guard sampler.next(using: &random), taken(head, bytes) == nil else { return nil }
                return RequestTrace(isSampled: true, using: &random)
            }
            if let trace = taken(head, bytes) { return trace.isRecorded ? trace : nil }
        }
        return sampler.next(using: &random) ? RequestTrace(isSampled: true, using: &random) : nil
    }

    /// The trace of a request that is sent on and not recorded: the client's, or a new one if traces are recorded at all.
    mutating func passedOn(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> RequestTrace? {
        if let trace = taken(head, bytes) { return trace }
        return settings == nil ? nil : RequestTrace(isSampled: false, using: &random)
    }

    /// The client's trace; `nil` if it has none, or a broken one.
    mutating func taken(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> RequestTrace? {
        guard let field = Self.parent(head),
            let context = TraceContext(parent: bytes.extracting(field), state: Self.state(head, bytes))
        else { return nil }
        return RequestTrace(context, records: records, using: &random)
    }

    /// `nil` without `traceparent`, and with several: which of them is the client's is not known, and `tracestate` belongs to one (W3C Trace
    /// Context, section 3.2).
    private static func parent(_ head: borrowing RequestHead) -> Range<Int>? {
        head.repeats(.traceparent) ? nil : head[.traceparent]
    }

    /// All `tracestate` fields as one list (W3C Trace Context, section 3.3.1.1).
    private static func state(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> [UInt8] {
        guard head[.tracestate] != nil else { return [] }
        var state: [UInt8] = []
        for field in head.fields where bytes.isText("tracestate", at: field.name) {
            if !state.isEmpty { state.append(UInt8(ascii: ",")) }
            state += Array(copying: bytes.extracting(field.value))
        }
        return state
    }
}
