internal import AWSProtocol
internal import Gateway

// Errors of requests that never become calls.

extension GatewayError {
    /// A path that does not exist.
    static let notFound = front(
        404, "NotFoundException",
        "There is nothing here: calls are POST /, and GET has /metrics, /healthz and /readyz.",
        detail: "not-found")

    /// A call in rpc-v2-cbor.
    static let otherProtocol = front(
        415, "UnsupportedMediaTypeException",
        "This gateway speaks awsJson (POST / with X-Amz-Target) and not rpc-v2-cbor: have the SDK use the service's JSON protocol.",
        detail: "other-protocol")

    /// A path that exists, with another method.
    static let methodNotAllowed = front(
        405, "MethodNotAllowedException", "This path does not have this method; see the Allow header.",
        detail: "method-not-allowed")

    /// A request without the operator's token.
    static let unauthorized = front(
        401, "UnauthorizedException", "This listener asks for its token, as 'Authorization: Bearer TOKEN'.", .denied,
        detail: "unauthorized")

    /// One more client that wants to watch; see `WatchHub`.
    static let tooManyWatchers = front(
        503, "ServiceUnavailable", "\(WatchHub.maxWatchers) clients watch already, which are all that may.",
        detail: "watchers"
    )

    /// A purge with a query that cannot be read.
    static func badPurge(_ message: String) -> GatewayError {
        front(400, "BadRequestException", message, detail: "purge")
    }

    /// An error with a code that all AWS services share.
    static func front(
        _ status: Int, _ code: String, _ message: String, _ outcome: Outcome = .invalid, detail: String
    ) -> GatewayError {
        GatewayError(
            ServiceError(status: status, namespace: ServiceError.commonNamespace, code: code, message: message),
            outcome: outcome, detail: detail)
    }
}
