/// A part of the cache: its pages, its flights, and its copy of the epochs. Everything here happens under the shard's lock.
/// A lookup and a landing take constant time but for the rare growth of a table; what looks at all flights or pages says so.
struct Shard {
    private struct Airborne {
        let flight: Flight
        var waiters = WaiterList()
        /// When what it brings was asked for: in the epoch in which it was last sent.
        var epoch: Epoch
        /// Whether its page is not to be kept, or only as a stale one, because of a purge since it was sent.
        var isVoid = false
        var isStale = false
        /// Whether it waits for its token, and those who ask meanwhile are better served with an older page.
        var isHeld = false
        var hasDeparted = false
    }

    private var table = PageTable()
    private var policy: EvictionPolicy
    private var epochs = [UInt32](repeating: 0, count: EpochScope.count)
    /// The flight that newcomers join, by key.
    private var joinable: [PageKey: UInt64] = [:]
    /// All flights by id; those of an older epoch are here and not in `joinable`.
    private var airborne: [UInt64: Airborne] = [:]
    private var lastFlight: UInt64
    private let flightStride: UInt64
    private let maxWaiters: Int
    /// A page that weighs more would push out half of the shard for one that is asked for but now and then.
    private let maxPageBytes: Int
    /// Where the search for dead pages goes on.
    private var hand = 0
    private(set) var evictions: UInt64 = 0

    init(maxBytes: Int, maxWaiters: Int, number: Int, of shards: Int) {
        policy = EvictionPolicy(maxBytes: maxBytes)
        self.maxWaiters = maxWaiters
        maxPageBytes = maxBytes / 2
        lastFlight = UInt64(number)
        flightStride = UInt64(shards)
    }

    var pages: Int { table.count }
    var bytes: Int { policy.bytes }
    var flights: Int { airborne.count }
    /// Looks at all flights.
    var waiters: Int { airborne.values.reduce(0) { $0 + $1.waiters.count } }

    mutating func find(
        _ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool, now: Int64
    ) -> PageCache.Lookup {
        // Looked for before it is counted: then memory is waited for once and not twice.
        let place = table.find(key)
        policy.recordRequest(key.hash)
        let page = place.flatMap { use($0, now: now) }
        if let page {
            if now < page.freshUntil { return .fresh(page) }
            if now < page.revalidateUntil {
                return .stale(page, refresh: current(key, scope) == nil ? begin(key, scope) : nil)
            }
        }
        guard let id = current(key, scope) else {
            return .lead(begin(key, scope, waiter: waiter, isRetry: isRetry))
        }
        if let page, airborne[id]?.isHeld == true { return .held(page) }
        guard let count = airborne[id]?.waiters.count, count < maxWaiters, let flight = airborne[id]?.flight else {
            return page.map { .held($0) } ?? .crowded
        }
        airborne[id]?.waiters.append(waiter, isRetry: isRetry)
        return .joined(flight)
    }

    mutating func lead(_ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool) -> Flight {
        begin(key, scope, waiter: waiter, isRetry: isRetry)
    }

    func isLeftToRetries(_ flight: Flight) -> Bool {
        airborne[flight.id]?.waiters.areAllRetrying ?? false
    }

    /// The page of a key while it may be used at all.
    mutating func usable(_ key: PageKey, now: Int64) -> Page? {
        table.find(key).flatMap { use($0, now: now) }
    }

    /// The page of a record, as the one that was used last; nothing if it is dead, and then it is gone.
    private mutating func use(_ place: Int32, now: Int64) -> Page? {
        guard isAlive(Int(place), now: now) else {
            remove(place)
            return nil
        }
        // Taken out last: counting one more user of the page waits for its memory, and lets nothing pass.
        policy.touch(place, &table)
        return table.records[Int(place)].page
    }

    mutating func land(_ flight: Flight, _ landing: PageCache.Landing, now: Int64) -> [Waiter] {
        guard let landed = airborne.removeValue(forKey: flight.id) else { return [] }
        if joinable[flight.key] == flight.id { joinable[flight.key] = nil }
        if !landed.isVoid, epochValue(landed.epoch.scope) == landed.epoch.value {
            switch landing {
            case .keep(let page): store(landed.isStale ? page.stale(now: now) : page, epoch: landed.epoch)
            case .drop: if let place = table.find(flight.key) { remove(place) }
            case .nothing: break
            }
        }
        reclaim(now: now)
        return landed.waiters.all
    }

    /// What a flight brings is asked for now: what happened before is no matter any more.
    mutating func depart(_ flight: Flight) {
        guard var departed = airborne[flight.id] else { return }
        airborne[flight.id] = nil
        departed.epoch = epoch(departed.epoch.scope)
        departed.isVoid = false
        departed.isStale = false
        departed.isHeld = false
        departed.hasDeparted = true
        airborne[flight.id] = departed
        // Newcomers may join it again, unless another has been begun for them.
        if joinable[flight.key] == nil { joinable[flight.key] = flight.id }
    }

    /// A flight waits for its token, unless it has got it meanwhile.
    mutating func hold(_ flight: Flight, isRetry: Bool) {
        if isRetry || airborne[flight.id]?.hasDeparted == false { airborne[flight.id]?.isHeld = true }
    }

    /// Ends a flight if nobody waits for it.
    mutating func landDeserted(_ flight: Flight) -> Bool {
        guard airborne[flight.id]?.waiters.isEmpty ?? false else { return false }
        airborne[flight.id] = nil
        if joinable[flight.key] == flight.id { joinable[flight.key] = nil }
        return true
    }

    /// Voids the pages of a scope and keeps newcomers from joining its flights.
    mutating func raiseEpoch(_ scope: EpochScope) { epochs[Int(scope.index)] &+= 1 }

