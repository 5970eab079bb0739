internal import AWSProtocol
internal import Gateway
internal import OriginClient
internal import Primitives

/// The use of a good reply.
enum ReplyUse {
    /// It may become a page: it must be a whole JSON object.
    case page
    /// It is passed on, unless it is an error.
    case pass
    /// It is passed on unless its body names an error: the write is done, and an error made here would have its client repeat it.
    case write
}

/// A reply's body as an awsJson client sees it. It is read once.
enum ReplyBody: Equatable {
    case empty
    /// A JSON object: the error code that it names, if it does, and whether it is no error's.
    case object(code: String?, isGood: Bool)
    /// A JSON object to most readers, though one of them may take it for something else than another; see `JSONReader`.
    case doubtful
    /// In a coding that is not looked into. None was asked for.
    case coded
    /// No JSON object, or not all of one.
    case other

    /// - Parameters:
    ///   - isSuccess: true if the reply's status is a good one.
    ///   - isOnlyPassed: true if it is known to be whole and never becomes a page. It is looked through then, and read only where
    ///     that leaves a doubt.
    init(_ body: [UInt8], coding: String?, isSuccess: Bool, isOnlyPassed: Bool) {
        guard coding == nil else {
            self = .coded
            return
        }
        guard !body.isEmpty else {
            self = .empty
            return
        }
        let bytes = body.span
        if isSuccess, isOnlyPassed, ErrorCode.isPlainlyAbsent(from: bytes) {
            self = .object(code: nil, isGood: true)
            return
        }
        do throws(JSONError) {
            let members = try JSONReader.members(of: bytes)
            self = .object(
                code: ErrorCode.find(in: members, of: bytes, isSuccess: isSuccess),
                isGood: !ErrorCode.isError(members, of: bytes))
        } catch {
            switch error.reason {
            case .duplicateMember, .tooDeep, .invalidEscape: self = .doubtful
            default: self = .other
            }
        }
    }
}

extension UpstreamReply {
    /// The fields of a reply that are read here.
    static let keptFields = KeptFields([
        "content-type", "content-encoding", "date", "retry-after", "x-amz-retry-after", "x-amzn-errortype",
        "x-amzn-query-error", "x-amzn-requestid", "x-amz-request-id",
    ])

    /// The head of a good reply that is passed on as it comes.
    ///
    /// - Throws: `badReply` for a coding that is too long to be passed on.
    init(head: CurlReply) throws(CurlError) {
        let coding = head.coding
        guard coding.utf8.count <= CurlReply.maxRelayedBytes else { throw .badReply }
        self.init(
            status: head.status, body: [],
            requestID: head.relayed("x-amzn-requestid") ?? head.relayed("x-amz-request-id"),
            contentType: head.relayed("content-type"), contentEncoding: coding.isEmpty ? nil : coding,
            isStorable: false, isGoodObject: false)
    }

    /// A good reply to an operation whose replies are streams; one with this field is an error.
    static let streams = StreamRule(unlessField: "x-amzn-errortype")

    /// The reply as policy and clients want it.
    ///
    /// - Throws: `cutShort` for a body that may be incomplete, `notJSON` for what is no page, or an error without a code, as far as it is
    ///   read: see `ReplyBody`; `badReply` for a coding that is too long to be passed on.
    init(_ reply: CurlReply, for use: ReplyUse) throws(CurlError) {
        let isSuccess = (200..<300).contains(reply.status)
        let coding = reply.coding
        guard coding.utf8.count <= CurlReply.maxRelayedBytes else { throw .badReply }
        let isPlain = coding.isEmpty
        let body = ReplyBody(
            reply.body, coding: isPlain ? nil : coding, isSuccess: isSuccess,
            isOnlyPassed: use != .page && reply.hasDeterminedLength)
        // A body that ends with its connection may have been cut anywhere, but no part of a JSON object is one.
        if !reply.hasDeterminedLength {
            switch body {
            case .object: break
            case .empty, .other: if isSuccess || reply.body.looksLikeJSON { throw .cutShort }
            case .doubtful, .coded: throw .cutShort
            }
        }
        let type = reply.relayed("x-amzn-errortype")
        var code = type.flatMap { ErrorCode.sanitized($0) }
        var isGood = false
        if case .object(let own, let isGoodObject) = body { (code, isGood) = (code ?? own, isGoodObject) }
        if isSuccess, code == nil, use != .write {
            if use == .page, body == .other || body == .empty { throw .notJSON }
            // An error that names no code, or that some readers may find where others find a page.
            if case .object(_, isGood: false) = body { throw .notJSON }
            if body == .doubtful, ErrorCode.mayName(in: reply.body.span) { throw .notJSON }
        }
        let isError = !isSuccess || code != nil
        self.init(
            status: reply.status, body: reply.body, errorCode: code, errorType: type,
            queryError: isError ? reply.relayed("x-amzn-query-error") : nil,
            retryAfter: isError ? RetryAfter(reply) : nil,
            requestID: reply.relayed("x-amzn-requestid") ?? reply.relayed("x-amz-request-id"),
            contentType: reply.relayed("content-type"), contentEncoding: isPlain ? nil : coding,
            isStorable: isPlain && reply.hasDeterminedLength, isGoodObject: isGood)
    }
}

extension RetryAfter {
    fileprivate init?(_ reply: CurlReply) {
        self.init(
            standard: reply["retry-after"], amazon: reply["x-amz-retry-after"],
            date: reply["date"].flatMap(HTTPDate.seconds).map(WallInstant.init(seconds:)))
    }
}

extension CurlError {
    /// A good reply whose body is not the JSON of the protocol.
    static let notJSON = CurlError(rawValue: -100, mayHaveSent: true)

    /// A short English phrase without addresses, names or secrets, for clients.
    var clientText: String { self == .notJSON ? Self.notJSONText : description }

    /// The same for operators, as precise as it is known.
    var operatorText: String { words ?? clientText }

    private static let notJSONText = "the reply is not the JSON of this protocol"
}

extension CurlReply {
    /// The longest value of a field that is passed on. Those that services send have less than 100 bytes.
    static let maxRelayedBytes = 512

    /// The value of a field for the client; nil if there is none, or one that is too long to be meant.
    fileprivate func relayed(_ name: String) -> String? {
        self[name].flatMap { $0.utf8.count <= Self.maxRelayedBytes ? $0 : nil }
    }

    /// The codings of the body in lower case, all fields of them; empty if there are none but `identity`.
    fileprivate var coding: String {
        var codings = ""
        for field in fields where field.name == "content-encoding" {
            let coding = field.value.lowercased()
            if coding != "identity" { codings += codings.isEmpty ? coding : ", \(coding)" }
        }
        return codings
    }
}

extension [UInt8] {
    /// True if it begins as a JSON object does.
    fileprivate var looksLikeJSON: Bool {
        first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
    }
}
