internal import Locking
internal import RateLimiter

/// How many tokens of each quota group were spent, and what for.
public final class QuotaSpending: Sendable {
    /// What a token was spent on. The raw value is the metric label.
    public enum Purpose: String, Sendable, CaseIterable {
        /// A request waited for it.
        case caller
        /// An attempt before it had failed.
        case retry
        /// A page that was past its time.
        case refresh
        /// A page that was not, with a spare token.
        case ahead
    }

    /// By service, where its groups begin.
    private let starts: [Int]
    private let counts: Locked<[UInt64]>

    init(_ services: [Service]) {
        var starts: [Int] = []
        var groups = 0
        for service in services {
            starts.append(groups)
            groups += service.catalog.quotaGroups.count
        }
        self.starts = starts
        counts = Locked([UInt64](repeating: 0, count: groups * Purpose.allCases.count))
    }

    /// Counts the token of an attempt that is sent.
    func count(_ attempt: borrowing GrantedAttempt) {
        let fetch = attempt.fetch
        let purpose: Purpose =
            if attempt.number > 1 { .retry } else if fetch.isAhead { .ahead } else {
                switch fetch.claim {
                case .caller: .caller
                case .refresh: .refresh
                }
            }
        let place = place(fetch.service, fetch.quotaGroup, purpose)
        counts.withLock { if $0.indices.contains(place) { $0[place] &+= 1 } }
    }

    /// The tokens of a service's quota group that were spent for a purpose.
    public subscript(service: Int, group: Int, purpose: Purpose) -> UInt64 {
        let place = place(service, group, purpose)
        return counts.withLock { $0.indices.contains(place) ? $0[place] : 0 }
    }

    private func place(_ service: Int, _ group: Int, _ purpose: Purpose) -> Int {
        let column = Purpose.allCases.firstIndex(of: purpose) ?? 0
        return starts.indices.contains(service) ? (starts[service] + group) * Purpose.allCases.count + column : -1
    }
}
