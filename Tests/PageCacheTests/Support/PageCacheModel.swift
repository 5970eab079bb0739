import PageCache
import Primitives

/// A simple model of a cache of unlimited size.
struct PageCacheModel {
    struct Stored {
        let page: Page
        let epoch: Int
    }

    struct FlightInProgress {
        let flight: Flight
        let number: Int
        var epoch: Int
        var waiters: [Waiter]
        var isHeld = false
        var isSent = false
    }

    let maxWaiters: Int
    private(set) var stored: [Int: Stored] = [:]
    private(set) var inProgress: [FlightInProgress] = []
    private var epochs: [EpochScope: Int] = [:]
    /// The flight that new requests join if its epoch is current.
    private var joinable: [Int: Flight] = [:]

    init(maxWaiters: Int) { self.maxWaiters = maxWaiters }

    func epoch(_ scope: EpochScope) -> Int { epochs[scope, default: 0] }

    mutating func invalidate(_ scope: EpochScope) { epochs[scope, default: 0] += 1 }

    /// The usable page, however stale.
    func usable(_ number: Int, _ scope: EpochScope, now: Int64) -> Page? {
        guard let held = stored[number], held.epoch == epoch(scope), now < held.page.usableUntil else { return nil }
        return held.page
    }

    /// The index of the flight that new requests join.
    func current(_ number: Int, _ scope: EpochScope) -> Int? {
        inProgress.firstIndex { $0.flight == joinable[number] && $0.epoch == epoch(scope) }
    }

    /// The expected kind of lookup if the cache holds `page`.
    func expected(_ number: Int, _ scope: EpochScope, holding page: Page?, now: Int64) -> Kind {
        let flight = current(number, scope)
        if let page, now < page.freshUntil { return .fresh }
        if let page, now < page.revalidateUntil { return flight == nil ? .staleAndRefresh : .stale }
        guard let flight else { return .lead }
        if inProgress[flight].isHeld, page != nil { return .held }
        if inProgress[flight].waiters.count < maxWaiters { return .joined }
        return page == nil ? .crowded : .held
    }

    mutating func begin(_ flight: Flight, _ number: Int, _ scope: EpochScope, waiters: [Waiter]) {
        inProgress.append(FlightInProgress(flight: flight, number: number, epoch: epoch(scope), waiters: waiters))
        joinable[number] = flight
    }

    mutating func depart(_ place: Int, _ scope: EpochScope) {
        inProgress[place].epoch = epoch(scope)
        inProgress[place].isHeld = false
        inProgress[place].isSent = true
        if joinable[inProgress[place].number] == nil { joinable[inProgress[place].number] = inProgress[place].flight }
    }

    mutating func hold(_ place: Int) {
        if !inProgress[place].isSent { inProgress[place].isHeld = true }
    }

    mutating func join(_ number: Int, _ scope: EpochScope, _ waiter: Waiter) {
        guard let place = current(number, scope) else { return }
        inProgress[place].waiters.append(waiter)
    }

    mutating func leave(_ number: Int, _ scope: EpochScope) -> Waiter? {
        guard let place = current(number, scope) else { return nil }
        return inProgress[place].waiters.popLast()
    }

    /// Completes a flight and returns its waiters.
    mutating func land(_ place: Int, _ landing: PageCache.Landing, _ scope: EpochScope) -> [Waiter] {
        let landed = inProgress.remove(at: place)
        if joinable[landed.number] == landed.flight { joinable[landed.number] = nil }
        if landed.epoch == epoch(scope) {
            switch landing {
            case .keep(let page): stored[landed.number] = Stored(page: page, epoch: landed.epoch)
            case .drop: stored[landed.number] = nil
            case .nothing: break
            }
        }
        return landed.waiters
    }
}
