internal import AWSProtocol

/// The errors that the sandbox answers. Where a status is not the service's own choice it is that of
/// https://docs.aws.amazon.com/connect/latest/APIReference/CommonErrors.html, as awsJson 1.0 services send it.
extension ServiceError {
    private static let voiceID = "com.amazonaws.voiceid"

    static let throttled = modelled("ThrottlingException", "Rate exceeded")

    static func validation(_ message: String) -> ServiceError { modelled("ValidationException", message) }

    static func serialization(_ message: String) -> ServiceError {
        ServiceError(status: 400, namespace: commonNamespace, code: "SerializationException", message: message)
    }

    static let domainNotFound = notFound("DOMAIN", "The domain does not exist.")
    static let jobNotFound = notFound("BATCH_JOB", "The job does not exist in this domain.")

    static let tokenReused = conflict("The ClientToken was used with other arguments; use a new one.")

    /// - Parameter key: of the job that has not ended.
    static func jobIsActive(_ key: UInt64) -> ServiceError {
        conflict("The domain has an active job, \(Identifier(key: key).text); wait for its end.")
    }

    static func quotaExceeded(_ message: String) -> ServiceError { modelled("ServiceQuotaExceededException", message) }

    private static func conflict(_ message: String) -> ServiceError {
        modelled("ConflictException", message, Member("ConflictType", "CONCURRENT_CHANGES"))
    }

    private static func notFound(_ type: String, _ message: String) -> ServiceError {
        modelled("ResourceNotFoundException", message, Member("ResourceType", type))
    }

    private static func modelled(_ code: String, _ message: String, _ members: Member...) -> ServiceError {
        ServiceError(status: 400, namespace: voiceID, code: code, message: message, members: members)
    }

    /// - Parameter status: 400 for a call, 404 and 405 for what is no call at all.
    static func unknownOperation(status: Int = 400) -> ServiceError {
        let known = Operation.allCases.map(\.rawValue).joined(separator: ", ")
        return ServiceError(
            status: status, namespace: commonNamespace, code: "UnknownOperationException",
            message: "The sandbox answers POST / with an X-Amz-Target of VoiceID and one of: \(known).")
    }

    static func invalidToken(_ fault: PageToken.Fault) -> ServiceError {
        let reason =
            switch fault {
            case .unknown: "it was not issued here, or it was changed."
            case .otherOperation: "it was issued by another operation."
            case .otherArguments: "it was issued for other arguments; keep all but MaxResults unchanged."
            case .expired: "it has expired; it was good for 24 hours."
            }
        return validation("Invalid NextToken: \(reason)")
    }

    static func injected(_ code: String) -> ServiceError {
        ServiceError(
            status: codes.first { $0.value.contains(code) }?.key ?? 500,
            namespace: modelled.contains(code) ? voiceID : commonNamespace, code: code,
            message: code == throttled.code ? throttled.message : "The sandbox was asked to fail this call.")
    }

    private static let modelled: Set<String> = [
        "AccessDeniedException", "ConflictException", "InternalServerException", "ResourceNotFoundException",
        "ServiceQuotaExceededException", "ThrottlingException", "ValidationException",
    ]

    /// The codes by their status; that of any other is 500.
    private static let codes: [Int: Set<String>] = [
        400: [
            "AccessDeniedException", "ConflictException", "RequestExpired", "ResourceNotFoundException",
            "SerializationException", "ServiceQuotaExceededException", "ThrottlingException",
            "UnknownOperationException", "ValidationException",
        ],
        403: [
            "ExpiredTokenException", "IncompleteSignatureException", "InvalidSignatureException",
            "MissingAuthenticationTokenException", "UnrecognizedClientException",
        ],
        408: ["RequestTimeout", "RequestTimeoutException"],
        503: ["ServiceUnavailable", "ServiceUnavailableException"],
    ]
}
