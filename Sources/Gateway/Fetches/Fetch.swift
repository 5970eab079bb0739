public import PageCache
public import Primitives
public import RateLimiter
public import Streams
public import Tracing

/// A call to the upstream on behalf of one or more requests.
public struct Fetch: Sendable {
    /// The requests that it is made for.
    public enum Purpose: Sendable {
        /// All requests that wait for a page.
        case flight(Flight, Page.Lifetime)
        /// One request alone. `isRetry` is true if its client repeats it after a failure.
        case pass(Waiter, isRetry: Bool)
    }

    /// The cases in which it may be sent again.
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
    let request: Call.ServiceRequest
    public let purpose: Purpose
    /// Its claim to a place in the queue of its quota group.
    public internal(set) var claim: Claim
    /// The requests that wait get an error at this instant.
    public internal(set) var deadline: MonotonicInstant
    /// True if no request has caused it: it refreshes a page ahead, with a token that was spare.
    public internal(set) var isAhead = false
    /// True if its page was chosen by `RefreshScheduler`, which does not know it until it is told how the fetch ended.
    var isScheduled = false
    /// The fields of the request as its caller sent them, for a service that gets those and no others.
    public let forwarded: ForwardedFields?
    /// True if a page that another gateway has fetched is not new enough.
    public internal(set) var wantsNewPage = false
    /// The trace of the request that has caused it; nil if it belongs to none.
    public internal(set) var trace: RequestTrace?

    init(
        _ request: Call.ServiceRequest, _ purpose: Purpose, _ claim: Claim, forwarded: ForwardedFields?, id: UInt64,
        now: MonotonicInstant
    ) {
        self.id = id
        self.request = request
        self.purpose = purpose
        self.claim = claim
        deadline = now + request.callTimeout
        self.forwarded = forwarded
    }

    /// Which of the configured services.
    public var service: Int { request.service.index }
    /// The operation's index in the catalog; nil if the catalog does not know it.
    public var operation: Int? { request.operation }
    /// The time limit of an attempt in nanoseconds, for an operation that has one of its own.
    public var attemptTimeout: Int64? { request.attemptTimeout }
    /// The word before the endpoint's host name; nil for none.
    public var hostPrefix: String? { request.hostPrefix }
    /// The value of `X-Amz-Target`.
    public var target: String { request.target }
    public var body: [UInt8] { request.body }
    /// The value of `Content-Encoding`; nil if the body is in no coding.
    public var contentEncoding: String? { request.contentEncoding }
    /// True if a good reply is passed on as it comes.
    public var isStream: Bool { request.isStream }
    /// True if it is sent without a signature, because the service's model asks for none.
    public var isUnsigned: Bool { request.isUnsigned }
    public var safety: Safety { request.safety }
    /// The quota group's place in the catalog.
    public var quotaGroup: Int { request.quotaGroup }
    /// The domain that it is about, empty if it is about none.
    public var domain: [UInt8] { request.domain }
    /// The scopes whose pages it makes void, if it is a write.
    public var invalidates: [EpochScope] { request.invalidates }

    /// True if its requests have been answered with an older page.
    var isRefresh: Bool { if case .refresh = claim { true } else { false } }

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
    /// True if other clients can read the answer: false if this client asked for a content coding.
    let isPlain: Bool

    public init(_ fields: [(name: String, value: String)]) {
        self.fields = fields
        isPlain = fields.allSatisfy {
            $0.name.lowercased() != "accept-encoding" || $0.value.lowercased() == "identity"
        }
    }
}

/// How a fetch ended.
public enum FetchResult: Sendable {
    /// The upstream answered, well or with an error of its own.
    case reply(UpstreamReply)
    /// The upstream has begun to answer well: the head, and the body as it comes.
    case stream(UpstreamReply, PipeReader)
    /// No answer could be had.
    case fault(GatewayError)
    /// A quota token for another attempt, or the first, could not be had in time.
    case throttled(ThrottleScope, until: MonotonicInstant)
}

/// The upstream, as the gate uses it. Calls may come from any thread.
public protocol UpstreamPort: Sendable {
    /// Sends a first attempt. `Gate.finish` is called once for its fetch, on any thread.
    func start(_ attempt: consuming GrantedAttempt)

    /// An attempt has joined a queue of `Gate.queue`, which is to be released in time.
    func queueGrew()
}

// MARK: Attempts

