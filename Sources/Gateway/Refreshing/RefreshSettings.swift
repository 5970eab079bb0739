public import RefreshScheduler

/// What may be spent on refreshing pages before they are stale.
public struct RefreshSettings: Sendable, Equatable {
    /// The part of each quota's rate that may be spent ahead, 0 to 1; 0 for nothing.
    public var share = 0.8
    /// No page is refreshed ahead sooner after its last fetch, in nanoseconds.
    public var minInterval: Int64 = 1_000_000_000

    public init(share: Double = 0.8, minInterval: Int64 = 1_000_000_000) {
        self.share = share
        self.minInterval = minInterval
    }

    /// No page is refreshed ahead.
    public static let off = RefreshSettings(share: 0)
}

/// A time to live that follows how often a page changes.
public struct AdaptiveTTL: Sendable, Equatable {
    /// The bounds, in nanoseconds.
    public var min: Int64 = 1_000_000_000
    public var max: Int64 = 300_000_000_000
    /// The chance that a served page is out of date, on average over its life; 0 to 1, both excluded.
    public var staleness = 0.05

    public init() {}

    /// The time to live of a page that changes as often as is estimated. The less is known, the shorter it is: it is worked out for the
    /// mean of the rates that are possible, which is above the most likely one.
    public func timeToLive(_ change: ChangeEstimate) -> Int64 {
        let span = Freshness.span(staleness: staleness) / change.meanRate * 1e9
        return span < Double(max) ? Swift.max(min, Int64(span)) : Swift.max(min, max)
    }
}

/// The time to live of an operation's pages.
public enum TimeToLive: Sendable, Equatable {
    /// In nanoseconds.
    case fixed(Int64)
    case adaptive(AdaptiveTTL)

    /// No page is fresh for longer, in nanoseconds.
    public var longest: Int64 {
        switch self {
        case .fixed(let time): time
        case .adaptive(let bounds): bounds.max
        }
    }
}
