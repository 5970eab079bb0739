// The kinds of the error codes that services have in common, as the SDKs classify them.
extension ErrorCode {
    /// Too many requests: the SDKs' common list (AWS SDKs and Tools Reference Guide, "Retry behavior"; `standard.py` of botocore,
    /// `AwsErrorCode` of the SDK for Java).
    public static let throttling: Set<String> = [
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "TransactionInProgressException",
    ]

    /// Codes of `throttling` that also stand for a limit on the number of resources. After a write they may say nothing about the
    /// rate.
    public static let ambiguousThrottling: Set<String> = ["LimitExceededException"]

    /// The service failed; a retry may succeed.
    public static let transient: Set<String> = [
        "InternalFailure", "InternalServerException", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable",
    ]

    /// The time of a signature may be wrong. `InvalidSignatureException`, `SignatureDoesNotMatch`, `AuthFailure` and the denials of
    /// access have other causes too, so the reply's date decides (`CLOCK_SKEW_ERROR_CODES` of the SDK for JavaScript).
    public static let clockSkew: Set<String> = [
        "AccessDenied", "AccessDeniedException", "AuthFailure", "InvalidSignatureException", "RequestExpired",
        "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
    ]

    /// The credentials have expired or are unknown; newer ones may be accepted.
    public static let expiredCredentials: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
    ]

    /// The signer is not permitted to do this.
    public static let accessDenial: Set<String> = ["AccessDenied", "AccessDeniedException"]

    /// The signature or its credentials were refused, for any request or for this one. Such an error is never cached.
    public static let identity: Set<String> = accessDenial.union([
        "AuthFailure", "ExpiredToken", "ExpiredTokenException",
        "IncompleteSignature", "IncompleteSignatureException", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired",
        "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
        "UnauthorizedException", "UnrecognizedClientException",
    ])

    /// The request is at fault, even if the status is a 5xx: the errors that services have in common
    /// (https://docs.aws.amazon.com/voiceid/latest/APIReference/CommonErrors.html, and others in use), and those of most list
    /// operations.
    public static let client: Set<String> = identity.union([
        "ConflictException", "InvalidAction", "MalformedQueryString", "MissingAction", "MissingParameter",
        "ResourceNotFoundException", "SerializationException", "ServiceQuotaExceededException",
        "UnknownOperationException", "ValidationError", "ValidationException",
    ])
}
