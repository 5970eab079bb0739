// What the error codes that services have in common mean, as the SDKs sort them.
extension ErrorCode {
    /// There were too many requests: the SDKs' common list (AWS SDKs and Tools Reference Guide, "Retry behavior"; `standard.py` of
    /// botocore, `AwsErrorCode` of the SDK for Java).
    public static let throttling: Set<String> = [
        "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
        "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
        "TooManyRequestsException", "TransactionInProgressException",
    ]

    /// What services call a throttle and also the end of an allowance: of a write it may mean that there are as many resources as
    /// there may be, which says nothing of the rate.
    public static let ambiguousThrottling: Set<String> = ["LimitExceededException"]

    /// The service failed; the same request may succeed next time.
    public static let transient: Set<String> = [
        "InternalFailure", "InternalServerException", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable",
    ]

    /// The time of a signature is off. `InvalidSignatureException`, `SignatureDoesNotMatch`, `AuthFailure` and the denials of access
    /// have other causes too, so that the reply's date decides (`CLOCK_SKEW_ERROR_CODES` of the SDK for JavaScript).
    public static let clockSkew: Set<String> = [
        "AccessDenied", "AccessDeniedException", "AuthFailure", "InvalidSignatureException", "RequestExpired",
        "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
    ]

    /// The credentials are over or unknown; newer ones may be accepted.
    public static let expiredCredentials: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
    ]

    /// Whoever signed may not ask for this.
    public static let accessDenial: Set<String> = ["AccessDenied", "AccessDeniedException"]

    /// What a request was signed with was not accepted, or not for this. Such an error is never remembered.
    public static let identity: Set<String> = accessDenial.union([
        "AuthFailure", "ExpiredToken", "ExpiredTokenException",
        "IncompleteSignature", "IncompleteSignatureException", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorized", "OptInRequired",
        "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
        "UnauthorizedException", "UnrecognizedClientException",
    ])

    /// The request's fault even under a status that says that the service failed: the errors that services have in common
    /// (https://docs.aws.amazon.com/voiceid/latest/APIReference/CommonErrors.html, and others in use), and those that most list
    /// operations have.
    public static let client: Set<String> = identity.union([
        "ConflictException", "InvalidAction", "MalformedQueryString", "MissingAction", "MissingParameter",
        "ResourceNotFoundException", "SerializationException", "ServiceQuotaExceededException",
        "UnknownOperationException", "ValidationError", "ValidationException",
    ])
}
