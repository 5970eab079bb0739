import AWSProtocol
import Gateway
import Primitives
import Testing

@testable import OriginClient
@testable import Upstream

/// What is retried, and where an error's type may stand.
@Suite("What a reply comes to")
struct ClassificationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let status: Int
        let header: String?
        let body: String
        let kind: AttemptClass
        let code: String?

        init(_ status: Int, _ body: String, _ kind: AttemptClass, _ code: String? = nil, header: String? = nil) {
            (self.status, self.header, self.body, self.kind, self.code) = (status, header, body, kind, code)
        }

        var testDescription: String { "\(status) \(header ?? "-") \(body.prefix(80))" }
    }

    static func classify(
        _ status: Int, _ body: String, header: String? = nil, fields: [CurlReply.Field] = [],
        hasDeterminedLength: Bool = true, for use: ReplyUse = .pass
    ) -> AttemptResult {
        let fields = fields + (header.map { [CurlReply.Field(name: "x-amzn-errortype", value: $0)] } ?? [])
        return AttemptResult(
            .success(
                CurlReply(
                    status: status, fields: fields, body: Array(body.utf8), hasDeterminedLength: hasDeterminedLength)),
            for: use)
    }

    static let retried = [
        "InternalServerException", "InternalFailure", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException",
    ]

    /// Every way to write an error's type: by itself, with a namespace, with a URI, with both.
    static func spellings(_ code: String) -> [String] {
        [code, "com.amazonaws.voiceid#\(code)", "\(code):http://x/#y", "com.amazonaws.voiceid#\(code):http://x/"]
    }

    /// `standard.py` of botocore, which has one more than the SDK for Java's `AwsErrorCode`: `LimitExceededException`.
    static let throttles = [
        "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
        "TooManyRequestsException", "ProvisionedThroughputExceededException", "TransactionInProgressException",
        "RequestLimitExceeded", "BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown",
        "PriorRequestNotComplete", "EC2ThrottledException",
    ]

    static let spelt = (retried.map { ($0, AttemptClass.serverError) } + throttles.map { ($0, .throttled) })
        .flatMap { code, kind in
            spellings(code).flatMap { text in
                [
                    Case(400, "{}", kind, code, header: text), Case(400, "", kind, code, header: text),
                    Case(400, "{\"__type\":\"\(text)\"}", kind, code), Case(400, "{\"code\":\"\(text)\"}", kind, code),
                    Case(200, "{\"__type\":\"\(text)\"}", kind, code), Case(200, "{\"a\":1}", kind, code, header: text),
                ]
            }
        }

    static let conflicting = [
        Case(
            400, "{\"__type\":\"InternalServerException\"}", .clientError, "ValidationException",
            header: "ValidationException"),
        Case(
            400, "{\"__type\":\"x#ValidationException\"}", .serverError, "InternalServerException",
            header: "InternalServerException"),
        Case(400, "{\"code\":\"InternalFailure\"}", .throttled, "ThrottlingException", header: "ThrottlingException:"),
        Case(
            400, "{\"code\":\"InternalFailure\",\"__type\":\"ValidationException\"}", .clientError,
            "ValidationException"),
        Case(400, "{\"__type\":\"InternalFailure\"}", .serverError, "InternalFailure", header: ""),
        Case(400, "{\"__type\":7,\"code\":\"InternalFailure\"}", .serverError, "InternalFailure", header: "#:"),
    ]

    private static let failing: [Case] =
        [500, 502, 503, 504].flatMap { status in
            [
                Case(status, "", .serverError), Case(status, "{}", .serverError), Case(status, "<html>", .serverError),
                Case(status, "{\"__type\":\"Odd\"}", .serverError, "Odd"),
                Case(status, "", .serverError, "Odd", header: "Odd"),
                Case(status, "", .throttled, "ThrottlingException", header: "ThrottlingException"),
                Case(status, "{\"__type\":\"x#ValidationException\"}", .clientError, "ValidationException"),
                Case(status, "", .clientError, "AccessDeniedException", header: "AccessDeniedException"),
            ]
        }

    private static let refusing: [Case] =
        [300, 301, 307, 400, 401, 403, 404, 408, 413, 501, 505, 599].flatMap { status in
            [
                Case(status, "", .clientError), Case(status, "<html>", .clientError),
                Case(status, "{\"__type\":\"Odd\"}", .clientError, "Odd"),
            ]
        }

    private static let throttling = [
        Case(429, "", .throttled), Case(509, "", .throttled), Case(429, "<html>", .throttled),
        Case(429, "", .throttled, "Odd", header: "Odd"),
    ]

    static let statuses = failing + refusing + throttling

    static let good = [
        Case(200, "{}", .ok), Case(200, " {\"a\":[1,{\"__type\":\"Inner\"}]}\n", .ok), Case(200, "", .ok),
        Case(204, "", .ok),
        // `code` is a member like another where the status is good.
        Case(200, "{\"code\":\"InternalFailure\"}", .ok),
        // A member that is null is as good as none.
        Case(200, "{\"__type\":null}", .ok),
        // JSON to most readers.
        Case(200, "{\"a\":1,\"a\":2}", .ok), Case(200, "{\"a\":\"\\ud800\"}", .ok),
        Case(200, "{\"__type\":\"ns#ListDomainsResponse\"}", .ok),
    ]

    /// A good status over an error counts as 500.
    static let disguised = [
        Case(200, "{\"__type\":\"Odd\"}", .clientError, "Odd"), Case(201, "{\"__type\":\"Odd\"}", .clientError, "Odd"),
        Case(200, "{\"code\":\"Odd\",\"message\":\"m\"}", .clientError, "Odd"),
        Case(200, "", .clientError, "Odd", header: "Odd"),
        Case(200, "{\"__type\":\"ValidationException\"}", .clientError, "ValidationException"),
    ]

    @Test("by its error type, in every spelling and place, whatever the status", arguments: spelt)
    func spelling(_ reply: Case) { check(reply) }

    @Test("by the header where header and body differ, and by __type before code", arguments: conflicting)
    func conflict(_ reply: Case) { check(reply) }

    @Test("by its status where the type is none of those that are known", arguments: statuses)
    func status(_ reply: Case) { check(reply) }

    @Test("a good one by the lack of a type", arguments: good)
    func success(_ reply: Case) { check(reply) }

    @Test(
        "an error under a good status is one of status 500, and no page", arguments: disguised,
        [ReplyUse.page, .pass, .write])
    func disguise(_ reply: Case, use: ReplyUse) throws {
        check(reply)
        let upstream = try Self.classify(reply.status, reply.body, header: reply.header, for: use)
            .outcome.get()
        #expect(upstream.answerStatus == 500)
    }

    @Test(
        "a good status over an error that names no code, or that some readers take for a page, is a fault of the service",
        arguments: [
            "{\"__type\":7}", "{\"__type\":\"a b\"}", "{\"__type\":{}}", "{\"__type\":\"A\",\"__type\":1}",
            "{\"a\":1,\"a\":2,\"\\u005f_type\":\"A\"}",
        ], [ReplyUse.page, .pass])
    func doubtful(_ body: String, use: ReplyUse) { checkNotJSON(Self.classify(200, body, for: use)) }

    @Test("a throttle of a write says nothing of the rate where it may be the end of an allowance")
    func allowances() {
        for code in Self.throttles {
            let result = Self.classify(400, "{\"__type\":\"\(code)\"}")
            #expect(result.isAboutRate(.read))
            #expect(result.isAboutRate(.unsafeWrite) == (code != "LimitExceededException"))
        }
        #expect(!Self.classify(400, "{\"__type\":\"Odd\"}").isAboutRate(.read))
    }

    private static func field(_ name: String, _ value: String) -> CurlReply.Field {
        CurlReply.Field(name: name, value: value)
    }

    @Test("an error tells when to come back, a good reply does not")
    func retryAfter() throws {
        let fields = [Self.field("retry-after", "2"), Self.field("x-amz-retry-after", "1500")]
        let throttle = Self.classify(400, "{\"__type\":\"SlowDown\"}", fields: fields)
        #expect(throttle.requestedWait == 2_000_000_000)
        #expect(try throttle.outcome.get().retryAfter?.standard == "2")
        #expect(try throttle.outcome.get().retryAfter?.amazon == "1500")
        #expect(Self.classify(200, "{}", fields: fields).requestedWait == 0)
        let dated = [
            Self.field("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT"),
            Self.field("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ]
        #expect(Self.classify(503, "", fields: dated).requestedWait == 3_000_000_000)
    }

    @Test("a field's value is passed on if it is no longer than one that is meant")
    func bounds() throws {
        let names = [
            "x-amzn-errortype", "x-amzn-query-error", "x-amzn-requestid", "content-type", "retry-after",
            "x-amz-retry-after",
        ]
        let long = String(repeating: "7", count: 60_000)
        let reply = try Self.classify(500, "{}", fields: names.map { Self.field($0, long) }).outcome.get()
        let relayed = [
            reply.errorType, reply.errorCode, reply.queryError, reply.requestID, reply.contentType,
            reply.retryAfter?.standard, reply.retryAfter?.amazon,
        ]
        #expect(relayed.allSatisfy { $0 == nil })
        let coded = Self.classify(200, "{}", fields: [Self.field("content-encoding", long)])
        #expect(throws: CurlError.badReply) { try coded.outcome.get() }
    }

    @Test("all codings of a body are passed on, whatever fields they stand in")
    func codings() throws {
        let fields = ["identity", "gzip", "BR"].map { Self.field("content-encoding", $0) }
        #expect(try Self.classify(200, "x", fields: fields).outcome.get().contentEncoding == "gzip, br")
    }

    @Test(
        "a denial may be one of the time that it was signed for, if its date is far away",
        arguments: ["AccessDeniedException", "AuthFailure", "RequestTimeTooSkewed", "InvalidSignatureException"])
    func clock(_ code: String) {
        let fields = [Self.field("date", "Sun, 06 Nov 1994 08:49:37 GMT")]
        let result = Self.classify(400, "{\"__type\":\"\(code)\"}", fields: fields)
        #expect(result.mayBeMistimed)
        #expect(result.date == WallInstant(seconds: 784_111_777))
        #expect(Self.classify(400, "{\"__type\":\"Odd\"}", fields: fields).date == nil)
    }

    private func check(_ reply: Case) {
        let result = Self.classify(reply.status, reply.body, header: reply.header)
        #expect(result.kind == reply.kind)
        guard case .success(let upstream) = result.outcome else {
            Issue.record("a fault: \(result.outcome)")
            return
        }
        #expect(upstream.errorCode == reply.code)
        #expect(upstream.status == reply.status)
        #expect(upstream.body == Array(reply.body.utf8))
        #expect(upstream.errorType == reply.header)
    }

    static let noObjects = [
        "<html></html>", "{", "{\"JobSummaries\":[", "[]", "null", "\"\"", "\u{0}", " ", "}", "{\"\\u005f\":}",
        "{\"__a\":}",
    ]

    @Test("a good status with what is no JSON object is no page, and else passed on", arguments: noObjects)
    func notJSON(_ body: String) throws {
        checkNotJSON(Self.classify(200, body, for: .page))
        for use in [ReplyUse.pass, .write] {
            let result = Self.classify(200, body, for: use)
            #expect(result.kind == .ok)
            #expect(try result.outcome.get().body == Array(body.utf8))
        }
    }

    @Test(
        "a good one to a write is passed on unless its body names an error",
        arguments: noObjects + ["", "{\"__type\":7}"])
    func write(_ body: String) throws {
        let result = Self.classify(200, body, for: .write)
        #expect(result.kind == .ok)
        #expect(try result.outcome.get().answerStatus == 200)
    }

    @Test("one to a write that is not good is read like others", arguments: statuses)
    func failedWrite(_ reply: Case) throws {
        #expect(Self.classify(reply.status, reply.body, header: reply.header, for: .write).kind == reply.kind)
    }

    @Test("a page is read to its end", arguments: ["{}{}", "{\"a\":\u{1}}", "{\"a\":}"])
    func readPage(_ body: String) {
        checkNotJSON(Self.classify(200, body, for: .page))
        // What is only passed on is its clients' to read.
        #expect(Self.classify(200, body).kind == .ok)
        let long = "{\"a\":\"\(String(repeating: "x", count: 600))\"" + body.dropFirst() + "}"
        #expect(Self.classify(200, long).kind == .ok)
    }

    private func checkNotJSON(_ result: AttemptResult) {
        #expect(result.kind == .serverError)
        guard case .failure(let error) = result.outcome else {
            Issue.record("taken for a reply")
            return
        }
        #expect(error == .notJSON)
        #expect(error.mayHaveSent)
    }

    @Test("a page must have a body; another operation need not")
    func emptyPage() {
        #expect(Self.classify(200, "", for: .page).kind == .serverError)
        #expect(Self.classify(500, "", for: .page).kind == .serverError)
        #expect(Self.classify(404, "", for: .page).kind == .clientError)
    }

    @Test(
        "a compressed one is passed on by its header and status, and never kept", arguments: ["gzip", "br", "GZIP, x"])
    func coded(_ coding: String) throws {
        let fields = [CurlReply.Field(name: "content-encoding", value: coding)]
        let good = try Self.classify(200, "\u{1f}\u{8b}", fields: fields, for: .page).outcome.get()
        #expect(good.contentEncoding == coding.lowercased())
        #expect(!good.isStorable)
        #expect(!good.isGoodObject)
        #expect(Self.classify(400, "\u{1f}\u{8b}", header: "InternalFailure", fields: fields).kind == .serverError)
        let plain = [CurlReply.Field(name: "content-encoding", value: "identity")]
        #expect(try Self.classify(200, "{}", fields: plain).outcome.get().isStorable)
    }

    /// What may have been cut off where the connection ended: no part of a JSON object is one.
    @Test(
        "one that ends with its connection is whole only if its JSON is",
        arguments: [
            (200, "{\"a\":[1,2]}", true), (200, "{\"a\":[1,2]", false), (200, "{\"a\":1,\"a\":2}", false),
            (200, "", false), (500, "{\"__type\":\"InternalFailure\"}", true), (500, "{\"__type\":\"Inter", false),
            (500, "<html>", true), (400, "", true),
        ])
    func unframed(_ status: Int, _ body: String, _ isWhole: Bool) throws {
        let result = Self.classify(status, body, hasDeterminedLength: false)
        if isWhole {
            #expect(try !result.outcome.get().isStorable)
        } else {
            #expect(throws: CurlError.cutShort) { try result.outcome.get() }
            #expect(result.kind == .serverError)
        }
    }

    @Test("a fault by what happened to the connection")
    func faults() {
        let table: [(CurlError, AttemptClass, Bool)] = [
            (.timeout, .timeout, false),
            (CurlError(rawValue: CurlError.timeout.rawValue, mayHaveSent: true), .timeout, true),
            (.couldNotResolve, .connectError, false), (.couldNotConnect, .connectError, false),
            (.badCertificate, .connectError, false), (.cutShort, .serverError, true),
            (.replyTooLarge, .clientError, true), (.silentResend, .serverError, true),
            (.nothingReceived, .serverError, true), (.badReply, .serverError, true),
        ]
        for (error, kind, mayHaveSent) in table {
            let result = AttemptResult(.failure(error), for: .page)
            #expect(result.kind == kind, "\(error)")
            #expect(result.mayHaveSent == mayHaveSent, "\(error)")
        }
    }
}
