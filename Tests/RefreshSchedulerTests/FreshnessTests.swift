import Foundation
import Testing

@testable import RefreshScheduler

@Suite("The arithmetic of freshness")
struct FreshnessTests {
    @Test("inverts the worth of a refresh", arguments: [1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999])
    func inverse(worth: Double) {
        let x = Freshness.inverseWorth(worth)
        #expect(abs(Freshness.worth(x) - worth) <= 1e-5 * worth)
    }

    @Test("has no age at which a refresh is worth more than all")
    func bounds() {
        #expect(Freshness.inverseWorth(1) == .infinity)
        #expect(Freshness.inverseWorth(0) == 0)
        #expect(Freshness.worth(1e9) == 1)
        #expect(Freshness.average(0) == 1)
    }

    @Test("says how long a page may be served", arguments: [0.001, 0.05, 0.3, 0.9])
    func span(staleness: Double) {
        #expect(abs(1 - Freshness.average(Freshness.span(staleness: staleness)) - staleness) < 1e-5)
    }

    @Test("says what part of a span a changed page was out of date", arguments: [1e-4, 0.5, 5, 50])
    func outdated(x: Double) {
        // The chance of being out of date at a random moment is that of a change times the part.
        let expected = (1 - Freshness.average(x)) / -expm1(-x)
        #expect(abs(Freshness.outdatedPart(x) - expected) < 1e-3)
    }

    @Test("finds intervals that no others surpass")
    func optimum() {
        let pages = [
            FreshnessBound.Page(requests: 10, changes: 0.01), FreshnessBound.Page(requests: 1, changes: 0.1),
            FreshnessBound.Page(requests: 3, changes: 1),
        ]
        let bound = FreshnessBound(optimumFor: pages, rate: 0.5)
        #expect(abs(bound.intervals.reduce(0) { $0 + 1 / $1 } - 0.5) < 1e-6)
        var best = 0.0
        for first in stride(from: 0.0, through: 0.5, by: 0.002) {
            for second in stride(from: 0.0, through: 0.5 - first, by: 0.002) {
                let rates = [first, second, 0.5 - first - second]
                let fresh = zip(pages, rates).reduce(0) {
                    $0 + ($1.1 > 0 ? $1.0.requests * Freshness.average($1.0.changes / $1.1) : 0)
                }
                best = max(best, fresh / 14)
            }
        }
        #expect(bound.freshness >= best - 1e-9)
        #expect(bound.freshness <= best + 1e-3)
        #expect(FreshnessBound(roundRobin: pages, rate: 0.5).freshness < bound.freshness)
        #expect(FreshnessBound(roundRobin: pages, rate: 0.5).age(0.5).rounded() == 3)
    }
}
