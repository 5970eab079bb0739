internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import PageCache
internal import Primitives

/// Renders answers. Of errors only those that are worded ahead (`ThrottleNotice`) become awsJson elsewhere.
struct AnswerRenderer {
    /// Its lines have the media type of awsJson 1.0, whose last digit may be changed.
    private var id = RequestID(after: "Content-Type: application/x-amz-json-1.0\r\n")
    private let digitPlace = "Content-Type: application/x-amz-json-1.".utf8.count

    var lastID: [UInt8] { id.text }
    private var body: [UInt8] = []

    // MARK: Calls

    /// - Parameter acceptsGzip: true if the client accepts it; asked only about pages that are there in gzip.
    mutating func page(
        _ page: Page, _ use: PageUse, for call: Call, acceptsGzip: @autoclosure () -> Bool,
        _ response: inout ResponseWriter, now: MonotonicInstant
    ) {
        start(page.status == 200 ? .ok : Status(code: page.status), call.minorDigit, &response)
        if let code = page.errorCode {
            response.field("x-amzn-ErrorType", Array(code.utf8))
            queryError(page.queryError, code, status: page.status, call.service, &response)
        }
        let isStale = if case .unrefreshable = use { true } else { false }
        let age = page.age(now: now) / 1_000_000_000
        // Rounded down, so that no page looks fresher than it is.
        let left = Self.seconds(page.freshUntil - now)
        // In one piece, because most answers are made here.
        response.pieces(upTo: 100) { CacheStatus.page(age: age, ttl: left, isStale: isStale, &$0) }
        if case .unrefreshable(let reason, let status) = use { CacheStatus.finishStale(reason, status, &response) }
        finish(page, acceptsGzip: acceptsGzip(), &response)
    }

    private func finish(_ page: Page, acceptsGzip: @autoclosure () -> Bool, _ response: inout ResponseWriter) {
        guard let packed = page.packed else { return response.finish(page.body) }
        response.line("Vary: Accept-Encoding\r\n")
        guard acceptsGzip() else { return response.finish(page.body) }
        response.line("Content-Encoding: gzip\r\n")
        response.finish(packed)
    }

    mutating func arrival(
        _ arrival: Arrival, role: Verdict.Role, for call: Call, acceptsGzip: Bool, _ response: inout ResponseWriter,
        now: MonotonicInstant
    ) {
        switch arrival {
        case .page(let page):
            start(Status(code: page.status), call.minorDigit, &response)
            response.field("Age", page.age(now: now) / 1_000_000_000)
            CacheStatus.forwarded(role, &response)
            finish(page, acceptsGzip: acceptsGzip, &response)
        case .stale(let page, let use):
            self.page(page, use, for: call, acceptsGzip: acceptsGzip, &response, now: now)
        case .reply(let reply):
            head(of: reply, role, call.service, &response)
            response.finish(reply.body)
        case .stream(let reply, let body):
            head(of: reply, role, call.service, &response)
            response.stream(body)
        case .error(let error):
            self.error(error, of: call.service, &response)
        }
    }

    /// The head of the upstream's own answer: status and error type are relayed, as the body is; the id is the gateway's.
    private mutating func head(
        of reply: UpstreamReply, _ role: Verdict.Role, _ service: Service?, _ response: inout ResponseWriter
    ) {
        response.start(Status(code: reply.answerStatus))
        if let type = reply.contentType {
            response.field("Content-Type", Array(type.utf8))
        } else {
            response.field("Content-Type", (service?.catalog.version ?? .awsJson1_0).contentType)
        }
        if let coding = reply.contentEncoding { response.field("Content-Encoding", Array(coding.utf8)) }
        identify(&response)
        if let type = reply.errorType ?? reply.errorCode { response.field("x-amzn-ErrorType", Array(type.utf8)) }
        if let code = reply.errorCode {
            queryError(reply.queryError, code, status: reply.answerStatus, service, &response)
        } else if let error = reply.queryError {
            response.field("x-amzn-query-error", Array(error.utf8))
        }
        if let wait = reply.retryAfter?.standard { response.field("Retry-After", Array(wait.utf8)) }
        if let wait = reply.retryAfter?.amazon { response.field("x-amz-retry-after", Array(wait.utf8)) }
        if let id = reply.requestID { response.field("x-jobsproxy-upstream-request-id", Array(id.utf8)) }
        CacheStatus.forwarded(role, status: reply.answerStatus < 300 ? nil : reply.status, &response)
    }

