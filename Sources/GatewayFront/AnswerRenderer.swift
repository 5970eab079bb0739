internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import PageCache

/// Puts decisions into answers: the only place where errors become awsJson and outcomes become `Cache-Status`.
struct AnswerRenderer {
    private var id = RequestID(after: "Content-Type: application/x-amz-json-1.0\r\n")

    /// The id of the last answer, for the log.
    var lastID: [UInt8] { id.text }
    /// A body that is being put together.
    private var body: [UInt8] = []

    // MARK: Calls

    mutating func page(_ page: Page, _ use: PageUse, _ response: inout ResponseWriter, now: Int64) {
        start(page.status == 200 ? .ok : Status(code: page.status), &response)
        if let code = page.errorCode { response.field("x-amzn-ErrorType", Array(code.utf8)) }
        let isStale = if case .unrefreshable = use { true } else { false }
        let age = max(0, now - page.fetchedAt) / 1_000_000_000
        // Rounded towards the past: a page is never said to be fresher than it is.
        let left = Self.seconds(page.freshUntil - now)
        // At once, because most answers are made here.
        response.pieces(upTo: 100) { output in
            output.text("Age: ")
            output.number(age)
            output.text("\r\nCache-Status: jobs-proxy; ")
            output.text(isStale ? "fwd=stale; ttl=" : "hit; ttl=")
            output.number(left)
            if !isStale { output.text("\r\n") }
        }
        if case .unrefreshable(let reason, let status) = use {
            if let status {
                response.text("; fwd-status=")
                response.number(Int64(status))
            }
            response.text("; detail=")
            response.text(Array(reason.rawValue.utf8))
            response.text("\r\n")
        }
        response.finish(page.body)
    }

    mutating func arrival(
        _ arrival: Arrival, role: Verdict.Role, _ response: inout ResponseWriter, now: Int64
    ) {
        switch arrival {
        case .page(let page):
            start(Status(code: page.status), &response)
            response.field("Age", max(0, now - page.fetchedAt) / 1_000_000_000)
            response.field("Cache-Status", Self.forwarded(role))
            response.finish(page.body)
        case .stale(let page, let use):
            self.page(page, use, &response, now: now)
        case .reply(let reply):
            self.reply(reply, role, &response)
        case .error(let error):
            self.error(error, &response)
        }
    }

    /// The upstream's own answer: status, body and error type as they came, under an id of ours.
    private mutating func reply(_ reply: UpstreamReply, _ role: Verdict.Role, _ response: inout ResponseWriter) {
        response.start(Status(code: reply.answerStatus))
        if let type = reply.contentType {
            response.field("Content-Type", Array(type.utf8))
        } else {
            response.field("Content-Type", ServiceError.contentType)
        }
        if let coding = reply.contentEncoding { response.field("Content-Encoding", Array(coding.utf8)) }
        identify(&response)
        if let type = reply.errorType ?? reply.errorCode { response.field("x-amzn-ErrorType", Array(type.utf8)) }
        if let error = reply.queryError { response.field("x-amzn-query-error", Array(error.utf8)) }
        if let wait = reply.retryAfter?.standard { response.field("Retry-After", Array(wait.utf8)) }
        if let wait = reply.retryAfter?.amazon { response.field("x-amz-retry-after", Array(wait.utf8)) }
        if let id = reply.requestID { response.field("x-jobsproxy-upstream-request-id", Array(id.utf8)) }
        if reply.answerStatus < 300 {
            response.field("Cache-Status", Self.forwarded(role))
        } else {
            response.field("Cache-Status") { response in
                response.text(Self.forwarded(role))
                response.text("; fwd-status=")
                response.number(Int64(reply.status))
            }
        }
        response.finish(reply.body)
    }

    private static func forwarded(_ role: Verdict.Role) -> StaticString {
        switch role {
        case .leader: "jobs-proxy; fwd=miss"
        case .follower: "jobs-proxy; fwd=miss; collapsed"
        case .noCache: "jobs-proxy; fwd=request"
        case .pass: "jobs-proxy; fwd=bypass"
        }
    }

    // MARK: Errors

    mutating func error(_ error: GatewayError, _ response: inout ResponseWriter) {
        if let notice = error.notice {
            return throttle(notice, milliseconds: ThrottleNotice.milliseconds(error.retryAfter ?? 0), &response)
        }
        self.error(error.error, detail: error.detail, &response)
        response.finish(error.error.body())
    }

