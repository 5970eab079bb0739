/// Pages by key: an open-addressing index over a slab of records that are linked into the eviction policy's lists.
///
/// Records are found by hash and then by all bytes of the key; slots are freed by shifting later ones back, so there are no
/// tombstones to wade through.
struct PageTable {
    /// The lists of the eviction policy.
    enum List: UInt8 {
        case window
        case probation
        case protected
        /// The record is free.
        case none
    }

    /// A page and its place in its list.
    struct Record {
        var page: Page?
        var hash: UInt64
        var list: List
        /// Towards the most recently used.
        var newer: Int32
        /// Towards the least recently used.
        var older: Int32
        /// The epoch of the page's domain when its fetch began, and where to look that up.
        var epoch: Epoch
    }

    static let nowhere: Int32 = -1

    private(set) var records: [Record] = []
    private var index: [Int32]
    private var free: [Int32] = []
    private(set) var count = 0

    init() { index = [Int32](repeating: Self.nowhere, count: 64) }

    /// The record of a key, or nothing.
    func find(_ key: PageKey) -> Int32? {
        var slot = start(key.hash)
        while true {
            let record = index[slot]
            if record == Self.nowhere { return nil }
            if records[Int(record)].hash == key.hash, records[Int(record)].page?.key == key { return record }
            slot = next(slot)
        }
    }

    /// Adds a page whose key is not there.
    mutating func insert(_ page: Page, epoch: Epoch) -> Int32 {
        if (count + 1) * 2 > index.count { grow() }
        let record = Record(
            page: page, hash: page.key.hash, list: .none, newer: Self.nowhere, older: Self.nowhere, epoch: epoch)
        let place: Int32
        if let reused = free.popLast() {
            place = reused
            records[Int(reused)] = record
        } else {
            place = Int32(truncatingIfNeeded: records.count)
            records.append(record)
        }
        put(place)
        count += 1
        return place
    }

    /// Puts another page in the place of the one with the same key.
    mutating func replace(_ place: Int32, with page: Page, epoch: Epoch) {
        records[Int(place)].page = page
        records[Int(place)].epoch = epoch
    }

    /// Takes a record out of the index and frees it. It must be in no list.
    mutating func remove(_ place: Int32) {
        var hole = start(records[Int(place)].hash)
        while index[hole] != place { hole = next(hole) }
        // Whatever was pushed past the hole by it moves back.
        var slot = next(hole)
        while index[slot] != Self.nowhere {
            let home = start(records[Int(index[slot])].hash)
            let distance = (slot - home) & (index.count - 1)
            if distance >= (slot - hole) & (index.count - 1) {
                index[hole] = index[slot]
                hole = slot
            }
            slot = next(slot)
        }
        index[hole] = Self.nowhere
        records[Int(place)].page = nil
        free.append(place)
        count -= 1
    }

    // MARK: Links, for the lists

    mutating func setList(_ list: List, of place: Int32) { records[Int(place)].list = list }

    mutating func setNewer(_ newer: Int32, of place: Int32) { records[Int(place)].newer = newer }

    mutating func setOlder(_ older: Int32, of place: Int32) { records[Int(place)].older = older }

    // MARK: Index

    private func start(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 8) & (index.count - 1) }

    private func next(_ slot: Int) -> Int { (slot + 1) & (index.count - 1) }

    private mutating func put(_ place: Int32) {
        var slot = start(records[Int(place)].hash)
        while index[slot] != Self.nowhere { slot = next(slot) }
        index[slot] = place
    }

    private mutating func grow() {
        let places = index.filter { $0 != Self.nowhere }
        index = [Int32](repeating: Self.nowhere, count: index.count * 2)
        for place in places { put(place) }
    }
}
