internal import Glibc

/// The trace that one request of a client belongs to.
public final class RequestTrace: Sendable {
    public let trace: TraceID
    /// The client's span; `nil` if the trace begins here.
    public let parent: SpanID?
    /// The request's own span.
    public let span: SpanID
    /// Of what is sent on.
    public let flags: UInt8
    public let state: [UInt8]
    /// True if its spans are recorded.
    public let isRecorded: Bool

    /// Goes on with a client's trace.
    ///
    /// - Parameter records: true if the spans of a sampled trace are recorded here.
    public init(
        _ context: TraceContext, records: Bool,
        using random: inout some RandomNumberGenerator
    ) {
        trace = context.trace
        parent = context.span
        span = SpanID(using: &random)
        flags = context.flags
        state = context.state
        isRecorded = records && context.isSampled
    }

    /// Begins a trace.
    ///
    /// - Parameter isSampled: true if its spans are recorded, here and where the request is sent on to.
    public init(isSampled: Bool, using random: inout some RandomNumberGenerator) {
        trace = TraceID(using: &random)
        parent = nil
        span = SpanID(using: &random)
        flags = TraceContext.random | (isSampled ? TraceContext.sampled : 0)
        state = []
        isRecorded = isSampled
    }

    /// The value of `traceparent` for a request that is sent in one of its spans.
    public func parentField(_ span: SpanID) -> [UInt8] { TraceContext.parent(trace, span, flags: flags) }
}

/// Chooses the requests whose traces begin here and are recorded: each with the same probability, for the cost of a subtraction.
public struct TraceSampler: Sendable {
    private let logarithm: Double
    /// The requests before the next one that is chosen.
    private var left: Int

    /// - Parameter share: from 0, none, to 1, all.
    public init(share: Double, using random: inout some RandomNumberGenerator) {
        logarithm = share >= 1 ? -.infinity : Self.log(1 - max(0, share))
        left = 0
        left = gap(using: &random)
    }

    /// Returns true if this request is chosen.
    public mutating func next(using random: inout some RandomNumberGenerator) -> Bool {
        guard left == 0 else {
            left -= 1
            return false
        }
        left = gap(using: &random)
        return true
    }

    /// The number of requests that are not chosen before one that is: the geometric distribution, by inversion.
    private func gap(using random: inout some RandomNumberGenerator) -> Int {
        guard logarithm < 0 else { return .max }
        let uniform = Double.random(in: .leastNonzeroMagnitude..<1, using: &random)
        return Int(exactly: (Self.log(uniform) / logarithm).rounded(.down)) ?? .max
    }

    private static func log(_ value: Double) -> Double { Glibc.log(value) }
}
