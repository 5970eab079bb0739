internal import Primitives

/// The permit to fetch one page. Its holder must call `PageCache.complete` exactly once, on every path. It belongs to the gateway,
/// not to the client that caused it.
public struct Flight: Sendable, Hashable {
    /// Unique in the cache.
    public let id: UInt64
    /// The key of the page.
    public let key: PageKey
    /// The scope of the page.
    public let scope: EpochScope

    public static func == (left: Flight, right: Flight) -> Bool { left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// The waiters of one flight, in the order in which they joined. Adding and removing take constant time, amortised: ten
/// thousand may join, and all of them may leave.
struct WaiterList {
    /// Up to this many are searched linearly, which is faster and needs no index.
    private static let smallCount = 16

    /// `nil` where a waiter has left.
    private var places: [Waiter?] = []
    /// The place of each waiter; empty while there are few.
    private var index: [Waiter: Int] = [:]
    /// The number of waiters.
    private(set) var count = 0
    private var retrying: Set<Waiter> = []

    init() {}

    var isEmpty: Bool { count == 0 }

    /// True if all waiters are retries and there is at least one.
    var areAllRetrying: Bool { count > 0 && retrying.count == count }

    var all: [Waiter] { places.compactMap(\.self) }

    func contains(_ waiter: Waiter) -> Bool { place(of: waiter) != nil }

    mutating func append(_ waiter: Waiter, isRetry: Bool) {
        if !index.isEmpty {
            index[waiter] = places.count
        } else if places.count == Self.smallCount {
            for (place, waiter) in places.enumerated() { if let waiter { index[waiter] = place } }
            index[waiter] = places.count
        }
        places.append(waiter)
        count += 1
        if isRetry { retrying.insert(waiter) }
    }

    /// - Returns: false if it was not in the list.
    mutating func remove(_ waiter: Waiter) -> Bool {
        guard let place = place(of: waiter) else { return false }
        places[place] = nil
        index[waiter] = nil
        retrying.remove(waiter)
        count -= 1
        if places.count > 2 * count + Self.smallCount { compact() }
        return true
    }

    private func place(of waiter: Waiter) -> Int? {
        index.isEmpty ? places.firstIndex(of: waiter) : index[waiter]
    }

    private mutating func compact() {
        places.removeAll { $0 == nil }
        index.removeAll(keepingCapacity: true)
        guard places.count > Self.smallCount else { return }
        for (place, waiter) in places.enumerated() { if let waiter { index[waiter] = place } }
    }
}
