/// A request's place in a trace, as `traceparent` and `tracestate` carry it from one process to the next.
///
/// W3C Trace Context, level 2 (https://www.w3.org/TR/trace-context/), of which level 1 is a part.
public struct TraceContext: Sendable, Equatable {
    public let trace: TraceID
    /// The span that the request was sent in.
    public let span: SpanID
    /// `trace-flags`. Of a later version only those that are known are kept.
    public let flags: UInt8
    /// The value of `tracestate` as it came; empty without one.
    public let state: [UInt8]

    public init(trace: TraceID, span: SpanID, flags: UInt8, state: [UInt8] = []) {
        (self.trace, self.span, self.flags, self.state) = (trace, span, flags, state)
    }

    /// True if the caller may have recorded the trace (section 3.2.2.5.1).
    public var isSampled: Bool { flags & Self.sampled != 0 }

    public static let sampled: UInt8 = 1
    /// The trace id is random (level 2, section 3.2.2.5.2).
    public static let random: UInt8 = 2

    /// Reads the value of `traceparent`.
    ///
    /// - Returns: `nil` for a value that is to be ignored: its ids are 0 or no digits in lower case, its version is `ff`, or its form is
    ///   not that of its version (sections 3.2.2 and 4.3).
    public init?(parent bytes: Span<UInt8>, state: [UInt8] = []) {
        // 00-TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT-SSSSSSSSSSSSSSSS-FF
        guard bytes.count >= Self.length, bytes[2] == Self.hyphen, bytes[35] == Self.hyphen, bytes[52] == Self.hyphen,
            let version = Hex.value(bytes, 0..<2), version != 0xff,
            // A later version may have more behind another hyphen.
            bytes.count == Self.length || version > 0 && bytes[Self.length] == Self.hyphen,
            let high = Hex.value(bytes, 3..<19), let low = Hex.value(bytes, 19..<35),
            let trace = TraceID(high: high, low: low),
            let span = Hex.value(bytes, 36..<52).flatMap({ SpanID($0) }), let flags = Hex.value(bytes, 53..<55)
        else { return nil }
        self.init(
            trace: trace, span: span, flags: UInt8(truncatingIfNeeded: flags) & (Self.sampled | Self.random),
            state: Self.isState(state) ? state : [])
    }

    /// Returns true if a `traceparent` may have the flag `sampled`, without a look at the rest of it.
    public static func maySample(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= length, range.upperBound <= bytes.count else { return false }
        // The lowest bit of a digit's code is that of the digit from 0 to 9, and the opposite from a to f.
        let digit = bytes[range.lowerBound + length - 1]
        return digit > 0x39 ? digit & 1 == 0 : digit & 1 == 1
    }

    /// The value of `traceparent` in version 00, for a request that is sent in a span of this trace.
    public static func parent(_ trace: TraceID, _ span: SpanID, flags: UInt8) -> [UInt8] {
        var text = Array("00-".utf8) + trace.bytes
        text.append(hyphen)
        text += span.bytes
        text.append(hyphen)
        text += Hex.digits(of: UInt64(flags)).suffix(2)
        return text
    }

    private static let length = 55
    private static let hyphen = UInt8(ascii: "-")

    // MARK: tracestate

    /// The longest list that is passed on. The specification asks for 512 at least (section 3.3.1.5).
    private static let maxStateBytes = 1024

    /// Returns true for a list of at most 32 members `key=value`, of bytes that may stand in a header field (section 3.3.1). It is passed on as
    /// a whole, so what its members mean is left to their owners.
    static func isState(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= maxStateBytes, bytes.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x09 }) else {
            return false
        }
        let members = bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true)
            .map { $0.filter { $0 != 0x09 && $0 != 0x20 } }.filter { !$0.isEmpty }
        return members.count <= 32
            && members.allSatisfy { $0.firstIndex(of: UInt8(ascii: "=")).map { $0 > 0 } ?? false }
    }
}
