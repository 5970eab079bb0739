public import AWSProtocol

/// One operation of a service: data from the catalog, never a branch in code.
public struct Operation: Sendable, Equatable {
    /// How the gateway treats it.
    public enum Kind: String, Sendable, CaseIterable {
        /// A page of a listing: cached and coalesced.
        case page
        /// A read of one thing: cached and coalesced.
        case read
        /// A read whose answer is new each time: never cached or coalesced.
        case live
        /// Everything else.
        case write

        /// True if answers are kept.
        public var isCached: Bool { self == .page || self == .read }
    }

    /// Whose pages a write makes void.
    public enum Invalidation: String, Sendable, CaseIterable {
        /// The pages of the domain that it names.
        case domain
        /// The pages of the service's operations without a domain.
        case service
        /// The pages of the domain whose ARN it names.
        case resource
        /// Every page of the service.
        case all
    }

    /// A member of the output that differs in each answer, and says nothing of the page.
    public struct FreshToken: Sendable, Equatable {
        public var member: [UInt8]
        /// How long it is good for, in nanoseconds.
        public var life: Int64
    }

    /// The name, without the target prefix.
    public var name: String
    public var kind: Kind
    /// The quota group's place in the catalog's list.
    public var quotaGroup: Int
    /// True if the types of its input are judged here.
    public var isJudged: Bool
    /// The input members, in the order of their names.
    public var input: [InputConstraint]
    /// The members' names as bytes, in the same order.
    var memberNames: [[UInt8]]
    /// The value that is the same as leaving the member out, where there is one, in the same order.
    public var defaults: [Int64?]
    /// The place in `input` of the member that names the domain.
    public var domain: Int?
    /// The place in `input` of the member that a listing's time to live depends on.
    public var status: Int?
    /// The place in `input` of the member that names an ARN.
    public var resource: Int?
    /// The place in `input` of the member that makes a repeated write safe.
    public var idempotencyToken: Int?
    public var invalidates: [Invalidation]
    /// Values of `status` after which what is listed changes no more.
    public var final: [[UInt8]] = []
    /// How long an answer is fresh, in nanoseconds; nil for the configuration's default.
    public var ttl: Int64?
    /// The time limit of an attempt in nanoseconds, for an operation that waits for news; nil for the configuration's.
    public var timeout: Int64?
    /// The word before the endpoint's host name: `sync-`.
    public var hostPrefix: String?
    /// True if the input or the output holds something that must not be written to a disk.
    public var isSensitive = false
    /// True if its requests are not signed. Such an operation is not cached.
    public var isUnsigned = false
    /// The token that continues a listing, if each answer has a new one for the same page.
    public var freshToken: FreshToken?
    /// True if the answer is a stream of events or of bytes.
    public var isStream = false
}
