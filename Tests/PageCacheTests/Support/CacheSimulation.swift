import PageCache
import Primitives

/// A cache of one shard with room for a number of equal pages, each fetched at its first request.
struct CacheSimulation {
    let cache: PageCache
    private var keys: [Int: PageKey] = [:]
    private let scope = EpochScope(service: "s", domain: [])

    init(pages: Int) {
        var one = CacheSimulation(maxBytes: 1 << 20)
        _ = one.ask(0)
        self.init(maxBytes: pages * one.cache.figures.bytes)
    }

    private init(maxBytes: Int) { cache = PageCache(maxBytes: maxBytes, maxWaiters: 1, shards: 1) }

    /// Requests a page and returns true if it was stored; otherwise it is fetched.
    mutating func ask(_ number: Int) -> Bool {
        let key = keys[number] ?? PageKey(number: number)
        keys[number] = key
        let waiter = Waiter(loop: 0, slot: 0, generation: 0)
        guard case .lead(let flight) = cache.find(key, scope: scope, waiter: waiter, now: 0) else { return true }
        let page = Page(key: key, status: 200, body: [], fetchedAt: 0, lifetime: Page.Lifetime(fresh: .max))
        _ = cache.land(flight, .keep(page), now: 0)
        return false
    }
}
