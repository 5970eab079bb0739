/// What a reply of the upstream comes to, as far as policy is concerned.
public enum ReplyClass: Sendable {
    case good
    /// The service said that there were too many requests.
    case throttled
    /// The service failed; the same request may succeed next time.
    case failed
    /// The request is at fault; it would fail again.
    case refused
}

extension UpstreamReply {
    /// By the error code first, wherever it stands, then by the status.
    public var classification: ReplyClass {
        if let errorCode {
            if Self.throttlingCodes.contains(errorCode) { return .throttled }
            if Self.retryableCodes.contains(errorCode) { return .failed }
        }
        switch status {
        case 429: return .throttled
        case 500, 502, 503, 504: return .failed
        case 200..<300 where errorCode == nil: return .good
        default: return .refused
        }
    }

    private static let retryableCodes: Set<String> = [
        "InternalServerException", "InternalFailure", "InternalServerError", "ServiceUnavailable",
        "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException",
    ]

    private static let throttlingCodes: Set<String> = [
        "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
        "ProvisionedThroughputExceededException", "SlowDown",
    ]
}
