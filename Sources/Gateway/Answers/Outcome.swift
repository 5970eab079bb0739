/// How a request ended: the metric label and the log field of every answer. (`Cache-Status` says where an answer comes from.)
public enum Outcome: Int, Sendable, CaseIterable {
    /// A fresh page from the cache, negative ones included.
    case hit
    /// A page past its time.
    case stale
    /// A good answer that another request had caused.
    case coalesced
    /// A good answer fetched for this request.
    case miss
    /// A good answer that is not for the cache.
    case pass
    /// Refused by a limit of the gateway.
    case throttled
    /// Refused for the caller's identity or permissions.
    case denied
    /// Refused for the request's content.
    case invalid
    /// An error of the upstream, or caused by it.
    case failed

    /// The label value at `/metrics`.
    public var label: String { Self.labels[rawValue] }

    private static let labels = allCases.map { "\($0)" }
}

/// Which limit refused. The raw value is the label.
public enum ThrottleScope: String, Sendable, CaseIterable {
    case caller
    case domain
    case quota
    case waiters
    case streams

    /// Its place among all.
    public var index: Int {
        switch self {
        case .caller: 0
        case .domain: 1
        case .quota: 2
        case .waiters: 3
        case .streams: 4
        }
    }
}
