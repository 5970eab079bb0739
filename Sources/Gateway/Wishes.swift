/// What a request asks of the cache itself (RFC 9111, section 5.2.1).
public struct Wishes: Sendable, Equatable {
    /// `no-cache`: not to be answered from the cache.
    public var fetchesAnew: Bool
    /// `only-if-cached`: not to be answered from anywhere else.
    public var onlyIfCached: Bool

    /// - Parameters:
    ///   - fetchesAnew: only for callers who may: each such request costs a token of the quota.
    public init(fetchesAnew: Bool = false, onlyIfCached: Bool = false) {
        self.fetchesAnew = fetchesAnew
        self.onlyIfCached = onlyIfCached
    }
}
