/// Those who wait for one flight, in the order in which they came. Adding and removing take constant time, amortised: ten thousand
/// may come, and all of them may leave.
struct WaiterList {
    /// Up to so many are looked for one by one, which is faster and keeps no index.
    private static let smallCount = 16

    /// `nil` where one has left.
    private var places: [Waiter?] = []
    /// Where each is, once there are many.
    private var index: [Waiter: Int] = [:]
    /// How many there are.
    private(set) var count = 0
    /// Those of them who ask once more after a failure.
    private var retrying: Set<Waiter> = []

    init() {}

    var isEmpty: Bool { count == 0 }

    /// Whether all of them ask once more after a failure; false if there is none.
    var areAllRetrying: Bool { count > 0 && retrying.count == count }

    /// All of them, in their order.
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

    /// - Returns: false if it was not there.
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
