internal import AWSProtocol

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
}
