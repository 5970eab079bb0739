import Foundation
import Primitives
import TestSupport
import Testing

@testable import RefreshScheduler

/// Pages that change and are asked for by chance, refreshed by the scheduler with a token every half second. Nothing is known of them
/// at the start but the prior.
private struct ScheduledPages {
    private struct Page {
        let bound: FreshnessBound.Page
        var fetchedAt = 0.0
        /// Requests since then, up to a time.
        var requests = 0
        var countedUntil = 0.0
        /// When it changes first after its fetch.
        var changesAt = 0.0
        var fresh = 0.0
    }

    private var pages: [Page] = []
    private var scheduler = RefreshScheduler(groups: 1, minInterval: 1_000_000_000)
    private var priors = ChangePriors()
    private var generator: SeededGenerator
    private let rate: Double

    /// - Parameters:
    ///   - exponent: of Zipf's law; 200 requests a second in all.
    ///   - rate: refreshes a second.
    init(count: Int, exponent: Double, rate: Double, seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        self.rate = rate
        let all = (1...count).reduce(0) { $0 + pow(Double($1), -exponent) }
        for number in 1...count {
            let changes = exp(log(1 / 3600) * Double.random(in: 0..<1, using: &generator))
            pages.append(
                Page(bound: .init(requests: 200 * pow(Double(number), -exponent) / all, changes: changes)))
        }
    }

    var bounds: [FreshnessBound.Page] { pages.map(\.bound) }

    /// The share of up-to-date answers between two times, in seconds.
    mutating func run(warmUp: Double, until end: Double) -> Double {
        var now = 0.0
        for page in pages.indices {
            now += 1 / rate
            store(page, now: now, from: warmUp, observation: nil)
        }
        while now < end {
            now += 1 / rate
            guard let next = next(now), next.from <= instant(now) else { continue }
            scheduler.begun(next, requests: requests(next.page, now))
            for other in scheduler.sweep(4) { reconsider(other.page, other.fetchedAt, now) }
            let observation = RefreshScheduler.Observation(
                before: next.fetchedAt, hasChanged: pages[next.page].changesAt <= now, requests: 0)
            store(next.page, now: now, from: warmUp, observation: observation)
        }
        for page in pages.indices { count(page, now: now, from: warmUp) }
        let span = now - warmUp
        return pages.reduce(0) { $0 + $1.bound.requests * $1.fresh } / span / pages.reduce(0) { $0 + $1.bound.requests }
    }

    /// The page that is first when those that were thought to be have been looked at.
    private mutating func next(_ now: Double) -> RefreshScheduler.Candidate? {
        while let next = scheduler.next(in: 0, now: instant(now)) {
            if requests(next.page, now) == 0 {
                scheduler.isUnasked(next, now: instant(now))
                continue
            }
            reconsider(next.page, next.fetchedAt, now)
            if scheduler.next(in: 0, now: instant(now)) == next { return next }
        }
        return nil
    }

    private mutating func reconsider(_ page: Int, _ fetchedAt: MonotonicInstant, _ now: Double) {
        scheduler.reconsider(page, fetchedAt: fetchedAt, requests: requests(page, now), now: instant(now))
    }

    private mutating func requests(_ page: Int, _ now: Double) -> Int {
        pages[page].requests += poisson(pages[page].bound.requests * (now - pages[page].countedUntil))
        pages[page].countedUntil = now
        return pages[page].requests
    }

    private mutating func store(
        _ page: Int, now: Double, from start: Double, observation: RefreshScheduler.Observation?
    ) {
        var estimate =
            observation.flatMap { scheduler.estimate(of: page, fetchedAt: $0.before) }
            ?? priors.estimate(of: 0, lifetime: 10)
        if let observation {
            estimate.observe(hasChanged: observation.hasChanged, over: now - pages[page].fetchedAt)
            priors.learn(estimate, kind: 0)
            count(page, now: now, from: start)
        }
        pages[page].fetchedAt = now
        (pages[page].requests, pages[page].countedUntil) = (0, now)
        let chance = Double.random(in: 0..<1, using: &generator)
        pages[page].changesAt = now - log(1 - chance) / pages[page].bound.changes
        scheduler.stored(
            page, group: 0, isAdaptive: true, fetchedAt: instant(now), estimate: estimate, observation: observation,
            lastChance: instant(now + 40_000))
    }

    /// Adds the time since the page's fetch in which it was up to date.
    private mutating func count(_ page: Int, now: Double, from start: Double) {
        pages[page].fresh += max(0, min(now, pages[page].changesAt) - max(start, pages[page].fetchedAt))
    }

    private func instant(_ seconds: Double) -> MonotonicInstant { .at(Int64(seconds * 1e9) + 1) }

    private mutating func poisson(_ mean: Double) -> Int {
        if mean > 50 { return Int(mean) }
        var (count, product) = (0, Double.random(in: 0..<1, using: &generator))
        while product > exp(-mean) {
            count += 1
            product *= Double.random(in: 0..<1, using: &generator)
        }
        return count
    }
}

@Suite("What the scheduler makes of a quota")
struct SchedulingQualityTests {
    @Test(
        "comes to 0.95 of the most that can be had by who knows all, and is better than all pages in turn",
        arguments: [18, 100, 1000], [0.8, 1.0])
    func share(count: Int, exponent: Double) {
        var part = 0.0
        // Each token tells one bit, so of many pages it takes longer to learn how often they change.
        let (seeds, hours) = count < 1000 ? (1, 1.0) : (2, 5)
        for seed in 101..<(101 + seeds) {
            var pages = ScheduledPages(count: count, exponent: exponent, rate: 1.96, seed: UInt64(seed))
            let bounds = pages.bounds
            let share = pages.run(warmUp: hours * 3600, until: (hours + 1) * 3600)
            // The quota is 2 a second; 2 % of it are left unused.
            part += share / FreshnessBound(optimumFor: bounds, rate: 2).freshness / Double(seeds)
            #expect(share > FreshnessBound(roundRobin: bounds, rate: 1.96).freshness)
        }
        #expect(part >= 0.95)
    }
}
