/// The eviction policy of a shard: W-TinyLFU, bounded by bytes.
///
/// Einziger, Friedman, Manes: TinyLFU: A Highly Efficient Cache Admission Policy, ACM Transactions on Storage 13 (4), 2017,
/// section 4. New pages pass through a small window. A page that leaves the window stays only if it is requested more often
/// than the page that would be evicted for it. A caller that reads ten thousand pages once therefore evicts no page that is
/// requested twice.
struct EvictionPolicy {
    private var windowBytes: Int
    private var mainBytes: Int
    private var protectedBytes: Int
    private var window = RecencyList(.window)
    private var probation = RecencyList(.probation)
    private var protected = RecencyList(.protected)
    /// Never smaller, so that the counts of a few hundred pages outlive a walk through ten thousand.
    private var sketch = FrequencySketch(capacity: 1024)

    /// - Parameter maxBytes: the maximum weight of all pages together. 1 % of it is the window; 80 % of the rest is for pages
    ///   that were requested again.
    init(maxBytes: Int) {
        windowBytes = maxBytes / 100
        mainBytes = maxBytes - windowBytes
        protectedBytes = mainBytes / 5 * 4
    }

    /// Another bound takes effect.
    ///
    /// - Returns: the records to evict, already out of their lists: the oldest ones of those that were requested least.
    mutating func resize(maxBytes: Int, _ table: inout PageTable) -> [Int32] {
        let new = EvictionPolicy(maxBytes: maxBytes)
        (windowBytes, mainBytes, protectedBytes) = (new.windowBytes, new.mainBytes, new.protectedBytes)
        var evicted: [Int32] = []
        while window.bytes > windowBytes, window.oldest != PageTable.nowhere {
            let place = window.oldest
            window.remove(place, &table)
            probation.append(place, &table)
        }
        while probation.bytes + protected.bytes > mainBytes {
            let victim = probation.oldest == PageTable.nowhere ? protected.oldest : probation.oldest
            guard victim != PageTable.nowhere else { break }
            remove(victim, &table)
            evicted.append(victim)
        }
        while protected.bytes > protectedBytes, protected.oldest != PageTable.nowhere {
            let demoted = protected.oldest
            protected.remove(demoted, &table)
            probation.append(demoted, &table)
        }
        return evicted
    }

    /// The weight of all pages.
    var bytes: Int { window.bytes + probation.bytes + protected.bytes }

    /// Counts a request for a key, stored or not.
    mutating func recordRequest(_ hash: UInt64) { sketch.increment(hash) }

    /// Makes a record the most recently used.
    ///
    /// - Parameter requests: are counted for it, because its link is written anyway.
    mutating func touch(_ place: Int32, counting requests: UInt16 = 0, _ table: inout PageTable) {
        switch table.links[Int(place)].list {
        case .window:
            window.moveToFront(place, counting: requests, &table)
        case .probation:
            table.count(requests, of: place)
            probation.remove(place, &table)
            protected.append(place, &table)
            while protected.bytes > protectedBytes, protected.oldest != place, protected.oldest != PageTable.nowhere {
                let demoted = protected.oldest
                protected.remove(demoted, &table)
                probation.append(demoted, &table)
            }
        case .protected:
            protected.moveToFront(place, counting: requests, &table)
        case .none:
            break
        }
    }

    /// Admits a record that is in no list.
    ///
    /// - Returns: the records to evict, already out of their lists. The new one may be among them.
    mutating func admit(_ place: Int32, _ table: inout PageTable) -> [Int32] {
        if table.count > sketch.capacity { sketch.grow() }
        window.append(place, &table)
        var evicted: [Int32] = []
        while window.bytes > windowBytes, window.oldest != PageTable.nowhere {
            let candidate = window.oldest
            window.remove(candidate, &table)
            probation.append(candidate, &table)
            makeRoom(for: candidate, &table, &evicted)
        }
        return evicted
    }

    mutating func remove(_ place: Int32, _ table: inout PageTable) {
        switch table.links[Int(place)].list {
        case .window: window.remove(place, &table)
        case .probation: probation.remove(place, &table)
        case .protected: protected.remove(place, &table)
        case .none: break
        }
    }

    private func popularity(of place: Int32, _ table: borrowing PageTable) -> UInt64 {
        table.records[Int(place)].page.map { sketch.estimate($0.key.hash) } ?? 0
    }

    /// Evicts the less popular one of the candidate and the oldest record on probation, until all records fit.
    private mutating func makeRoom(for candidate: Int32, _ table: inout PageTable, _ evicted: inout [Int32]) {
        let popularity = popularity(of: candidate, table)
        while probation.bytes + protected.bytes > mainBytes {
            var victim = probation.oldest
            if victim == candidate { victim = protected.oldest }
            let isOutdone =
                victim == PageTable.nowhere || popularity <= self.popularity(of: victim, table)
            let loser = isOutdone ? candidate : victim
            remove(loser, &table)
            evicted.append(loser)
            if isOutdone { return }
        }
    }
}

/// A list of records from the most to the least recently used, linked through the records themselves.
struct RecencyList {
    private let list: PageTable.List
    private var newest = PageTable.nowhere
    /// The least recently used record.
    private(set) var oldest = PageTable.nowhere
    /// The weight of the list's pages.
    private(set) var bytes = 0

    init(_ list: PageTable.List) { self.list = list }

    /// Adds a record as the most recently used.
    mutating func append(_ place: Int32, _ table: inout PageTable) {
        table.setList(list, of: place)
        table.setNewer(PageTable.nowhere, of: place)
        table.setOlder(newest, of: place)
        if newest == PageTable.nowhere { oldest = place } else { table.setNewer(place, of: newest) }
        newest = place
        bytes += Int(table.links[Int(place)].weight)
    }

    /// Makes a record of this list the most recently used. Its own link is written once: this is on the way of every hit.
    mutating func moveToFront(_ place: Int32, counting requests: UInt16, _ table: inout PageTable) {
        var link = table.links[Int(place)]
        link.count(requests)
        if place != newest {
            table.setOlder(link.older, of: link.newer)
            if link.older == PageTable.nowhere {
                oldest = link.newer
            } else {
                table.setNewer(link.newer, of: link.older)
            }
            table.setNewer(place, of: newest)
            link.newer = PageTable.nowhere
            link.older = newest
            newest = place
        }
        table.setLink(link, of: place)
    }

    mutating func remove(_ place: Int32, _ table: inout PageTable) {
        let link = table.links[Int(place)]
        if link.newer == PageTable.nowhere { newest = link.older } else { table.setOlder(link.older, of: link.newer) }
        if link.older == PageTable.nowhere { oldest = link.newer } else { table.setNewer(link.newer, of: link.older) }
        table.setList(.none, of: place)
        bytes -= Int(link.weight)
    }
}
