import Foundation
import Primitives
import RefreshScheduler

/// The cost of choosing the next page to refresh, with those that are worked out anew, and of recording its fetch, by the number of pages.

func at(_ seconds: Double) -> MonotonicInstant { MonotonicInstant(nanoseconds: Int64(seconds * 1e9)) }

for count in [100, 10_000, 1_000_000] {
    var scheduler = RefreshScheduler(groups: 1, minInterval: 1_000_000_000)
    var generator = SplitMix64(seed: 1)
    var now = 0.0
    func store(_ page: Int, _ observation: RefreshScheduler.Observation?) {
        var estimate =
            observation.flatMap { scheduler.estimate(of: page, fetchedAt: $0.before) }
            ?? ChangeEstimate(rate: 1 / 60, deviation: 2)
        if let observation {
            estimate.observe(hasChanged: observation.hasChanged, over: Double(at(now) - observation.before) / 1e9)
        }
        scheduler.stored(
            page, group: 0, fetchedAt: at(now), estimate: estimate, observation: observation,
            lastChance: at(now + 1e7))
    }
    for page in 0..<count {
        now += 0.001
        store(page, nil)
    }
    let steps = 200_000
    let elapsed = ContinuousClock().measure {
        for _ in 0..<steps {
            now += 0.5
            guard let next = scheduler.next(in: 0, now: at(now)) else { continue }
            let requests = Int.random(in: 1...1000, using: &generator)
            scheduler.reconsider(next.page, fetchedAt: next.fetchedAt, requests: requests, now: at(now))
            scheduler.begun(next, requests: requests)
            for other in scheduler.sweep(4) {
                scheduler.reconsider(other.page, fetchedAt: other.fetchedAt, requests: requests, now: at(now))
            }
            store(
                next.page,
                RefreshScheduler.Observation(
                    before: next.fetchedAt, hasChanged: Bool.random(using: &generator), requests: 0))
        }
    }
    let microseconds = elapsed / .microseconds(steps)
    print("\(count) pages: \((microseconds * 100).rounded() / 100) µs for a refresh")
}
