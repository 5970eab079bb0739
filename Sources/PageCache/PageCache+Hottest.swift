public import Primitives

extension PageCache {
    /// A page, and how often it was asked for since it was fetched.
    public struct AskedPage: Sendable {
        /// The number of the page's place, which it keeps while it is stored.
        public let place: Int
        public let page: Page
        /// Requests since the page was stored or its refresh was begun; 65,535 at most.
        public let requests: Int

        /// Requests a second since the page was fetched, as if that was a second ago at least.
        public func rate(now: MonotonicInstant) -> Double {
            Double(requests) / max(1, Double(now - page.fetchedAt) / 1e9)
        }
    }

    /// The pages that are asked for most often, the most often first. Takes time linear in all pages, with the lock released after every
    /// thousand; it counts as no request.
    ///
    /// - Parameter most: how many at the most.
    public func hottest(_ most: Int, now: MonotonicInstant) -> [AskedPage] {
        var hottest: [AskedPage] = []
        for number in 0..<shardCount {
            var next: Int? = 0
            while let from = next {
                let (found, rest) = withShard(number) {
                    $0.asked(from: from, atMost: 1000, now: now) {
                        AskedPage(place: self.number(of: $0, in: number), page: $1, requests: $2)
                    }
                }
                hottest = Array((hottest + found).sorted { $0.rate(now: now) > $1.rate(now: now) }.prefix(most))
                next = rest
            }
        }
        return hottest
    }
}

extension Shard {
    /// Collects the usable pages of at most `atMost` records that were asked for since they were fetched.
    ///
    /// - Returns: the pages, and the next record, `nil` at the end.
    func asked(
        from: Int, atMost: Int, now: MonotonicInstant,
        _ make: (_ place: Int32, _ page: Page, _ requests: Int) -> PageCache.AskedPage
    ) -> (pages: [PageCache.AskedPage], next: Int?) {
        let end = min(from + atMost, table.records.count)
        let pages = (min(from, end)..<end).compactMap { place -> PageCache.AskedPage? in
            let requests = Int(table.links[place].requests)
            guard requests > 0, isAlive(place, now: now), let page = table.records[place].page else { return nil }
            return make(Int32(truncatingIfNeeded: place), page, requests)
        }
        return (pages, end < table.records.count ? end : nil)
    }
}
