public import Primitives

/// A request's directives: of the cache (RFC 9111, section 5.2.1), and of its client's time and retries.
public struct CacheDirectives: Sendable, Equatable {
    /// `no-cache`: not to be answered from the cache. Only for callers who may: each such request costs a token of the quota.
    public var noCache: Bool
    /// `only-if-cached`: not to be answered from anywhere else.
    public var onlyIfCached: Bool
    /// When its client will have given up; nil if that is not known.
    public var deadline: MonotonicInstant?
    /// True if its client asks once more after a failure, so that it need not be tried again for it here.
    public var isRetry: Bool

    public init(
        noCache: Bool = false, onlyIfCached: Bool = false, deadline: MonotonicInstant? = nil, isRetry: Bool = false
    ) {
        self.noCache = noCache
        self.onlyIfCached = onlyIfCached
        self.deadline = deadline
        self.isRetry = isRetry
    }
}
