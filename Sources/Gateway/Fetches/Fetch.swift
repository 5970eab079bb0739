public import AWSProtocol
public import PageCache
public import Primitives
public import RateLimiter

/// A call to the upstream on behalf of one or more requests.
public struct Fetch: Sendable {
    /// The requests that it is made for.
    public enum Purpose: Sendable {
        /// All requests that wait for a page.
        case flight(Flight, Page.Lifetime)
        /// One request alone. `isRetry` is true if its client repeats it after a failure.
        case pass(Waiter, isRetry: Bool)
    }

    /// Whether it may be sent again.
    public enum Safety: Sendable {
        /// It changes nothing.
        case read
        /// It changes something, but carries a token by which the service recognises a repetition.
        case idempotentWrite
        /// Once a byte may have left it must not be sent again.
        case unsafeWrite
    }

    /// Unique in the process.
    public let id: UInt64
    /// What is asked for.
    let order: Call.Order
    public let purpose: Purpose
    /// Its claim to a place in the queue of its quota group.
    public internal(set) var claim: Claim
    /// The requests that wait get an error at this instant, in monotonic nanoseconds.
    public internal(set) var deadline: Int64
    /// The fields of the request as its caller sent them, for a service that gets those and no others.
    public let forwarded: ForwardedFields?

    init(
        _ order: Call.Order, _ purpose: Purpose, _ claim: Claim, forwarded: ForwardedFields?, id: UInt64, now: Int64
    ) {
        self.id = id
        self.order = order
        self.purpose = purpose
        self.claim = claim
        deadline = now &+ order.service.settings.callTimeout
        self.forwarded = forwarded
    }

    /// Which of the configured services.
    public var service: Int { order.service.index }
    /// The operation's index in the catalog; nil if the catalog does not know it.
    public var operation: Int? { order.operation }
    /// The value of `X-Amz-Target`.
    public var target: String { order.target }
    public var body: [UInt8] { order.body }
    public var safety: Safety { order.safety }
    /// The quota group's place in the catalog.
    public var quotaGroup: Int { order.quotaGroup }
    /// The domain that it is about, empty if it is about none.
    public var domain: [UInt8] { order.domain }
    /// The scopes whose pages it makes void, if it is a write.
    var invalidates: [EpochScope] { order.invalidates }

    func isFor(_ flight: Flight) -> Bool {
        if case .flight(let own, _) = purpose { own.id == flight.id } else { false }
    }

    func isFor(_ waiter: Waiter) -> Bool {
        if case .pass(let own, _) = purpose { own == waiter } else { false }
    }
}

/// The header fields of a request, end to end, in their order and spelling.
public final class ForwardedFields: Sendable {
    public let fields: [(name: String, value: String)]
    /// Whether other clients can read the answer: false if this client asked for a content coding.
    let isPlain: Bool

    public init(_ fields: [(name: String, value: String)]) {
        self.fields = fields
        isPlain = fields.allSatisfy {
            $0.name.lowercased() != "accept-encoding" || $0.value.lowercased() == "identity"
        }
    }
}

/// What the upstream answered, every byte of it.
public struct UpstreamReply: Sendable, Equatable {
    /// As it came; see `answerStatus`.
    public var status: Int
    public var body: [UInt8]
    /// What it says of its error; nil for a good reply.
    private let error: ErrorFields?
    /// The origin's id of the request.
    public var requestID: String?
    public var contentType: String?
    /// How the body is coded, if it is.
    public var contentEncoding: String?
    /// Whether the reply is fit to be kept: nothing about its length or coding is in doubt.
    public var isStorable: Bool
    /// Whether the body is a JSON object that is no error's.
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
            ? nil : ErrorFields(code: errorCode, type: errorType, queryError: queryError, retryAfter: retryAfter)
        self.requestID = requestID
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.isStorable = isStorable
        self.isGoodObject = isGoodObject ?? Self.isGoodObject(body.span)
    }

    /// The error code, from wherever it stands; nil for a good reply.
    public var errorCode: String? { error?.code }
    /// The value of `x-amzn-errortype`, as it came.
    public var errorType: String? { error?.type }
    /// The value of `x-amzn-query-error`, as it came: the code that clients read of services that once had the query protocol.
    public var queryError: String? { error?.queryError }
    /// When the service wants to be asked again, if it says so.
    public var retryAfter: RetryAfter? { error?.retryAfter }

    /// A class: most replies have none of these, and a reply is copied several times on its way.
    private final class ErrorFields: Sendable, Equatable {
        let code, type, queryError: String?
        let retryAfter: RetryAfter?

        init(code: String?, type: String?, queryError: String?, retryAfter: RetryAfter?) {
            self.code = code
            self.type = type
            self.queryError = queryError
            self.retryAfter = retryAfter
        }

        static func == (left: ErrorFields, right: ErrorFields) -> Bool {
            left.code == right.code && left.type == right.type && left.queryError == right.queryError
                && left.retryAfter == right.retryAfter
        }
    }

    private static func isGoodObject(_ body: Span<UInt8>) -> Bool {
        guard let members = try? JSONReader.members(of: body) else { return false }
        return !ErrorCode.isError(members, of: body)
    }
}

/// How a fetch ended.
public enum FetchResult: Sendable {
    /// The upstream answered, well or with an error of its own.
    case reply(UpstreamReply)
    /// No answer could be had.
    case fault(GatewayError)
    /// A quota token for another attempt, or the first, could not be had in time.
    case throttled(ThrottleScope, until: Int64)
}

/// What the gateway asks of the upstream. Calls may come from any thread.
public protocol UpstreamPort: Sendable {
    /// Sends a first attempt. `Gate.finish` is called once for its fetch, on any thread.
    func start(_ attempt: consuming GrantedAttempt)

    /// An attempt has joined a queue of `Gate.queue`, which is to be released in time.
    func queueGrew()
}
