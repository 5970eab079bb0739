/// What a policy of eviction makes of a trace, for a number of equal pages: how many requests find their page.
enum Policies {
    /// The least recently used goes.
    static func leastRecentlyUsed(_ trace: Trace, room: Int) -> Int {
        var lastUse: [Int: Int] = [:]
        var oldest = 0
        var hits = 0
        for (time, page) in trace.pages.enumerated() {
            if lastUse.updateValue(time, forKey: page) != nil { hits += 1 }
            while lastUse.count > room {
                let candidate = trace.pages[oldest]
                if lastUse[candidate] == oldest { lastUse[candidate] = nil }
                oldest += 1
            }
        }
        return hits
    }

    /// The one that is asked for again last goes, or is not taken in: no policy can do better, and none can know.
    ///
    /// L. A. Belady: A study of replacement algorithms for a virtual-storage computer, IBM Systems Journal 5 (2), 1966.
    static func optimum(_ trace: Trace, room: Int) -> Int {
        let never = trace.pages.count
        var next = [Int](repeating: never, count: trace.pages.count)
        var seen: [Int: Int] = [:]
        for (time, page) in trace.pages.enumerated().reversed() {
            next[time] = seen.updateValue(time, forKey: page) ?? never
        }
        // Pages in the cache, and when each is asked for again.
        var kept: [(page: Int, use: Int)] = []
        var places: [Int: Int] = [:]
        var hits = 0
        for (time, page) in trace.pages.enumerated() {
            if let place = places[page] {
                hits += 1
                kept[place].use = next[time]
            } else if kept.count < room {
                places[page] = kept.count
                kept.append((page, next[time]))
            } else if let place = kept.indices.max(by: { kept[$0].use < kept[$1].use }), kept[place].use > next[time] {
                places[kept[place].page] = nil
                places[page] = place
                kept[place] = (page, next[time])
            }
        }
        return hits
    }

    /// The gateway's own cache.
    static func ours(_ trace: Trace, room: Int) -> Int {
        var simulation = CacheSimulation(pages: room)
        return trace.pages.count { simulation.ask($0) }
    }
}
