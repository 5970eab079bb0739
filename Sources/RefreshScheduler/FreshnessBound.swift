internal import Glibc

/// What could be reached with a quota if all were known: pages that are asked for at some rates and change at others, all times
/// random, each page refreshed at an interval of its own.
public struct FreshnessBound: Sendable {
    public struct Page: Sendable {
        /// Requests a second, and changes a second; both above 0.
        public var requests: Double
        public var changes: Double

        public init(requests: Double, changes: Double) {
            self.requests = requests
            self.changes = changes
        }
    }

    private let pages: [Page]
    /// For each page, the seconds from one refresh to the next; infinite if it is never refreshed.
    public let intervals: [Double]

    /// The intervals with the greatest share of up-to-date answers, for so many refreshes a second: those at which each page's refresh is
    /// worth the same (Lagrange), found by bisection. See `Freshness.worth`.
    public init(optimumFor pages: [Page], rate: Double) {
        func intervals(_ logPrice: Double) -> [Double] {
            pages.map { Freshness.inverseWorth(exp(logPrice) * $0.changes / $0.requests) / $0.changes }
        }
        var (low, high) = (-60.0, 30.0)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if intervals(middle).reduce(0, { $0 + 1 / $1 }) > rate { low = middle } else { high = middle }
        }
        self.pages = pages
        self.intervals = intervals(high)
    }

    /// All pages in turn.
    public init(roundRobin pages: [Page], rate: Double) {
        self.pages = pages
        intervals = pages.map { _ in Double(pages.count) / rate }
    }

    /// The share of answers that are up to date.
    public var freshness: Double {
        let all = pages.reduce(0) { $0 + $1.requests }
        let fresh = zip(pages, intervals).reduce(0) { sum, page in
            sum + (page.1.isFinite ? page.0.requests * Freshness.average(page.0.changes * page.1) : 0)
        }
        return fresh / all
    }

    /// The age in seconds that a share of the answers do not exceed; infinite if others are of pages that are never refreshed.
    public func age(_ share: Double) -> Double {
        let all = pages.reduce(0) { $0 + $1.requests }
        func younger(_ age: Double) -> Double {
            zip(pages, intervals).reduce(0) { $0 + $1.0.requests * min(1, age / $1.1) } / all
        }
        var (low, high) = (0.0, 1e9)
        guard younger(high) >= share else { return .infinity }
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if younger(middle) < share { low = middle } else { high = middle }
        }
        return high
    }
}
