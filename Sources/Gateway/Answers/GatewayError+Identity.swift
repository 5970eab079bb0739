public import AWSProtocol

// The errors for a signature that is not accepted. The codes and words are those that AWS uses
// (https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html), because SDKs and people know them.
extension GatewayError {
    /// The request is not signed, and unsigned requests are not served.
    public static let unsigned = identity(
        "MissingAuthenticationTokenException",
        "Missing Authentication Token: sign the request with a key of this gateway.", detail: "unsigned")

    /// The access key is not known here.
    public static let unknownKey = identity(
        "UnrecognizedClientException", "The security token included in the request is invalid.", detail: "unknown-key")

    /// A signature is not accepted.
    public static func signature(_ fault: SignatureFault) -> GatewayError {
        switch fault {
        case .unknownKey:
            return unknownKey
        case .malformed(let what):
            return identity(
                "IncompleteSignatureException", "The request's signature cannot be used: \(what).",
                detail: "malformed-signature")
        case .unsigned(let field):
            return identity(
                "InvalidSignatureException", "The header '\(field)' must be present and signed.",
                detail: "unsigned-field")
        case .foreignScope(let what):
            return identity("InvalidSignatureException", "\(what).", detail: "foreign-scope")
        case .mismatch:
            return identity(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details.",
                detail: "wrong-signature")
        case .expired(let signedAt, let now):
            let (signed, now, limit) = (text(signedAt), text(now), text(now - SignatureVerifier.tolerance))
            // `RequestExpired` would be as true, but not all SDKs correct their clock for it.
            return identity(
                "InvalidSignatureException",
                "Signature expired: \(signed) is now earlier than \(limit) (\(now) - 5 min.)", detail: "expired")
        case .notYetCurrent(let signedAt, let now):
            let (signed, now, limit) = (text(signedAt), text(now), text(now + SignatureVerifier.tolerance))
            return identity(
                "InvalidSignatureException",
                "Signature not yet current: \(signed) is still later than \(limit) (\(now) + 5 min.)",
                detail: "not-yet-current")
        }
    }

    /// The request is signed for another service than its target's.
    public static let foreignScope = signature(
        .foreignScope("Credential should be scoped to the Region and service of this operation"))

    /// The request is signed for a Region that no service of its target is in. The words are AWS's, and name those that are.
    static func foreignRegion(configured regions: [String]) -> GatewayError {
        identity(
            "InvalidSignatureException",
            "Credential should be scoped to a valid Region: \(regions.joined(separator: ", ")).",
            detail: "foreign-region")
    }

    private static func identity(_ code: String, _ message: String, detail: String) -> GatewayError {
        GatewayError(
            ServiceError(status: 403, namespace: ServiceError.commonNamespace, code: code, message: message),
            outcome: .denied, detail: detail)
    }

    private static func text(_ seconds: Int64) -> String { String(decoding: AWSTime.basic(seconds), as: UTF8.self) }
}
