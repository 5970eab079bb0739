/// What a request asks for beside its answer: of the cache (RFC 9111, section 5.2.1), and of time; and what it says of
/// itself.
public struct Wishes: Sendable, Equatable {
    /// `no-cache`: not to be answered from the cache.
    public var fetchesAnew: Bool
    /// `only-if-cached`: not to be answered from anywhere else.
    public var onlyIfCached: Bool
    /// When its client will have given up, in monotonic nanoseconds; nothing if that is not known.
    public var deadline: Int64?
    /// Whether its client asks once more after a failure, so that it need not be tried again for it here.
    public var isRetry: Bool

    /// - Parameters:
    ///   - fetchesAnew: only for callers who may: each such request costs a token of the quota.
    public init(
        fetchesAnew: Bool = false, onlyIfCached: Bool = false, deadline: Int64? = nil, isRetry: Bool = false
    ) {
        self.fetchesAnew = fetchesAnew
        self.onlyIfCached = onlyIfCached
        self.deadline = deadline
        self.isRetry = isRetry
    }
}
