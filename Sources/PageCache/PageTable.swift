/// Pages by key: an open-addressing index over a slab of records that are linked into the eviction policy's lists.
///
/// A slot of the index holds a part of the hash beside the record's place, so that records of other keys are not looked at.
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

    /// A page, and what finding it and judging it needs.
    struct Record {
        var page: Page?
        // The bytes of the page's key and its end are here too: they come from memory at the same time as the page.
        var key: [UInt8]
        var usableUntil: Int64
        /// The epoch of the page's domain when its fetch began, and where to look that up.
        var epoch: Epoch
    }

    /// A record's place in its list, and what lists need to know of it: apart, and small, because moving a record in a list
    /// touches its neighbours, which nobody asked for.
    struct Link {
        /// Towards the most recently used.
        var newer: Int32
        /// Towards the least recently used.
        var older: Int32
        var weight: Int32
        var list: List
    }

    static let nowhere: Int32 = -1

    private(set) var records: [Record] = []
    private(set) var links: [Link] = []
    private var index: [Slot]
    private var free: [Int32] = []
    private(set) var count = 0

    /// A place in the index: a record, or nothing.
    private struct Slot {
        let place: Int32
        /// The lower half of the key's hash; its own lower bits choose the slot.
        let tag: UInt32

        static let empty = Slot(place: nowhere, tag: 0)

        var isEmpty: Bool { place == nowhere }
    }

    init() { index = [Slot](repeating: .empty, count: 64) }

    /// The record of a key, or nothing.
    func find(_ key: PageKey) -> Int32? {
        let tag = UInt32(truncatingIfNeeded: key.hash)
        var position = start(tag)
        while true {
            let slot = index[position]
            if slot.isEmpty { return nil }
            if slot.tag == tag, matches(Int(slot.place), key) { return slot.place }
            position = next(position)
        }
    }

    private func matches(_ place: Int, _ key: PageKey) -> Bool {
        // The hash is the page's, which will be needed: it is on its way while keys are compared.
        records[place].page?.key.hash == key.hash && records[place].key == key.bytes
    }

    /// Adds a page whose key is not there.
    mutating func insert(_ page: Page, epoch: Epoch) -> Int32 {
        if (count + 1) * 2 > index.count { grow() }
        let record = Record(
            page: page, key: page.key.bytes, usableUntil: page.usableUntil, epoch: epoch)
        let link = Link(
            newer: Self.nowhere, older: Self.nowhere, weight: Int32(clamping: page.weight), list: .none)
        let place: Int32
        if let reused = free.popLast() {
            place = reused
            records[Int(reused)] = record
            links[Int(reused)] = link
        } else {
            place = Int32(truncatingIfNeeded: records.count)
            records.append(record)
            links.append(link)
        }
        put(Slot(place: place, tag: UInt32(truncatingIfNeeded: page.key.hash)))
        count += 1
        return place
    }

    /// Puts another page in the place of the one with the same key.
    mutating func replace(_ place: Int32, with page: Page, epoch: Epoch) {
        records[Int(place)].page = page
        links[Int(place)].weight = Int32(clamping: page.weight)
        records[Int(place)].usableUntil = page.usableUntil
        records[Int(place)].epoch = epoch
    }

    /// Takes a record out of the index and frees it. It must be in no list.
    mutating func remove(_ place: Int32) {
        var hole = start(UInt32(truncatingIfNeeded: records[Int(place)].page?.key.hash ?? 0))
        while index[hole].place != place { hole = next(hole) }
        // Whatever was pushed past the hole by it moves back.
        var position = next(hole)
        while !index[position].isEmpty {
            let distance = (position - start(index[position].tag)) & (index.count - 1)
            if distance >= (position - hole) & (index.count - 1) {
                index[hole] = index[position]
                hole = position
            }
            position = next(position)
        }
        index[hole] = .empty
        records[Int(place)].page = nil
        records[Int(place)].key = []
        free.append(place)
        count -= 1
    }

    // MARK: Links, for the lists

    mutating func setList(_ list: List, of place: Int32) { links[Int(place)].list = list }

    mutating func setNewer(_ newer: Int32, of place: Int32) { links[Int(place)].newer = newer }

    mutating func setOlder(_ older: Int32, of place: Int32) { links[Int(place)].older = older }

    // MARK: Index

    private func start(_ tag: UInt32) -> Int { Int(tag) & (index.count - 1) }

    private func next(_ position: Int) -> Int { (position + 1) & (index.count - 1) }

    private mutating func put(_ slot: Slot) {
        var position = start(slot.tag)
        while !index[position].isEmpty { position = next(position) }
        index[position] = slot
    }

    private mutating func grow() {
        let slots = index.filter { !$0.isEmpty }
        index = [Slot](repeating: .empty, count: index.count * 2)
        for slot in slots { put(slot) }
    }
}
