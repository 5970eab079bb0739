internal import AWSProtocol
internal import Gateway
internal import OriginClient
internal import Primitives

/// The class of an attempt's end, as policy sees it. The raw value is the metric label.
package enum AttemptClass: String, CaseIterable, Sendable {
    case ok
    /// The service said that there were too many requests.
    case throttled = "throttled"
    /// The service failed; the same request may succeed next time.
    case serverError = "server_error"
    /// The request is at fault; it would fail again.
    case clientError = "client_error"
    case timeout
    case connectError = "connect_error"

    /// True if another attempt may do better.
    var isRetryable: Bool {
        switch self {
        case .serverError, .timeout, .connectError: true
        case .ok, .throttled, .clientError: false
        }
    }

    init(_ reply: ReplyClass) {
        switch reply {
        case .good: self = .ok
        case .throttled: self = .throttled
        case .failed: self = .serverError
        case .refused: self = .clientError
        }
    }

    init(_ error: CurlError) {
        self =
            switch error {
            case .timeout: .timeout
            // The same request would bring the same reply.
            case .replyTooLarge: .clientError
            case _ where error.isConnectFailure: .connectError
            default: .serverError
            }
    }
}

/// An attempt's reply or fault, classified.
struct AttemptResult {
    let kind: AttemptClass
    let outcome: Result<UpstreamReply, CurlError>
    /// The service's time if its reply tells it and it matters.
    private(set) var date: WallInstant?

    /// Why there is no reply; nil if there is one.
    var error: CurlError? { if case .failure(let error) = outcome { error } else { nil } }

    /// How long the service wants not to be asked, in nanoseconds from the reply on.
    var requestedWait: Int64 {
        if case .success(let reply) = outcome { reply.retryAfter?.wait ?? 0 } else { 0 }
    }

    /// True if a byte of the request may have left.
    var mayHaveSent: Bool { error?.mayHaveSent ?? true }

    init(_ result: Result<CurlReply, CurlError>, for use: ReplyUse) {
        do throws(CurlError) {
            let reply = try UpstreamReply(try result.get(), for: use)
            kind = AttemptClass(reply.classification)
            outcome = .success(reply)
        } catch {
            kind = AttemptClass(error)
            outcome = .failure(error)
        }
        date =
            mayBeMistimed ? (try? result.get())?["date"].flatMap(HTTPDate.seconds).map(WallInstant.init(seconds:)) : nil
    }

    /// The result of a good reply of which the head has come.
    init(_ head: UpstreamReply) {
        kind = .ok
        outcome = .success(head)
    }

    /// The result for those who wait.
    /// - Parameter maxReplyBytes: for the message about a reply that is larger.
    func fetchResult(_ catalog: Catalog, maxReplyBytes: Int) -> FetchResult {
        switch outcome {
        case .success(let reply): return .reply(reply)
        case .failure(.replyTooLarge):
            let text = "the reply is larger than maxReplyBytes (\(maxReplyBytes) bytes)"
            return .fault(.upstreamFault(text, detail: "large-reply", catalog))
        case .failure(let error):
            let detail = error.isTimeout ? "timeout" : error.isConnectFailure ? "connect" : "error"
            return .fault(.upstreamFault(error.clientText, detail: detail, catalog))
        }
    }

    /// True if the service may have refused it for the time that it was signed for.
    var mayBeMistimed: Bool { hasCode(of: ErrorCode.clockSkew) }

    /// True if the service refused it for the credentials that it was signed with, in whose place there may be newer ones.
    var hasExpiredCredentials: Bool { hasCode(of: ErrorCode.expiredCredentials) }

    /// Returns true if a throttle is one of the rate, and not the end of an allowance.
    func isAboutRate(_ safety: Fetch.Safety) -> Bool {
        kind == .throttled && (safety == .read || !hasCode(of: ErrorCode.ambiguousThrottling))
    }

    private func hasCode(of codes: Set<String>) -> Bool {
        guard case .success(let reply) = outcome, let code = reply.errorCode else { return false }
        return codes.contains(code)
    }
}
