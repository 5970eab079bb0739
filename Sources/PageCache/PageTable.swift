internal import Primitives

/// Pages by key: an open-addressing index over a slab of records that are linked into the eviction policy's lists.
///
/// A slot of the index holds a part of the hash beside the record's place, so that records of other keys are not read.
/// Records are found by hash and then by all bytes of the key. A freed slot is filled by shifting later ones back, so there
/// are no tombstones.
struct PageTable {
    enum List: UInt8 {
        case window
        case probation
        case protected
        /// The record is free.
        case none
    }

    /// A page and the fields that a lookup compares; free if `page` is `nil`.
    struct Record {
        var page: Page?
        // Copies of the page's fields: they are loaded from memory at the same time as the page.
        var key: [UInt8]
        var usableUntil: MonotonicInstant
        /// The epoch of the page's scope when its fetch was sent.
        var epoch: Epoch
    }

    /// A record's links in its list. They are small and apart from the records, because moving a record in a list writes to
    /// its neighbours.
    struct Link {
        /// The neighbour towards the most recently used record.
        var newer: Int32
        /// The neighbour towards the least recently used record.
        var older: Int32
        var weight: Int32
        var list: List
        /// True if its refresh waits for its turn, so that no request has to begin one.
        var isWanted = false
        /// Requests since the page was stored, or its refresh was begun. They are counted here because a request writes here anyway.
        var requests: UInt16 = 0

        /// Adds requests, up to the greatest number.
        mutating func count(_ more: UInt16) { requests = requests > .max - more ? .max : requests + more }
    }

    static let nowhere: Int32 = -1

    private(set) var records: [Record] = []
    private(set) var links: [Link] = []
    private var index: [Slot]
    private var free: [Int32] = []
    private(set) var count = 0

    private struct Slot {
        let place: Int32
        /// The lower half of the key's hash, whose lower bits choose the slot.
        let tag: UInt32

        static let empty = Slot(place: nowhere, tag: 0)

        var isEmpty: Bool { place == nowhere }
    }

    /// What each page takes beside `Page.weight`, in bytes.
    private let extraBytes: Int

    init(extraBytes: Int = 0) {
        index = [Slot](repeating: .empty, count: 64)
        self.extraBytes = extraBytes
    }

    /// The place of a key's record, `nil` if there is none.
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
        // The hash is read from the page: the page is needed next, and is loaded while the keys are compared.
        records[place].page?.key.hash == key.hash && records[place].key == key.bytes
    }

    /// Adds a page whose key is not in the table.
    mutating func insert(_ page: Page, epoch: Epoch) -> Int32 {
        if (count + 1) * 2 > index.count { grow() }
        let record = Record(
            page: page, key: page.key.bytes, usableUntil: page.usableUntil, epoch: epoch)
        let link = Link(
            newer: Self.nowhere, older: Self.nowhere, weight: Int32(clamping: page.weight + extraBytes), list: .none)
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

    /// Replaces a record's page by another one with the same key.
    mutating func replace(_ place: Int32, with page: Page, epoch: Epoch) {
        records[Int(place)].page = page
        links[Int(place)].weight = Int32(clamping: page.weight + extraBytes)
        links[Int(place)].isWanted = false
        records[Int(place)].usableUntil = page.usableUntil
        records[Int(place)].epoch = epoch
    }

    /// Removes a record from the index and frees it. It must be in no list.
    mutating func remove(_ place: Int32) {
        var hole = start(UInt32(truncatingIfNeeded: records[Int(place)].page?.key.hash ?? 0))
        while index[hole].place != place { hole = next(hole) }
        // Slots that were displaced past the hole move back.
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

    // MARK: Requests

    mutating func count(_ requests: UInt16, of place: Int32) { links[Int(place)].count(requests) }

    /// The requests since the last call.
    mutating func takeRequests(_ place: Int32) -> Int {
        defer { links[Int(place)].requests = 0 }
        return Int(links[Int(place)].requests)
    }

    mutating func setWanted(_ isWanted: Bool, of place: Int32) { links[Int(place)].isWanted = isWanted }

    // MARK: Links, for the lists

    mutating func setLink(_ link: Link, of place: Int32) { links[Int(place)] = link }

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
