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

/// What is kept of a page beside its place in the heap.
struct RefreshSlot {
    static let nowhere: Int32 = -1

    struct Flags: OptionSet {
        var rawValue: UInt8
        /// It is to be refreshed to learn how often it changes.
        static let trial = Flags(rawValue: 1)
        /// It is no candidate before `dueAt`.
        static let resting = Flags(rawValue: 2)
        /// It rests because it was not asked for.
        static let unasked = Flags(rawValue: 4)
        /// It was asked for after its time to live.
        static let wanted = Flags(rawValue: 8)
        /// Its time to live is an estimate.
        static let adaptive = Flags(rawValue: 16)
        /// It is due because its time to live ends soon, not by its worth.
        static let expiring = Flags(rawValue: 32)
    }

    /// What is known of how often it changes.
    var change = ChangeEstimate(rate: 1, deviation: 1)
    /// When the stored page was fetched; `distantPast` if there is none. It tells one page of a place from the next.
    var fetchedAt = MonotonicInstant.distantPast
    /// When its refresh is worth a token, or its rest is over.
    var dueAt = MonotonicInstant.distantFuture
    var requests = RequestRate()
    /// Its place in one of its group's heaps, `nowhere` if it is in none.
    var heapPlace = nowhere
    /// Requests since the fetch that were counted when a refresh was begun.
    var counted: UInt16 = 0
    /// The number of its quota group.
    var group: UInt16 = 0
    /// In sixteenths of a second; 0 if its end makes no difference, or is too far away.
    var timeToLive: UInt16 = 0
    /// In seconds after the fetch: by then it is refreshed whatever it is worth.
    var lastChance: Float = 0
    var flags: Flags = []
}
