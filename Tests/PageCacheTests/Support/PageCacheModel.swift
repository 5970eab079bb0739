import PageCache

/// What a cache of unlimited size would say, written as plainly as can be.
struct PageCacheModel {
    struct Stored {
        let page: Page
        let epoch: Int
    }

    struct Airborne {
        let flight: Flight
        let number: Int
        var epoch: Int
        var waiters: [Waiter]
        var isHeld = false
        var hasDeparted = false
    }

    let maxWaiters: Int
    private(set) var stored: [Int: Stored] = [:]
    private(set) var airborne: [Airborne] = []
    private var epochs: [EpochScope: Int] = [:]
    /// The flight that newcomers join if its epoch is current.
    private var joinable: [Int: Flight] = [:]

    init(maxWaiters: Int) { self.maxWaiters = maxWaiters }

    func epoch(_ scope: EpochScope) -> Int { epochs[scope, default: 0] }

    mutating func invalidate(_ scope: EpochScope) { epochs[scope, default: 0] += 1 }

    /// The page that may be used at all.
    func usable(_ number: Int, _ scope: EpochScope, now: Int64) -> Page? {
        guard let held = stored[number], held.epoch == epoch(scope), now < held.page.usableUntil else { return nil }
        return held.page
    }

    /// The place of the flight that newcomers join.
    func current(_ number: Int, _ scope: EpochScope) -> Int? {
        airborne.firstIndex { $0.flight == joinable[number] && $0.epoch == epoch(scope) }
    }

    /// What a lookup must say, if `page` is what the cache holds.
    func expected(_ number: Int, _ scope: EpochScope, holding page: Page?, now: Int64) -> Kind {
        let flight = current(number, scope)
        if let page, now < page.freshUntil { return .fresh }
        if let page, now < page.revalidateUntil { return flight == nil ? .staleAndRefresh : .stale }
        guard let flight else { return .lead }
        if airborne[flight].isHeld, page != nil { return .held }
        if airborne[flight].waiters.count < maxWaiters { return .joined }
        return page == nil ? .crowded : .held
    }

    mutating func begin(_ flight: Flight, _ number: Int, _ scope: EpochScope, waiters: [Waiter]) {
        airborne.append(Airborne(flight: flight, number: number, epoch: epoch(scope), waiters: waiters))
        joinable[number] = flight
    }

    mutating func depart(_ place: Int, _ scope: EpochScope) {
        airborne[place].epoch = epoch(scope)
        airborne[place].isHeld = false
        airborne[place].hasDeparted = true
        if joinable[airborne[place].number] == nil { joinable[airborne[place].number] = airborne[place].flight }
    }

    mutating func hold(_ place: Int) {
        if !airborne[place].hasDeparted { airborne[place].isHeld = true }
    }

    mutating func join(_ number: Int, _ scope: EpochScope, _ waiter: Waiter) {
        guard let place = current(number, scope) else { return }
        airborne[place].waiters.append(waiter)
    }

    mutating func leave(_ number: Int, _ scope: EpochScope) -> Waiter? {
        guard let place = current(number, scope) else { return nil }
        return airborne[place].waiters.popLast()
    }

    /// Lands a flight and answers who waited.
    mutating func land(_ place: Int, _ landing: PageCache.Landing, _ scope: EpochScope) -> [Waiter] {
        let landed = airborne.remove(at: place)
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