// One value for each attempt of a fetch, whose state is its type:
//
//     WaitingAttempt ──admit──▶ GrantedAttempt ──markSent──▶ SentAttempt    (admit ends one that is refused)
//       │   ▲  ▲                     │                          │   │
//       │   │  └──────giveBack───────┘                          │   │
//       │   └──────────────────────repeated─────────────────────┘   │
//       └──end──▶ EndedAttempt ◀──────────────ended─────────────────┘
//                      └── Gate.finish
//
// None can be copied, and each step consumes one: tokens are given back at most once, and a fetch is finished at most once.

/// The content of an attempt in all its states. It can be copied, as quota groups need it, so it stays in this module.
struct AttemptRecord: Sendable {
    var fetch: Fetch
    /// 1 for the first.
    var number = 1
    /// When the attempt before it was sent; nil if none was.
    var sentAt: MonotonicInstant?
    /// True if it has taken a token of its domain.
    var holdsDomainToken = false
    /// When it asked for its tokens, and for how long it then waited for them; nanoseconds.
    var askedAt: MonotonicInstant?
    var wait: Int64 = 0
    /// How long the attempts before it have waited for their tokens, in nanoseconds.
    var earlierWait: Int64 = 0

    /// It has its tokens now.
    mutating func granted(now: MonotonicInstant) { wait = askedAt.map { max(0, now - $0) } ?? 0 }
}

/// An attempt that lacks a token. The next state is granted or ended.
public struct WaitingAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }
}

/// An attempt that has its tokens. The next state is sent; or waiting, if it is given back.
public struct GrantedAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }
}

/// An attempt that was sent; its tokens are spent. The next state is ended; or waiting, as the attempt after it.
public struct SentAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    public let sentAt: MonotonicInstant
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }

    /// When it asked for its tokens, and how many nanoseconds it waited for them; nil for one that needed to ask for none.
    public var askedAt: MonotonicInstant? { record.askedAt }
    public var wait: Int64 { record.wait }

    /// The attempt that follows this one, which has failed.
    public consuming func repeated() -> WaitingAttempt {
        WaitingAttempt(
            record: AttemptRecord(
                fetch: record.fetch, number: record.number + 1, sentAt: sentAt,
                earlierWait: record.earlierWait + record.wait))
    }

    public consuming func ended() -> EndedAttempt {
        EndedAttempt(
            fetch: record.fetch, attempts: record.number, sentAt: sentAt, wait: record.earlierWait + record.wait)
    }
}

/// The last attempt of a fetch has ended, or will not be sent: the right to finish the fetch, see `Gate.finish`.
public struct EndedAttempt: ~Copyable, Sendable {
    let fetch: Fetch
    let attempts: Int
    /// When the last of them was sent; nil if none was.
    let sentAt: MonotonicInstant?
    /// How long they waited for their tokens in all, in nanoseconds.
    var wait: Int64 = 0
}

extension EndedAttempt {
    /// The end of an attempt that was not sent.
    ///
    /// Never inlined, because Swift 6.3 in release builds makes a copy of such a value on its way into a case of `FetchQueue.Admission`, and to
    /// copy what cannot be copied is a trap.
    @inline(never)
    init(_ record: AttemptRecord) {
        self.init(
            fetch: record.fetch, attempts: record.number - 1, sentAt: record.sentAt,
            wait: record.earlierWait + record.wait)
    }
}

/// Attempts on their way to who sends them, first in, first out. (An array cannot hold what cannot be copied.)
public struct GrantedAttempts: ~Copyable, Sendable {
    private var records: [AttemptRecord] = []
    private var first = 0

    public init() {}

    init(_ records: [AttemptRecord]) { self.records = records }

    public mutating func append(_ attempt: consuming GrantedAttempt) { records.append(attempt.record) }

    /// Takes out the first; nil if there is none. The memory is kept for those that come next.
    public mutating func popFirst() -> GrantedAttempt? {
        guard first < records.count else {
            records.removeAll(keepingCapacity: true)
            first = 0
            return nil
        }
        first += 1
        return GrantedAttempt(record: records[first - 1])
    }
}

/// Attempts that will not have their turn in time, first in, first out.
public struct ExpiredAttempts: ~Copyable, Sendable {
    private var records: ArraySlice<AttemptRecord>

    init(_ records: [AttemptRecord]) { self.records = records[...] }

    /// Takes out the first; nil if there is none.
    public mutating func popFirst() -> WaitingAttempt? { records.popFirst().map { WaitingAttempt(record: $0) } }
}
