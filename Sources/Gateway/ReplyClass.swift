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
    /// By the error code first, wherever it stands, if it is one that is known; then by the status.
    public var classification: ReplyClass {
        if let errorCode {
            if Self.throttlingCodes.contains(errorCode) { return .throttled }
            if Self.retryableCodes.contains(errorCode) { return .failed }
            if Self.clientCodes.contains(errorCode) { return .refused }
        }
        switch status {
        case 429: return .throttled
        case 500, 502, 503, 504: return .failed
        case 200..<300 where errorCode == nil: return .good
        default: return .refused
        }
    }

    private static let retryableCodes: Set<String> = [
        "InternalServerException", "InternalFailure", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
    ]

    private static let throttlingCodes: Set<String> = [
        "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
        "ProvisionedThroughputExceededException", "SlowDown",
    ]

    /// What is the request's fault even under a status that says that the service failed: the errors that services have in
    /// common (https://docs.aws.amazon.com/voiceid/latest/APIReference/CommonErrors.html, and what is in use beside them), and
    /// those that most list operations have.
    private static let clientCodes: Set<String> = [
        "AccessDenied", "AccessDeniedException", "ConflictException", "ExpiredToken", "ExpiredTokenException",
        "IncompleteSignature", "IncompleteSignatureException", "InvalidAction", "InvalidClientTokenId",
        "InvalidSignatureException", "MalformedQueryString", "MissingAction", "MissingAuthenticationToken",
        "MissingAuthenticationTokenException", "MissingParameter", "NotAuthorized", "OptInRequired", "RequestExpired",
        "ResourceNotFoundException", "SerializationException", "ServiceQuotaExceededException", "SignatureDoesNotMatch",
        "UnauthorizedException", "UnknownOperationException", "UnrecognizedClientException", "ValidationError",
        "ValidationException",
    ]
}