    // MARK: Errors

    /// - Parameters:
    ///   - service: the one that the request is for, or may be; nil for a request that is no call.
    ///   - field: a field that the error needs beside those of all errors.
    mutating func error(
        _ error: GatewayError, of service: Service? = nil, field: (name: StaticString, value: StaticString)? = nil,
        _ response: inout ResponseWriter
    ) {
        if let notice = error.notice {
            let milliseconds = ThrottleNotice.milliseconds(error.retryAfter ?? 0)
            return throttle(notice, milliseconds: milliseconds, service, &response)
        }
        self.error(error.error, detail: error.detail, of: service, &response)
        if let field { response.field(field.name, field.value) }
        response.finish(error.error.body(service?.catalog.version ?? .awsJson1_0))
    }

    private mutating func throttle(
        _ notice: ThrottleNotice, milliseconds: Int64, _ service: Service?, _ response: inout ResponseWriter
    ) {
        start(.badRequest, service?.minorDigit, &response)
        queryError(nil, "ThrottlingException", status: 400, service, &response)
        response.pieces(upTo: 200) { output in
            output.text("x-amzn-ErrorType: ThrottlingException\r\n")
            CacheStatus.throttled(notice.scope, &output)
            output.text("Retry-After: ")
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

    /// An error for a client of rpc-v2-cbor, in its own form (RFC 8949): a map of two texts.
    mutating func cborError(_ error: GatewayError, _ response: inout ResponseWriter) {
        response.start(Status(code: error.status))
        response.field("Content-Type", "application/cbor")
        response.field("smithy-protocol", "rpc-v2-cbor")
        identify(&response)
        CacheStatus.local(error.detail, &response)
        let type = "\(error.error.namespace)#\(error.error.code)"
        response.finish(["__type", type, "message", error.error.message].reduce(into: [0xa2]) { $0.appendCBOR($1) })
    }

    /// The answer to a request that the codec refused. The connection closes after it.
    mutating func refusal(_ refusal: Refusal, _ response: inout ResponseWriter) {
        let error = ServiceError(
            status: refusal.status.code, namespace: ServiceError.commonNamespace,
            code: refusal.status == .serviceUnavailable ? "ServiceUnavailable" : "BadRequestException",
            message: refusal.explanation)
        self.error(error, detail: refusal.rawValue, &response)
        response.finish(error.body())
    }

    /// The head of an error that is answered here, up to its own fields.
    private mutating func error(
        _ error: ServiceError, detail: String, of service: Service? = nil, _ response: inout ResponseWriter
    ) {
        start(Status(code: error.status), service?.minorDigit, &response)
        response.field("x-amzn-ErrorType", Array(error.code.utf8))
        queryError(nil, error.code, status: error.status, service, &response)
        CacheStatus.local(detail, &response)
    }

    // MARK: Plain answers

    mutating func text(_ text: [UInt8], _ type: StaticString, _ response: inout ResponseWriter) {
        response.start(.ok)
        response.field("Content-Type", type)
        response.finish(text)
    }

    mutating func order(_ answer: AdminOrders.Answer, _ response: inout ResponseWriter) {
        response.start(answer.isDone ? .ok : .badRequest)
        response.field("Content-Type", answer.isDone ? "application/json" : "text/plain; charset=utf-8")
        response.finish(Array(answer.text.utf8))
    }

    /// - Parameter reasons: why the gateway is not ready; empty if it is.
    mutating func readiness(_ reasons: [String], _ response: inout ResponseWriter) {
        let state = JSONValue.object([
            ("ready", .bool(reasons.isEmpty)), ("reasons", .array(reasons.map(JSONValue.string))),
        ])
        response.start(reasons.isEmpty ? .ok : .serviceUnavailable)
        response.field("Content-Type", "application/json")
        response.finish(state.serialized() + [UInt8(ascii: "\n")])
    }

    // MARK: Pieces

    private mutating func start(_ status: Status, _ digit: UInt8?, _ response: inout ResponseWriter) {
        response.start(status)
        id.advance()
        let digit = digit ?? UInt8(ascii: "0")
        if id.lines[digitPlace] != digit { id.lines[digitPlace] = digit }
        response.line(id.lines)
    }

    /// - Parameter own: the service's own value; without it, the one that its catalog has for the code.
    private func queryError(
        _ own: String?, _ code: String, status: Int, _ service: Service?, _ response: inout ResponseWriter
    ) {
        guard let error = own ?? service?.queryError(code, status: status) else { return }
        response.field("x-amzn-query-error", Array(error.utf8))
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

extension Page {
    /// The nanoseconds since it was fetched.
    func age(now: MonotonicInstant) -> Int64 { max(0, now - fetchedAt) }
}

/// The `Cache-Status` field (RFC 9211) of every answer to a call, worded in this one place.
///
/// It says where an answer comes from and why: `hit; ttl=7`, `fwd=stale; ttl=-40; detail=error`, `fwd=miss; collapsed`. How the
/// request ended is its `Outcome`.
enum CacheStatus {
    /// The fields of a stored page: `Age` and `Cache-Status`, which `finishStale` completes if `isStale`.
    ///
    /// - Parameters:
    ///   - age: seconds.
    ///   - ttl: seconds for which the page is fresh yet; below zero if it is not.
    ///   - isStale: true if it is served because no newer page can be had.
    @inline(__always)
    static func page(age: Int64, ttl: Int64, isStale: Bool, _ output: inout OutputSpan<UInt8>) {
        output.text("Age: ")
        output.number(age)
        output.text("\r\nCache-Status: jobs-proxy; ")
        output.text(isStale ? "fwd=stale; ttl=" : "hit; ttl=")
        output.number(ttl)
        if !isStale { output.text("\r\n") }
    }

    /// Completes the field of a page that is served because no newer one can be had.
    ///
    /// - Parameter status: that of the service's answer; `nil` without one.
    static func finishStale(_ reason: PageUse.Reason, _ status: Int?, _ response: inout ResponseWriter) {
        finish(status: status, &response)
        response.text("; detail=")
        response.text(Array(reason.rawValue.utf8))
        response.text("\r\n")
    }

    /// The field of an answer that was fetched.
    ///
    /// - Parameter status: that of the service's answer if it is an error.
    static func forwarded(_ role: Verdict.Role, status: Int? = nil, _ response: inout ResponseWriter) {
        response.field("Cache-Status") { response in
            switch role {
            case .leader: response.text("jobs-proxy; fwd=miss")
            case .follower: response.text("jobs-proxy; fwd=miss; collapsed")
            case .noCache: response.text("jobs-proxy; fwd=request")
            case .pass: response.text("jobs-proxy; fwd=bypass")
            }
            finish(status: status, &response)
        }
    }

    private static func finish(status: Int?, _ response: inout ResponseWriter) {
        guard let status else { return }
        response.text("; fwd-status=")
        response.number(Int64(status))
    }

    /// The field of an error that the gateway answers itself.
    static func local(_ detail: String, _ response: inout ResponseWriter) {
        response.field("Cache-Status") { response in
            response.text("jobs-proxy; detail=")
            response.text(Array(detail.utf8))
        }
    }

    /// The field of a call that a limit refuses: 64 bytes at most.
    @inline(__always)
    static func throttled(_ scope: ThrottleScope, _ output: inout OutputSpan<UInt8>) {
        switch scope {
        case .caller: output.text("Cache-Status: jobs-proxy; detail=throttled-caller\r\n")
        case .domain: output.text("Cache-Status: jobs-proxy; detail=throttled-domain\r\n")
        case .quota: output.text("Cache-Status: jobs-proxy; detail=throttled-quota\r\n")
        case .waiters: output.text("Cache-Status: jobs-proxy; detail=throttled-waiters\r\n")
        case .streams: output.text("Cache-Status: jobs-proxy; detail=throttled-streams\r\n")
        }
    }
}

extension [UInt8] {
    /// Appends a text of less than 64 KiB, its length first (RFC 8949, section 3.1, major type 3).
    fileprivate mutating func appendCBOR(_ text: String) {
        let count = text.utf8.count
        self += [0x79, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        self += text.utf8
    }
}