    mutating func removeWaiter(_ waiter: Waiter, of key: PageKey) -> Flight? {
        // By far most are on the flight that newcomers join too.
        if let id = joinable[key], airborne[id]?.waiters.remove(waiter) == true { return deserted(id) }
        // One of an older epoch is not to be found by its key; there are as many flights as the quota allows.
        let id = airborne.first { $1.flight.key == key && $1.waiters.contains(waiter) }?.key
        guard let id, airborne[id]?.waiters.remove(waiter) == true else { return nil }
        return deserted(id)
    }

    private func deserted(_ id: UInt64) -> Flight? {
        airborne[id].flatMap { $0.waiters.isEmpty ? $0.flight : nil }
    }

    // MARK: Purges

    /// Looks at some records.
    ///
    /// - Returns: how many of their pages were chosen, and where to go on, nothing at the end.
    mutating func purge(
        _ purge: PageCache.Purge, from: Int, atMost: Int, now: Int64, where isChosen: (PageKey) -> Bool
    ) -> (count: Int, next: Int?) {
        let end = min(from + atMost, table.records.count)
        var count = 0
        for place in from..<max(from, end) {
            guard let page = table.records[place].page, isChosen(page.key) else { continue }
            let record = Int32(truncatingIfNeeded: place)
            guard isAlive(place, now: now) else {
                remove(record)
                continue
            }
            count += 1
            // A negative entry is of no use when it is old.
            if purge == .makeStale, page.status == 200 {
                table.replace(record, with: page.stale(now: now), epoch: table.records[place].epoch)
            } else {
                remove(record)
            }
        }
        return (count, end < table.records.count ? end : nil)
    }

    /// Does to what the chosen flights bring what is done to pages; one that is removed is joined by nobody any more.
    mutating func purgeFlights(_ purge: PageCache.Purge, where isChosen: (PageKey) -> Bool) {
        for (id, flight) in airborne where isChosen(flight.flight.key) {
            switch purge {
            case .remove:
                airborne[id]?.isVoid = true
                joinable[flight.flight.key] = nil
            case .makeStale: airborne[id]?.isStale = true
            }
        }
    }

    // MARK: Snapshots

    /// Looks at some records.
    ///
    /// - Returns: their good pages that may still be used, and where to go on, nothing at the end.
    func goodPages(
        from: Int, atMost: Int, except scopes: Set<UInt16>, now: Int64
    ) -> (pages: [Page], next: Int?) {
        let end = min(from + atMost, table.records.count)
        let pages = (min(from, end)..<end).compactMap { place -> Page? in
            guard let page = table.records[place].page, page.status == 200, isAlive(place, now: now),
                !scopes.contains(table.records[place].epoch.scope.index),
                !scopes.contains(table.records[place].epoch.scope.service)
            else { return nil }
            return page
        }
        return (pages, end < table.records.count ? end : nil)
    }

    /// Takes in an old page, if nothing was learnt of it or of its scope since the cache was made.
    mutating func restore(_ page: Page, scope: EpochScope, now: Int64) -> Bool {
        guard now < page.usableUntil, epochValue(scope) == 0, table.find(page.key) == nil else { return false }
        store(page, epoch: epoch(scope))
        return true
    }

    // MARK: Epochs

    private func epoch(_ scope: EpochScope) -> Epoch { Epoch(scope: scope, value: epochValue(scope)) }

    private func epochValue(_ scope: EpochScope) -> UInt32 {
        epochs[Int(scope.index)] &+ epochs[Int(scope.service)]
    }

    // MARK: Flights

    /// The flight that a newcomer may join: one that began in the current epoch.
    private func current(_ key: PageKey, _ scope: EpochScope) -> UInt64? {
        guard let id = joinable[key], airborne[id]?.epoch.value == epochValue(scope) else { return nil }
        return id
    }

    private mutating func begin(
        _ key: PageKey, _ scope: EpochScope, waiter: Waiter? = nil, isRetry: Bool = false
    ) -> Flight {
        lastFlight &+= flightStride
        let epoch = epoch(scope)
        let flight = Flight(id: lastFlight, key: key)
        var begun = Airborne(flight: flight, epoch: epoch)
        if let waiter { begun.waiters.append(waiter, isRetry: isRetry) }
        airborne[flight.id] = begun
        joinable[key] = flight.id
        return flight
    }

    // MARK: Pages

    private func isAlive(_ place: Int, now: Int64) -> Bool {
        let epoch = table.records[place].epoch
        return table.records[place].usableUntil > now && epoch.value == epochValue(epoch.scope)
    }

    private mutating func store(_ page: Page, epoch: Epoch) {
        let old = table.find(page.key)
        guard page.weight <= maxPageBytes else {
            if let old { remove(old) }
            return
        }
        if let place = old {
            // Out of its list and in again, because its weight may change.
            policy.remove(place, &table)
            table.replace(place, with: page, epoch: epoch)
            evict(policy.admit(place, &table))
        } else {
            evict(policy.admit(table.insert(page, epoch: epoch), &table))
        }
    }

    private mutating func evict(_ places: [Int32]) {
        for place in places { table.remove(place) }
        evictions &+= UInt64(places.count)
    }

    private mutating func remove(_ place: Int32) {
        policy.remove(place, &table)
        table.remove(place)
    }

    /// Looks at a few records and frees the dead ones: pages that nobody asks for go too, a few with every new one.
    private mutating func reclaim(now: Int64) {
        for _ in 0..<min(4, table.records.count) {
            hand = hand + 1 < table.records.count ? hand + 1 : 0
            if table.records[hand].page != nil, !isAlive(hand, now: now) { remove(Int32(truncatingIfNeeded: hand)) }
        }
    }
}