    private mutating func throttle(_ notice: ThrottleNotice, milliseconds: Int64, _ response: inout ResponseWriter) {
        start(.badRequest, &response)
        response.pieces(upTo: 200) { output in
            output.text("x-amzn-ErrorType: ThrottlingException\r\nCache-Status: jobs-proxy; detail=throttled-")
            output.text(Self.name(notice.scope))
            output.text("\r\nRetry-After: ")
            output.number(milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0))
            output.text("\r\nx-amz-retry-after: ")
            output.number(milliseconds)
            output.text("\r\n")
        }
        body.removeAll(keepingCapacity: true)
        body += notice.bodyStart
        body.append(addingCapacity: 20) { $0.number(milliseconds) }
        body += notice.bodyEnd
        response.finish(body)
    }

    private static func name(_ scope: ThrottleScope) -> StaticString {
        switch scope {
        case .caller: "caller"
        case .domain: "domain"
        case .quota: "quota"
        case .waiters: "waiters"
        }
    }

    mutating func methodNotAllowed(_ allowed: StaticString, _ response: inout ResponseWriter) {
        let error = GatewayError.methodNotAllowed
        self.error(error.error, detail: error.detail, &response)
        response.field("Allow", allowed)
        response.finish(error.error.body())
    }

    mutating func unauthorized(_ response: inout ResponseWriter) {
        let error = GatewayError.unauthorized
        self.error(error.error, detail: error.detail, &response)
        response.field("WWW-Authenticate", "Bearer")
        response.finish(error.error.body())
    }

    /// What the codec refused. The connection closes after it.
    mutating func refusal(_ refusal: Refusal, _ response: inout ResponseWriter) {
        let error = ServiceError(
            status: refusal.status.code, namespace: ServiceError.commonNamespace,
            code: refusal.status == .serviceUnavailable ? "ServiceUnavailable" : "BadRequestException",
            message: refusal.explanation)
        self.error(error, detail: refusal.rawValue, &response)
        response.finish(error.body())
    }

    /// The head of an error that is answered here, up to its own fields.
    private mutating func error(_ error: ServiceError, detail: String, _ response: inout ResponseWriter) {
        start(Status(code: error.status), &response)
        response.field("x-amzn-ErrorType", Array(error.code.utf8))
        response.field("Cache-Status") { response in
            response.text("jobs-proxy; detail=")
            response.text(Array(detail.utf8))
        }
    }

    // MARK: Plain answers

    mutating func text(_ text: [UInt8], _ type: StaticString, _ response: inout ResponseWriter) {
        response.start(.ok)
        response.field("Content-Type", type)
        response.finish(text)
    }

    mutating func readiness(_ isReady: Bool, _ response: inout ResponseWriter) {
        response.start(isReady ? .ok : .serviceUnavailable)
        response.field("Content-Type", "text/plain")
        response.finish(Array((isReady ? "ready\n" : "not ready\n").utf8))
    }

    // MARK: Pieces

    private mutating func start(_ status: Status, _ response: inout ResponseWriter) {
        response.start(status)
        id.advance()
        response.line(id.lines)
    }

    private mutating func identify(_ response: inout ResponseWriter) {
        id.advance()
        response.line(id.line)
    }

    /// Whole seconds, rounded down also below zero.
    private static func seconds(_ nanoseconds: Int64) -> Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension GatewayError {
    /// A path that there is not.
    static let notFound = GatewayError(
        ServiceError(
            status: 404, namespace: ServiceError.commonNamespace, code: "NotFoundException",
            message: "There is nothing here: calls are POST /, and GET has /metrics, /healthz and /readyz."),
        outcome: .invalid, detail: "not-found")

    /// A purge whose query cannot be understood.
    static func badPurge(_ message: String) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 400, namespace: ServiceError.commonNamespace, code: "BadRequestException", message: message),
            outcome: .invalid, detail: "purge")
    }

    /// An operator without the token.
    static let unauthorized = GatewayError(
        ServiceError(
            status: 401, namespace: ServiceError.commonNamespace, code: "UnauthorizedException",
            message: "This listener asks for its token, as 'Authorization: Bearer TOKEN'."),
        outcome: .denied, detail: "unauthorized")

    /// A path that there is, with another method.
    static let methodNotAllowed = GatewayError(
        ServiceError(
            status: 405, namespace: ServiceError.commonNamespace, code: "MethodNotAllowedException",
            message: "This path does not have this method; see the Allow header."),
        outcome: .invalid, detail: "method-not-allowed")
}
