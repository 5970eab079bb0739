/// The header fields whose place in a request is remembered while its head is read.
public enum KnownField: Int, Sendable, CaseIterable {
    case host
    case contentLength
    case transferEncoding
    case connection
    case expect
    case contentType
    case contentEncoding
    case authorization
    case cacheControl
    case userAgent
    case xAmzTarget
    case xAmzDate
    case xAmzSecurityToken
    case amzSDKRequest
    case amzSDKInvocationID
    case origin
    case secFetchSite
    case forwarded
    case xForwardedFor
    case xRealIP
    case traceparent
    case tracestate

    /// True if the field may occur once at the most, because a second one makes the request ambiguous.
    public var isSingleton: Bool {
        switch self {
        case .connection, .contentEncoding, .cacheControl, .userAgent, .amzSDKRequest, .amzSDKInvocationID, .forwarded,
            .xForwardedFor, .xRealIP, .traceparent, .tracestate:
            false
        default: true
        }
    }

    /// The field whose name these bytes spell, in any case of the letters; `nil` if none has it.
    @inline(__always)
    public static func named(_ bytes: Span<UInt8>, _ range: Range<Int>) -> KnownField? {
        guard range.count >= 4, range.upperBound <= bytes.count else { return nil }
        let initial = bytes[range.lowerBound] | 0x20
        let candidate: (KnownField, StaticString)
        switch (range.count, initial) {
        case (4, _): candidate = (.host, "host")
        case (6, UInt8(ascii: "o")): candidate = (.origin, "origin")
        case (6, _): candidate = (.expect, "expect")
        case (9, UInt8(ascii: "f")): candidate = (.forwarded, "forwarded")
        case (9, _): candidate = (.xRealIP, "x-real-ip")
        case (10, UInt8(ascii: "x")): candidate = (.xAmzDate, "x-amz-date")
        case (10, UInt8(ascii: "u")): candidate = (.userAgent, "user-agent")
        case (10, UInt8(ascii: "t")): candidate = (.tracestate, "tracestate")
        case (11, _): candidate = (.traceparent, "traceparent")
        case (10, _): candidate = (.connection, "connection")
        case (12, UInt8(ascii: "x")): candidate = (.xAmzTarget, "x-amz-target")
        case (12, _): candidate = (.contentType, "content-type")
        case (13, UInt8(ascii: "a")): candidate = (.authorization, "authorization")
        case (13, _): candidate = (.cacheControl, "cache-control")
        case (14, UInt8(ascii: "s")): candidate = (.secFetchSite, "sec-fetch-site")
        case (14, _): candidate = (.contentLength, "content-length")
        case (15, UInt8(ascii: "x")): candidate = (.xForwardedFor, "x-forwarded-for")
        case (15, _): candidate = (.amzSDKRequest, "amz-sdk-request")
        case (16, _): candidate = (.contentEncoding, "content-encoding")
        case (17, _): candidate = (.transferEncoding, "transfer-encoding")
        case (20, _): candidate = (.xAmzSecurityToken, "x-amz-security-token")
        case (21, _): candidate = (.amzSDKInvocationID, "amz-sdk-invocation-id")
        default: return nil
        }
        return bytes.isText(candidate.1, at: range) ? candidate.0 : nil
    }
}
