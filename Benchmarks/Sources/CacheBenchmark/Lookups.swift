import PageCache
import Primitives
import TestSupport

/// What a lookup of a fresh page costs, its hash given, on one thread.
enum Lookups {
    static let count = 4_096_000
    /// Requests between two looks at the clock.
    private static let batch = 256

    /// - Returns: nanoseconds a lookup, in the median over all batches.
    static func cost(pages: Int, exponent: Double) -> Double {
        let scope = EpochScope(service: "s", domain: [])
        let cache = PageCache(maxBytes: pages * 1024, maxWaiters: 1)
        let keys = (0..<pages).map { PageKey(number: $0) }
        let waiter = Waiter(loop: 0, slot: 0, generation: 0)
        // A page's place in memory should have nothing to do with how often it is asked for.
        var generator = SeededGenerator(seed: 1)
        for key in keys.shuffled(using: &generator) {
            guard case .lead(let flight) = cache.find(key, scope: scope, waiter: waiter, now: 0) else { continue }
            let page = Page(key: key, status: 200, body: [], fetchedAt: 0, lifetime: Page.Lifetime(fresh: .max))
            _ = cache.land(flight, .keep(page), now: 0)
        }
        let zipf = exponent > 0 ? Zipf(count: pages, exponent: exponent) : nil
        let numbers = (0..<count).map { _ in
            zipf?.next(&generator) ?? Int.random(in: 0..<pages, using: &generator)
        }
        var costs: [Double] = []
        var found = 0
        for start in stride(from: 0, to: count, by: batch) {
            // A request brings its own bytes, which were just read: copies, and warm ones, but of pages that are not.
            let asked = numbers[start..<start + batch].map { PageKey(number: $0) }
            let elapsed = ContinuousClock().measure {
                for key in asked {
                    if case .fresh = cache.find(key, scope: scope, waiter: waiter, now: 0) { found += 1 }
                }
            }
            costs.append(elapsed / .nanoseconds(batch))
        }
        precondition(found == costs.count * batch, "every page is there")
        return costs.sorted()[costs.count / 2]
    }
}
