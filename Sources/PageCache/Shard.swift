internal import Primitives

/// A part of the cache: its pages, its flights and its copy of the epochs. Every call holds the shard's lock.
/// Calls take constant time, but for the rare growth of a table, unless they say otherwise.
struct Shard {
    private struct FlightInProgress {
        let flight: Flight
        var waiters = WaiterList()
        /// The epoch in which the flight was last sent, or begun if it was not sent.
        var epoch: Epoch
        /// True if a purge since it was sent prevents that its page is stored.
        var isVoid = false
        /// True if a purge since it was sent makes its page stale.
        var isStale = false
        /// True if it waits for its token, so that requests are served an older page meanwhile.
        var isHeld = false
        var isSent = false
    }

    /// A flight that was completed.
    struct Completed {
        var waiters: [Waiter] = []
        /// Where its page is stored; `nil` if it is not.
        var place: Int32?
        /// Requests for the page that it replaced, since that was stored or its refresh was begun.
        var requests = 0
    }

    private(set) var table: PageTable
    private let extraBytes: Int
    private var policy: EvictionPolicy
    private var epochs = [UInt32](repeating: 0, count: EpochScope.count)
    /// The id of the flight that new requests join, by key.
    private var joinable: [PageKey: UInt64] = [:]
    /// All flights in progress by id, also those that are no longer in `joinable`.
    private var inProgress: [UInt64: FlightInProgress] = [:]
    private var lastFlight: UInt64
    private let flightStride: UInt64
    private var maxWaiters: Int
    /// A larger page would evict half of the shard, so it is not stored.
    private var maxPageBytes: Int
    /// The record at which the search for dead pages continues.
    private var hand = 0
    /// Pages are known not to be void until this instant; after it, `doubt` decides.
    private var trustedUntil: MonotonicInstant = .distantFuture
    private var doubt = PageCache.Doubt.servesFresh
    private(set) var evictions: UInt64 = 0

    init(maxBytes: Int, maxWaiters: Int, number: Int, of shards: Int, extraBytes: Int = 0) {
        table = PageTable(extraBytes: extraBytes)
        self.extraBytes = extraBytes
        policy = EvictionPolicy(maxBytes: maxBytes)
        self.maxWaiters = maxWaiters
        maxPageBytes = maxBytes / 2
        lastFlight = UInt64(number)
        flightStride = UInt64(shards)
    }

    /// Other bounds take effect; what finds no room any more is evicted.
    mutating func resize(maxBytes: Int, maxWaiters: Int) {
        self.maxWaiters = maxWaiters
        maxPageBytes = maxBytes / 2
        evict(policy.resize(maxBytes: maxBytes, &table))
    }

    var pages: Int { table.count }
    var bytes: Int { policy.bytes }
    var flights: Int { inProgress.count }
    /// Takes time linear in the flights.
    var waiters: Int { inProgress.values.reduce(0) { $0 + $1.waiters.count } }

    mutating func find(
        _ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool, now: MonotonicInstant
    ) -> PageCache.Lookup {
        // Searched before it is counted, so that both wait for memory at the same time.
        let place = table.find(key)
        policy.recordRequest(key.hash)
        let page = place.flatMap { use($0, counting: 1, now: now) }
        if let page {
            if now < page.freshUntil { return .fresh(page) }
            if now < page.revalidateUntil {
                let isBegun = current(key, scope) != nil || isWanted(place)
                return .stale(page, refresh: isBegun ? nil : begin(key, scope))
            }
            if isWanted(place), current(key, scope) == nil { return .held(page) }
        }
        guard let id = current(key, scope) else {
            return .lead(begin(key, scope, waiter: waiter, isRetry: isRetry))
        }
        if let page, inProgress[id]?.isHeld == true { return .held(page) }
        guard let count = inProgress[id]?.waiters.count, count < maxWaiters, let flight = inProgress[id]?.flight else {
            return page.map { .held($0) } ?? .crowded
        }
        inProgress[id]?.waiters.append(waiter, isRetry: isRetry)
        return .joined(flight)
    }

    func isLeftToRetries(_ flight: Flight) -> Bool {
        inProgress[flight.id]?.waiters.areAllRetrying ?? false
    }

    /// The page of a key if it is usable at all, `nil` else.
    mutating func usable(_ key: PageKey, now: MonotonicInstant) -> Page? {
        table.find(key).flatMap { use($0, counting: 0, now: now) }
    }

    /// Returns the page of a record and makes it the most recently used. A dead page is removed, and the result is `nil`.
    ///
    /// - Parameter requests: are counted for the page.
    private mutating func use(_ place: Int32, counting requests: UInt16, now: MonotonicInstant) -> Page? {
        guard isAlive(Int(place), now: now) else {
            remove(place)
            return nil
        }
        guard now < trustedUntil || isServable(place, now: now) else { return nil }
        // The page is retained last: that waits for its memory and stalls what follows.
        policy.touch(place, counting: requests, &table)
        return table.records[Int(place)].page
    }

