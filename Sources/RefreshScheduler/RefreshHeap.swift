internal import Primitives

/// Pages by the instants at which their refresh is worth a token, the earliest first: a binary heap of page numbers. Where a page is
/// in it, and its instant, is kept by the caller, so that a page can be moved and taken out.
///
/// Complexity: O(log n) for each change.
struct RefreshHeap {
    private(set) var pages: [Int32] = []

    var first: Int32? { pages.first }

    /// Puts a page in, moves it, or takes it out, by what `slots` holds of it.
    mutating func place(_ page: Int32, _ slots: inout [RefreshSlot]) {
        let at = slots[Int(page)].heapPlace
        if at == RefreshSlot.nowhere {
            pages.append(page)
            rise(pages.count - 1, page, &slots)
        } else {
            sink(rise(Int(at), page, &slots), page, &slots)
        }
    }

    mutating func remove(_ page: Int32, _ slots: inout [RefreshSlot]) {
        let at = Int(slots[Int(page)].heapPlace)
        guard at >= 0, let last = pages.popLast() else { return }
        slots[Int(page)].heapPlace = RefreshSlot.nowhere
        guard at < pages.count else { return }
        sink(rise(at, last, &slots), last, &slots)
    }

    /// Moves a page up from a place as far as it belongs; returns where it is then.
    @discardableResult
    private mutating func rise(_ from: Int, _ page: Int32, _ slots: inout [RefreshSlot]) -> Int {
        let key = slots[Int(page)].dueAt
        var place = from
        while place > 0 {
            let parent = (place - 1) / 2
            guard key < slots[Int(pages[parent])].dueAt else { break }
            put(pages[parent], at: place, &slots)
            place = parent
        }
        put(page, at: place, &slots)
        return place
    }

    private mutating func sink(_ from: Int, _ page: Int32, _ slots: inout [RefreshSlot]) {
        let key = slots[Int(page)].dueAt
        var place = from
        while true {
            var child = 2 * place + 1
            guard child < pages.count else { break }
            if child + 1 < pages.count, slots[Int(pages[child + 1])].dueAt < slots[Int(pages[child])].dueAt {
                child += 1
            }
            guard slots[Int(pages[child])].dueAt < key else { break }
            put(pages[child], at: place, &slots)
            place = child
        }
        put(page, at: place, &slots)
    }

    private mutating func put(_ page: Int32, at place: Int, _ slots: inout [RefreshSlot]) {
        pages[place] = page
        slots[Int(page)].heapPlace = Int32(truncatingIfNeeded: place)
    }
}

/// What is kept of a page, 44 bytes with its place in the heap.
struct RefreshSlot {
    static let nowhere: Int32 = -1

    /// When the stored page was fetched; `distantPast` if there is none. It tells one page of a place from the next.
    var fetchedAt = MonotonicInstant.distantPast
    /// When its refresh is worth a token.
    var dueAt = MonotonicInstant.distantFuture
    var change = ChangeEstimate(rate: 0, deviation: 1)
    var requests = RequestRate()
    /// Its place in its group's heap, `nowhere` if it is in none.
    var heapPlace = nowhere
    /// Requests since the fetch that were counted when a refresh was begun.
    var counted: UInt16 = 0
    /// The number of its quota group, and two flags.
    private var groupAndFlags: UInt16 = 0

    static let mostGroups = 0x4000

    var group: Int {
        get { Int(groupAndFlags & 0x3fff) }
        set { groupAndFlags = groupAndFlags & 0xc000 | UInt16(truncatingIfNeeded: newValue) & 0x3fff }
    }

    /// True if it is to be refreshed to learn how often it changes.
    var isTrial: Bool {
        get { groupAndFlags & 0x8000 != 0 }
        set { groupAndFlags = groupAndFlags & 0x7fff | (newValue ? 0x8000 : 0) }
    }

    /// True if it is no candidate before `dueAt`.
    var isResting: Bool {
        get { groupAndFlags & 0x4000 != 0 }
        set { groupAndFlags = groupAndFlags & 0xbfff | (newValue ? 0x4000 : 0) }
    }
}
