internal import Primitives
public import AWSProtocol
internal import PageCache

/// The upstream's answer, every byte of it.
public struct UpstreamReply: Sendable, Equatable {
    /// As it came; see `answerStatus`.
    public var status: Int
    public var body: [UInt8]
    /// Its error, none for a good reply. In an array, because a reply is copied several times on its way.
    private let error: [ErrorFields]
    /// The origin's id of the request.
    public var requestID: String?
    public var contentType: String?
    /// How the body is coded, if it is.
    public var contentEncoding: String?
    /// True if the reply is fit to be kept: nothing about its length or coding is in doubt.
    public var isStorable: Bool
    /// True if the body is a JSON object that is no error's.
    public var isGoodObject: Bool

    /// - Parameter isGoodObject: computed if nil.
    public init(
        status: Int, body: [UInt8], errorCode: String? = nil, errorType: String? = nil, queryError: String? = nil,
        retryAfter: RetryAfter? = nil, requestID: String? = nil, contentType: String? = nil,
        contentEncoding: String? = nil, isStorable: Bool = true, isGoodObject: Bool? = nil
    ) {
        self.status = status
        self.body = body
        let isGood = errorCode == nil && errorType == nil && queryError == nil && retryAfter == nil
        error =
            isGood
            ? [] : [ErrorFields(code: errorCode, type: errorType, queryError: queryError, retryAfter: retryAfter)]
        self.requestID = requestID
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.isStorable = isStorable
        self.isGoodObject = isGoodObject ?? Self.isGoodObject(body.span)
    }

    /// The error code, from wherever it stands; nil for a good reply.
    public var errorCode: String? { error.first?.code }
    /// The value of `x-amzn-errortype`, as it came.
    public var errorType: String? { error.first?.type }
    /// The value of `x-amzn-query-error`, as it came: the code that clients read of services that once had the query protocol.
    public var queryError: String? { error.first?.queryError }
    /// When the service wants to be asked again, if it says so.
    public var retryAfter: RetryAfter? { error.first?.retryAfter }

    private struct ErrorFields: Equatable {
        let code, type, queryError: String?
        let retryAfter: RetryAfter?
    }

    private static func isGoodObject(_ body: Span<UInt8>) -> Bool {
        guard let members = try? JSONReader.members(of: body) else { return false }
        return !ErrorCode.isError(members, of: body)
    }
}

/// The class of a reply of the upstream, as policy sees it.
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
            if ErrorCode.throttling.contains(errorCode) { return .throttled }
            if ErrorCode.transient.contains(errorCode) { return .failed }
            if ErrorCode.client.contains(errorCode) { return .refused }
        }
        switch status {
        // 509 is "Bandwidth Limit Exceeded" (`_retry.json` of botocore).
        case 429, 509: return .throttled
        case 500, 502, 503, 504: return .failed
        // An error whose code is not known is not repeated, wherever it stands.
        case 200..<300: return errorCode == nil ? .good : .refused
        default: return .refused
        }
    }

    /// The status for the client. An error in a body of status 200 becomes 500: SDKs look for errors under other statuses only, and
    /// would read an empty page.
    public var answerStatus: Int { (200..<300).contains(status) && errorCode != nil ? 500 : status }

    /// Returns true if the service did not accept what the request was signed with. A denial of access is about what was asked.
    private var isAboutCredentials: Bool {
        guard let errorCode else { return false }
        return ErrorCode.identity.contains(errorCode) && !ErrorCode.accessDenial.contains(errorCode)
    }

    /// The page that the reply makes: a well-formed good one, or an error that is worth remembering.
    ///
    /// - Parameter negativeTTL: how long errors are remembered, in nanoseconds, by their code.
    func page(_ key: PageKey, _ lifetime: Page.Lifetime, negativeTTL: [String: Int64], sentAt: MonotonicInstant)
        -> Page?
    {
        guard isStorable else { return nil }
        switch classification {
        case .good:
            guard status == 200, isGoodObject else { return nil }
            return Page(key: key, status: 200, body: body, fetchedAt: sentAt, lifetime: lifetime)
        case .refused:
            guard let errorCode, (400..<500).contains(status), !ErrorCode.identity.contains(errorCode),
                !errorCode.utf8.starts(with: "AccessDenied".utf8),
                let fresh = negativeTTL[errorCode], fresh > 0
            else { return nil }
            return Page(
                key: key, status: status, errorCode: errorCode, queryError: queryError, body: body, fetchedAt: sentAt,
                lifetime: Page.Lifetime(fresh: fresh))
        case .throttled, .failed:
            return nil
        }
    }

    /// Returns true if the reply is the service's word on a page, so that an older one must not be served any more.
    fileprivate var isDefinite: Bool {
        switch classification {
        case .good: status == 200 && isGoodObject
        // A refused signature says nothing of the page. Neither does a reply that is no error of the service's, such as a
        // redirection or a proxy's page.
        case .refused: errorCode != nil && answerStatus < 500 && !isAboutCredentials
        case .throttled, .failed: false
        }
    }

    fileprivate func staleReason(isPassthrough: Bool) -> PageUse.Reason? {
        switch classification {
        case .throttled: .throttled
        case .failed: .error
        case .refused where answerStatus >= 500 || errorCode == nil: .error
        case .good where status != 200: .error
        // The gateway's own credentials are at fault, not the client's.
        case .refused where !isPassthrough && isAboutCredentials: .error
        case .good, .refused: nil
        }
    }
}

extension FetchResult {
    /// The service's id of the request; nil if it told none.
    var requestID: String? {
        switch self {
        case .reply(let reply), .stream(let reply, _): reply.requestID
        case .fault, .throttled: nil
        }
    }

    /// See `UpstreamReply.isDefinite`.
    var isDefinite: Bool { if case .reply(let reply) = self { reply.isDefinite } else { false } }

    /// The use of a stale page in place of this result; nil if the result is to be relayed.
    func staleUse(isPassthrough: Bool) -> PageUse? {
        switch self {
        case .stream: nil
        case .throttled: .unrefreshable(.quota, status: nil)
        case .fault(let error):
            .unrefreshable(error.detail == GatewayError.breakerDetail ? .breaker : .error, status: nil)
        case .reply(let reply):
            reply.staleReason(isPassthrough: isPassthrough).map { .unrefreshable($0, status: reply.status) }
        }
    }
}