    /// Returns true if a page may be served though it may be void.
    private func isServable(_ place: Int32, now: MonotonicInstant) -> Bool {
        switch doubt {
        case .servesFresh: (table.records[Int(place)].page?.freshUntil ?? now) > now
        case .servesAll: true
        case .servesNone: false
        }
    }

    mutating func trust(until instant: MonotonicInstant, doubt: PageCache.Doubt) {
        trustedUntil = instant
        self.doubt = doubt
    }

    mutating func offer(_ page: Page, for flight: Flight, now: MonotonicInstant) {
        guard let begun = inProgress[flight.id], !begun.isVoid, now < page.usableUntil,
            epochValue(begun.epoch.scope) == begun.epoch.value,
            usable(flight.key, now: now).map({ $0.fetchedAt < page.fetchedAt }) ?? true
        else { return }
        store(page, epoch: begun.epoch)
    }

    mutating func takeWaiters(_ flight: Flight) -> [Waiter] {
        guard let waiters = inProgress[flight.id]?.waiters else { return [] }
        inProgress[flight.id]?.waiters = WaiterList()
        return waiters.all
    }

    mutating func complete(_ flight: Flight, _ completion: PageCache.Completion, now: MonotonicInstant) -> Completed {
        guard let completed = inProgress.removeValue(forKey: flight.id) else { return Completed() }
        if joinable[flight.key] == flight.id { joinable[flight.key] = nil }
        var result = Completed(waiters: completed.waiters.all)
        if !completed.isVoid, epochValue(completed.epoch.scope) == completed.epoch.value {
            switch completion {
            case .keep(let page):
                if let old = table.find(flight.key) { result.requests = table.takeRequests(old) }
                store(completed.isStale ? page.stale(now: now) : page, epoch: completed.epoch)
                // The page may have been evicted at once.
                result.place = table.find(flight.key)
            case .drop: if let place = table.find(flight.key) { remove(place) }
            case .nothing: break
            }
        }
        reclaim(now: now)
        return result
    }

    /// Marks a flight as sent now: earlier invalidations and purges no longer concern its result.
    mutating func markSent(_ flight: Flight) {
        guard var sent = inProgress[flight.id] else { return }
        inProgress[flight.id] = nil
        sent.epoch = epoch(sent.epoch.scope)
        sent.isVoid = false
        sent.isStale = false
        sent.isHeld = false
        sent.isSent = true
        inProgress[flight.id] = sent
        // New requests may join it again, unless a newer flight was begun.
        if joinable[flight.key] == nil { joinable[flight.key] = flight.id }
    }

    /// Marks a flight as waiting for its token, unless its first attempt has been sent meanwhile.
    mutating func hold(_ flight: Flight, isRetry: Bool) {
        if isRetry || inProgress[flight.id]?.isSent == false { inProgress[flight.id]?.isHeld = true }
    }

    /// Completes a flight if it has no waiters.
    mutating func cancelIfUnwanted(_ flight: Flight) -> Bool {
        guard inProgress[flight.id]?.waiters.isEmpty ?? false else { return false }
        inProgress[flight.id] = nil
        if joinable[flight.key] == flight.id { joinable[flight.key] = nil }
        return true
    }

    /// Voids the pages of a scope and keeps new requests from joining its flights.
    mutating func raiseEpoch(_ scope: EpochScope) { epochs[Int(scope.index)] &+= 1 }

    mutating func removeWaiter(_ waiter: Waiter, of key: PageKey) -> Flight? {
        // Most are on the flight that new requests join too.
        if let id = joinable[key], inProgress[id]?.waiters.remove(waiter) == true { return deserted(id) }
        // A flight of an older epoch is not found by its key. The quota bounds the number of flights.
        let id = inProgress.first { $1.flight.key == key && $1.waiters.contains(waiter) }?.key
        guard let id, inProgress[id]?.waiters.remove(waiter) == true else { return nil }
        return deserted(id)
    }

    private func deserted(_ id: UInt64) -> Flight? {
        inProgress[id].flatMap { $0.waiters.isEmpty ? $0.flight : nil }
    }

    // MARK: Purges

