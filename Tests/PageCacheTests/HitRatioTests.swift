import PageCache
import Testing

/// A cache of one shard with room for 1,000 equal pages, 200,000 requests. LRU on the same traces is printed beside it.
@Suite("The hit ratio")
struct HitRatioTests {
    @Test("of Zipf's law over 20,000 pages", arguments: [(0.8, 0.44), (1.0, 0.68)])
    func zipf(exponent: Double, least: Double) {
        let zipf = Zipf(count: 20_000, exponent: exponent)
        var generator = SeededGenerator(seed: 1)
        let requests = (0..<200_000).map { _ in Request(page: zipf.next(&generator)) }
        #expect(Self.ratio("Zipf \(exponent)", requests) >= least)
    }

    @Test("of Zipf's law over 2,000 pages with a walk through 10,000 cold ones every 20,000 requests")
    func scan() {
        let zipf = Zipf(count: 2000, exponent: 1)
        var generator = SeededGenerator(seed: 2)
        var requests: [Request] = []
        for walk in 1...10 {
            for _ in 0..<20_000 { requests.append(Request(page: zipf.next(&generator))) }
            for step in 0..<10_000 { requests.append(Request(page: walk * 100_000 + step, counts: false)) }
        }
        #expect(Self.ratio("walks", requests) >= 0.62)
    }

    @Test("of a loop over 1,200 pages")
    func loop() {
        #expect(Self.ratio("loop", (0..<200_000).map { Request(page: $0 % 1200) }) >= 0.69)
    }

    private struct Request {
        let page: Int
        /// Whether it is one whose hits are counted.
        var counts = true
    }

    private static func ratio(_ name: String, _ requests: [Request]) -> Double {
        let empty = PageCache(maxBytes: 1 << 20, maxWaiters: 1, shards: 1)
        let weight = Self.weight(in: empty)
        let cache = PageCache(maxBytes: 1000 * weight, maxWaiters: 1, shards: 1)
        var keys: [Int: PageKey] = [:]
        var recency = LeastRecentlyUsed(room: 1000)
        var hits = 0
        var hitsOfLRU = 0
        var counted = 0
        for request in requests {
            let key = keys[request.page] ?? PageKey(number: request.page)
            keys[request.page] = key
            let isHitOfLRU = recency.ask(request.page)
            let lookup = cache.find(key, scope: Bench.scope, waiter: Waiter(0), now: 0)
            if let flight = lookup.flight { _ = cache.land(flight, storing: Page(key), now: 0) }
            guard request.counts else { continue }
            counted += 1
            if lookup.kind == .fresh { hits += 1 }
            if isHitOfLRU { hitsOfLRU += 1 }
        }
        let ratio = Double(hits) / Double(counted)
        print("hit ratio, \(name): \(ratio), LRU \(Double(hitsOfLRU) / Double(counted))")
        #expect(cache.figures.pages <= 1000)
        return ratio
    }

    /// What one page counts for.
    private static func weight(in cache: PageCache) -> Int {
        let key = PageKey(number: 0)
        if let flight = cache.find(key, scope: Bench.scope, waiter: Waiter(0), now: 0).flight {
            _ = cache.land(flight, storing: Page(key), now: 0)
        }
        return cache.figures.bytes
    }
}

/// The least recently used goes: what every other policy is measured against.
private struct LeastRecentlyUsed {
    let room: Int
    private var lastUse: [Int: Int] = [:]
    private var uses: [(page: Int, time: Int)] = []
    private var oldest = 0

    init(room: Int) { self.room = room }

    /// Whether the page was there; it is now.
    mutating func ask(_ page: Int) -> Bool {
        let isHit = lastUse[page] != nil
        lastUse[page] = uses.count
        uses.append((page, uses.count))
        while lastUse.count > room {
            if lastUse[uses[oldest].page] == uses[oldest].time { lastUse[uses[oldest].page] = nil }
            oldest += 1
        }
        return isHit
    }
}
