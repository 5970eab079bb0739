public import AWSProtocol

/// An answer that the gateway words itself: where it came from, when trying again may help, and what the client is told.
public struct GatewayError: Error, Sendable, Equatable {
    private enum Wording: Sendable, Equatable {
        case plain(ServiceError)
        case throttle(ThrottleNotice)
    }

    private let wording: Wording
    /// How it is counted.
    public var outcome: Outcome
    /// Which limit refused, if one did.
    public var scope: ThrottleScope?
    /// How long the client should wait, in nanoseconds, if that is known.
    public var retryAfter: Int64?
    /// A word on the cause for `Cache-Status` and the log.
    public var detail: String

    public init(_ error: ServiceError, outcome: Outcome, detail: String) {
        wording = .plain(error)
        self.outcome = outcome
        self.detail = detail
    }

    /// A limit of the gateway is used up.
    ///
    /// - Parameter wait: when to come back, in nanoseconds.
    init(_ notice: ThrottleNotice, wait: Int64) {
        wording = .throttle(notice)
        outcome = .throttled
        detail = notice.detail
        scope = notice.scope
        retryAfter = max(0, wait)
    }

    /// The error as the client gets it.
    public var error: ServiceError {
        switch wording {
        case .plain(let error): error
        case .throttle(let notice): notice.error(retryAfter: retryAfter ?? 0)
        }
    }

    /// The HTTP status code of that.
    public var status: Int {
        if case .plain(let error) = wording { error.status } else { ThrottleNotice.status }
    }

    /// The pre-rendered answer of a limit; nil for other errors.
    public var notice: ThrottleNotice? {
        if case .throttle(let notice) = wording { notice } else { nil }
    }
}

extension GatewayError {
    /// The detail of a fault that an open breaker is the cause of.
    public static let breakerDetail = "breaker"

    /// An identified caller lacks a permission.
    ///
    /// - Parameter domain: the domain that the caller may not ask about, empty for requests that name none; nil if it is the
    ///   operation that is not permitted.
    static func notAuthorized(_ caller: String, operation: String, domain: String?) -> GatewayError {
        let subject =
            switch domain {
            case nil: ""
            case "": " without naming one domain"
            case let domain?: " on domain \(domain)"
            }
        return GatewayError(
            ServiceError(
                status: 400, namespace: ServiceError.commonNamespace, code: "AccessDeniedException",
                message: "Caller \(caller) is not authorized to perform \(operation)\(subject)."),
            outcome: .denied, detail: "not-authorized")
    }

    /// The request names no operation of a configured service.
    static func unknownOperation(_ message: String) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 400, namespace: ServiceError.commonNamespace, code: "UnknownOperationException",
                message: message),
            outcome: .invalid, detail: "unknown-operation")
    }

    /// The body cannot be read, or violates the model.
    static func invalidInput(_ fault: OperationInput.Fault, _ catalog: Catalog) -> GatewayError {
        switch fault {
        case .serialization(let message):
            GatewayError(
                ServiceError(
                    status: 400, namespace: ServiceError.commonNamespace, code: "SerializationException",
                    message: message),
                outcome: .invalid, detail: "serialization")
        case .validation(let message):
            GatewayError(
                ServiceError(
                    status: 400, namespace: catalog.errorNamespace, code: "ValidationException", message: message),
                outcome: .invalid, detail: "validation")
        // As for content that is too large as it comes.
        case .tooLarge:
            GatewayError(
                ServiceError(
                    status: 413, namespace: ServiceError.commonNamespace, code: "BadRequestException",
                    message: "The request's content is too large."),
                outcome: .invalid, detail: "body_too_large")
        }
    }

    /// A limit of the gateway is used up. The message says which, its rate, and when to come back.
    static func throttled(
        _ scope: ThrottleScope, _ limit: String, wait: Int64, _ catalog: Catalog
    ) -> GatewayError {
        GatewayError(ThrottleNotice(scope, limit, catalog), wait: wait)
    }

    /// `only-if-cached`, and the page is not in the cache (RFC 9111, section 5.2.1.7).
    static func notCached(_ catalog: Catalog) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 504, namespace: ServiceError.commonNamespace, code: "GatewayTimeout",
                message: "The page is not in the cache, and Cache-Control: only-if-cached forbids to fetch it."),
            outcome: .failed, detail: "only-if-cached")
    }

    /// The gateway ends before the service has answered.
    static let ending = GatewayError(
        ServiceError(
            status: 503, namespace: ServiceError.commonNamespace, code: "ServiceUnavailable",
            message: "The gateway is ending, and the service has not answered yet: try again."),
        outcome: .failed, detail: "ending")

    /// The upstream gave no usable answer.
    public static func upstreamFault(_ cause: String, detail: String, _ catalog: Catalog) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 500, namespace: catalog.errorNamespace, code: "InternalServerException",
                message: "The gateway got no usable answer from the service: \(cause)."),
            outcome: .failed, detail: detail)
    }
}