    /// Purges at most `atMost` records.
    ///
    /// - Returns: the number of purged pages, and the next record, `nil` at the end.
    mutating func purge(
        _ purge: PageCache.Purge, from: Int, atMost: Int, now: MonotonicInstant, where isChosen: (PageKey) -> Bool
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
            // A stale negative entry is never served.
            if purge == .makeStale, page.status == 200 {
                table.replace(record, with: page.stale(now: now), epoch: table.records[place].epoch)
            } else {
                remove(record)
            }
        }
        return (count, end < table.records.count ? end : nil)
    }

    /// Purges the future pages of the chosen flights. New requests do not join a flight whose page will be removed.
    mutating func purgeFlights(_ purge: PageCache.Purge, where isChosen: (PageKey) -> Bool) {
        for (id, flight) in inProgress where isChosen(flight.flight.key) {
            switch purge {
            case .remove:
                inProgress[id]?.isVoid = true
                joinable[flight.flight.key] = nil
            case .makeStale: inProgress[id]?.isStale = true
            }
        }
    }

    // MARK: Snapshots

    /// Collects pages of at most `atMost` records.
    ///
    /// - Returns: the usable pages but negative entries, and the next record, `nil` at the end.
    func goodPages(
        from: Int, atMost: Int, except scopes: Set<UInt16>, now: MonotonicInstant
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

    /// Stores an old page, unless its key has a page or its scope was invalidated in this process.
    mutating func restore(_ page: Page, scope: EpochScope, now: MonotonicInstant) -> Bool {
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

    /// The id of the flight that a new request may join: one of the current epoch.
    private func current(_ key: PageKey, _ scope: EpochScope) -> UInt64? {
        guard let id = joinable[key], inProgress[id]?.epoch.value == epochValue(scope) else { return nil }
        return id
    }

    /// Begins a flight, which new requests join from now on.
    mutating func begin(
        _ key: PageKey, _ scope: EpochScope, waiter: Waiter? = nil, isRetry: Bool = false
    ) -> Flight {
        lastFlight &+= flightStride
        let epoch = epoch(scope)
        let flight = Flight(id: lastFlight, key: key, scope: scope)
        var begun = FlightInProgress(flight: flight, epoch: epoch)
        if let waiter { begun.waiters.append(waiter, isRetry: isRetry) }
        inProgress[flight.id] = begun
        joinable[key] = flight.id
        return flight
    }

    // MARK: Refreshing ahead

    /// The place of a key's page, if it is usable, and the page.
    func stored(_ key: PageKey, now: MonotonicInstant) -> (place: Int32, page: Page)? {
        guard let place = table.find(key), isAlive(Int(place), now: now), let page = table.records[Int(place)].page
        else {
            return nil
        }
        return (place, page)
    }

    /// Begins a flight for the page at a place, if it is the one that was fetched then, is valid, and was asked for since.
    mutating func claim(_ place: Int, fetchedAt: MonotonicInstant, now: MonotonicInstant) -> PageCache.Claim {
        guard table.records.indices.contains(place), let page = table.records[place].page, page.fetchedAt == fetchedAt,
            isAlive(place, now: now)
        else { return .gone }
        let scope = table.records[place].epoch.scope
        guard current(page.key, scope) == nil else { return .inFlight }
        guard table.links[place].requests > 0 else { return .unasked }
        let requests = table.takeRequests(Int32(truncatingIfNeeded: place))
        table.setWanted(false, of: Int32(truncatingIfNeeded: place))
        return .begun(begin(page.key, scope), page, requests: requests)
    }

    private func isWanted(_ place: Int32?) -> Bool { place.map { table.links[Int($0)].isWanted } ?? false }

    /// Ends a flight that has no waiters and was not sent, if its key has a page: requests are served that one, and begin no flight
    /// until the page is claimed or replaced.
    mutating func postpone(_ flight: Flight, now: MonotonicInstant) -> Bool {
        guard let begun = inProgress[flight.id], begun.waiters.isEmpty, !begun.isSent,
            let place = stored(flight.key, now: now)?.place, cancelIfUnwanted(flight)
        else { return false }
        table.setWanted(true, of: place)
        return true
    }

    /// Requests for the page at a place since it was stored, or since its refresh was begun; `nil` if it is not the one that was
    /// fetched then, or is void.
    func requests(_ place: Int, fetchedAt: MonotonicInstant, now: MonotonicInstant) -> Int? {
        guard table.records.indices.contains(place), table.records[place].page?.fetchedAt == fetchedAt,
            isAlive(place, now: now)
        else { return nil }
        return Int(table.links[place].requests)
    }

    func hasWaiters(_ flight: Flight) -> Bool { inProgress[flight.id].map { !$0.waiters.isEmpty } ?? false }

    // MARK: Pages

    func isAlive(_ place: Int, now: MonotonicInstant) -> Bool {
        let epoch = table.records[place].epoch
        return table.records[place].usableUntil > now && epoch.value == epochValue(epoch.scope)
    }

    private mutating func store(_ page: Page, epoch: Epoch) {
        let old = table.find(page.key)
        guard page.weight + extraBytes <= maxPageBytes else {
            if let old { remove(old) }
            return
        }
        if let place = old {
            // Removed from its list and admitted again, because its weight may change.
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

    /// Checks the next four records and removes dead pages, so that pages without requests are removed too.
    private mutating func reclaim(now: MonotonicInstant) {
        for _ in 0..<min(4, table.records.count) {
            hand = hand + 1 < table.records.count ? hand + 1 : 0
            if table.records[hand].page != nil, !isAlive(hand, now: now) { remove(Int32(truncatingIfNeeded: hand)) }
        }
    }
}
