internal import AWSProtocol
internal import Gateway

/// What an attempt came to, as far as policy is concerned. The raw value is the metric label.
enum AttemptClass: String, CaseIterable, Sendable {
    case ok
    /// The service said that there were too many requests.
    case throttled = "throttled"
    /// The service failed; the same request may succeed next time.
    case serverError = "server_error"
    /// The request is at fault; it would fail again.
    case clientError = "client_error"
    case timeout
    case connectError = "connect_error"

    /// Whether another attempt may do better.
    var isRetryable: Bool {
        switch self {
        case .serverError, .timeout, .connectError: true
        case .ok, .throttled, .clientError: false
        }
    }

    /// Whether it counts against the service's health.
    var isFailure: Bool { isRetryable }
}

/// An attempt's reply or fault, classified.
struct AttemptResult {
    let kind: AttemptClass
    let outcome: Result<UpstreamReply, CurlError>
    /// The service's time, in seconds since 1970, if its reply tells.
    let date: Int64?

    /// Whether a byte of the request may have left.
    var mayHaveSent: Bool {
        switch outcome {
        case .success: true
        case .failure(let error): error.mayHaveSent
        }
    }

    init(_ result: Result<CurlReply, CurlError>) {
        switch result {
        case .success(let reply):
            let upstream = Self.reply(reply)
            outcome = .success(upstream)
            kind = Self.classify(upstream)
            date = reply["date"].flatMap(AWSTime.http)
        case .failure(let error):
            outcome = .failure(error)
            date = nil
            kind = error.isTimeout ? .timeout : error.isConnectFailure ? .connectError : .serverError
        }
    }

    /// Whether the service refused it for the time that it was signed for.
    var isRefusedForItsTime: Bool {
        guard case .success(let reply) = outcome, let code = reply.errorCode else { return false }
        return Self.timeCodes.contains(code)
    }

    /// What services say when a signature's time is off; the first two for other faults of a signature too.
    private static let timeCodes: Set<String> = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestInTheFuture",
        "RequestTimeTooSkewed",
    ]

    private static func reply(_ reply: CurlReply) -> UpstreamReply {
        let encoding = reply["content-encoding"]?.lowercased()
        let isPlain = encoding == nil || encoding == "identity"
        let type = reply["x-amzn-errortype"]
        return UpstreamReply(
            status: reply.status, body: reply.body,
            // A body in another coding cannot be looked into.
            errorCode: ErrorCode.find(
                header: type, body: isPlain ? reply.body : [], isSuccess: (200..<300).contains(reply.status)),
            errorType: type, requestID: reply["x-amzn-requestid"] ?? reply["x-amz-request-id"],
            contentType: reply["content-type"], contentEncoding: isPlain ? nil : encoding,
            isStorable: isPlain && reply.hasDeterminedLength)
    }

    private static func classify(_ reply: UpstreamReply) -> AttemptClass {
        switch reply.classification {
        case .good: .ok
        case .throttled: .throttled
        case .failed: .serverError
        case .refused: .clientError
        }
    }
}
