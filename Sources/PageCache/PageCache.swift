internal import Locking
public import Primitives
internal import Synchronization

/// Pages by key, with the flights that fetch them and the requests that wait for a flight.
///
/// The cache has no clock, no socket and no callback: time is an argument, and a waiter is a value
/// that is returned when its flight completes. Keys are spread over shards by their hash, each with its own lock, so that event
/// loops seldom contend. Any thread may call any function. All take constant time unless they say otherwise.
public final class PageCache: Sendable {
    /// The answer to a request for a page.
    public enum Lookup: Sendable {
        /// Serve the page.
        case fresh(Page)
        /// Serve the page. If there is a flight, the request must start it: it refreshes the page.
        case stale(Page, refresh: Flight?)
        /// Start the flight. The waiter is on it.
        case lead(Flight)
        /// Wait: the waiter has joined a flight in progress.
        case joined(Flight)
        /// Serve the page, which is usable only in case of an error: its flight waits for its token, or has too many waiters.
        case held(Page)
        /// Refuse the request: there is no page, and the flight in progress has too many waiters.
        case crowded
    }

    /// The effect of a completed flight on the cache.
    public enum Completion: Sendable {
        /// The page is stored.
        case keep(Page)
        /// The answer is not stored, and an older page of the key is removed, because the answer proves it wrong.
        case drop
        /// The fetch failed; an older page stays.
        case nothing
    }

    private final class Slot: Sendable {
        let shard: Locked<Shard>

        init(_ shard: sending Shard) { self.shard = Locked(shard) }
    }

    private let slots: [Slot]
    private let invalidations = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - maxBytes: the maximum memory of all pages together, with keys and overhead.
    ///   - maxWaiters: the maximum number of waiters on one flight.
    ///   - shards: the number of locks, at least 1; by default as many as leave at least 16 MiB to each, at most 16.
    ///   - extraBytes: what each page takes elsewhere, which counts too.
    public init(maxBytes: Int, maxWaiters: Int, shards: Int? = nil, extraBytes: Int = 0) {
        let count = max(1, shards ?? min(16, maxBytes >> 24))
        slots = (0..<count).map { number in
            Slot(
                Shard(
                    maxBytes: maxBytes / count, maxWaiters: maxWaiters, number: number, of: count,
                    extraBytes: extraBytes))
        }
    }

    /// Other bounds take effect. The pages that were requested least leave where there is no room for them any more. Flights keep their
    /// waiters. The number of shards stays, so a page has half of `maxBytes` divided by that at most.
    public func resize(maxBytes: Int, maxWaiters: Int) {
        for slot in slots {
            slot.shard.withLock { $0.resize(maxBytes: maxBytes / slots.count, maxWaiters: maxWaiters) }
        }
    }

    /// Looks up a page, and begins or joins a flight if it must be fetched.
    ///
    /// - Parameter isRetry: true if the waiting client is retrying; see `isLeftToRetries`.
    public func find(
        _ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool = false, now: MonotonicInstant
    ) -> Lookup {
        slot(key).shard.withLock { $0.find(key, scope: scope, waiter: waiter, isRetry: isRetry, now: now) }
    }

    /// Begins a flight without a lookup. Later requests join this one, not an older one.
    public func lead(_ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool = false) -> Flight {
        slot(key).shard.withLock { $0.begin(key, scope, waiter: waiter, isRetry: isRetry) }
    }

    /// Returns true if all waiters of a flight are retries, so that their clients will retry again; false without waiters.
    public func isLeftToRetries(_ flight: Flight) -> Bool {
        slot(flight.key).shard.withLock { $0.isLeftToRetries(flight) }
    }

    /// The page of a key if it is usable at all, `nil` else. It may be too stale to be served but in case of an error.
    public func usablePage(_ key: PageKey, now: MonotonicInstant) -> Page? {
        slot(key).shard.withLock { $0.usable(key, now: now) }
    }

    /// Completes a flight. `completion` takes effect only if the flight's scope was not invalidated since the flight was sent.
    ///
    /// - Returns: the flight's waiters, each exactly once; none if the flight has been completed before.
    public func complete(_ flight: Flight, _ completion: Completion, now: MonotonicInstant) -> [Waiter] {
        slot(flight.key).shard.withLock { $0.complete(flight, completion, now: now) }.waiters
    }

    /// Marks a flight as sent, immediately before an attempt for it is sent. Earlier invalidations no longer concern it.
    public func markSent(_ flight: Flight) { slot(flight.key).shard.withLock { $0.markSent(flight) } }

    /// Marks a flight as waiting for its token. New requests get an older page meanwhile, if there is one.
    ///
    /// - Parameter isRetry: true if the flight waits for another attempt. A flight that waits for its first attempt may have
    ///   been sent before this call, and is not held then.
    public func hold(_ flight: Flight, isRetry: Bool = false) {
        slot(flight.key).shard.withLock { $0.hold(flight, isRetry: isRetry) }
    }

    /// Completes an unsent flight if it has no waiters.
    ///
    /// - Returns: true if the flight was completed.
    public func cancelIfUnwanted(_ flight: Flight) -> Bool {
        slot(flight.key).shard.withLock { $0.cancelIfUnwanted(flight) }
    }

    /// Removes a waiter whose client has disconnected.
    ///
    /// - Returns: its flight if it was the last waiter, else `nil`.
    @discardableResult
    public func removeWaiter(_ waiter: Waiter, of key: PageKey) -> Flight? {
        slot(key).shard.withLock { $0.removeWaiter(waiter, of: key) }
    }

    /// Voids all pages of a scope and keeps later requests from joining its flights. After the return no older page is served.
    public func invalidate(_ scope: EpochScope) {
        for slot in slots { slot.shard.withLock { $0.raiseEpoch(scope) } }
        invalidations.add(1, ordering: .relaxed)
    }

    /// The effect of a purge.
    public enum Purge: Sendable {
        /// The pages are removed, and the results of flights in progress are not stored.
        case remove
        /// The pages become stale, and so do the results of flights in progress.
        case makeStale
    }

    /// Purges the pages with chosen keys. Takes time linear in all pages, with the lock released after every thousand.
    ///
    /// - Parameter isChosen: runs under a lock.
    /// - Returns: the number of purged pages.
    public func purge(_ purge: Purge, now: MonotonicInstant, where isChosen: @Sendable (PageKey) -> Bool) -> Int {
        var count = 0
        for slot in slots {
            slot.shard.withLock { $0.purgeFlights(purge, where: isChosen) }
            var next: Int? = 0
            while let from = next {
                let (found, rest) = slot.shard.withLock { shard in
                    shard.purge(purge, from: from, atMost: 1000, now: now, where: isChosen)
                }
                count += found
                next = rest
            }
        }
        if count > 0, purge == .remove { invalidations.add(1, ordering: .relaxed) }
        return count
    }

    // MARK: Refreshing ahead

    /// The page that a flight has brought, once it is completed.
    public struct Kept: Sendable {
        /// The flight's waiters, each exactly once.
        public let waiters: [Waiter]
        /// The number of the page's place, which it keeps while it is stored; `nil` if it was not stored.
        public let place: Int?
        /// Requests for the page that it replaced, since that was stored or its refresh was begun; 65,535 at most.
        public let requests: Int
    }

    /// Completes a flight with a page, as `complete` does.
    public func keep(_ page: Page, of flight: Flight, now: MonotonicInstant) -> Kept {
        let shard = shardNumber(flight.key)
        let completed = slots[shard].shard.withLock { $0.complete(flight, .keep(page), now: now) }
        return Kept(
            waiters: completed.waiters, place: completed.place.map { number(of: $0, in: shard) },
            requests: completed.requests)
    }

    /// The stored page of a key and the number of its place; `nil` if there is none that is usable. It does not count as a request.
    public func stored(_ key: PageKey, now: MonotonicInstant) -> (place: Int, page: Page)? {
        let shard = shardNumber(key)
        return slots[shard].shard.withLock { $0.stored(key, now: now) }.map {
            (number(of: $0.place, in: shard), $0.page)
        }
    }

    /// The outcome for a page that is to be refreshed before it is stale.
    public enum Claim: Sendable {
        /// The flight must be started: it refreshes the page. It has no waiters.
        case begun(Flight, Page, requests: Int)
        /// It was not asked for since it was stored, or since its last refresh was begun.
        case unasked
        /// A flight for it is in progress.
        case inFlight
        /// It is void, or not there any more.
        case gone
    }

    /// Begins a flight for the page at a place.
    ///
    /// - Parameter fetchedAt: the instant of the page's fetch, which tells it from one that has taken its place.
    public func claim(_ place: Int, fetchedAt: MonotonicInstant, now: MonotonicInstant) -> Claim {
        guard place >= 0 else { return .gone }
        let (record, shard) = place.quotientAndRemainder(dividingBy: slots.count)
        return slots[shard].shard.withLock { $0.claim(record, fetchedAt: fetchedAt, now: now) }
    }

    /// Requests for the page at a place since it was stored, or since its refresh was begun, 65,535 at most; `nil` if it is void, or not
    /// the one that was fetched then.
    public func requests(_ place: Int, fetchedAt: MonotonicInstant, now: MonotonicInstant) -> Int? {
        guard place >= 0 else { return nil }
        let (record, shard) = place.quotientAndRemainder(dividingBy: slots.count)
        return slots[shard].shard.withLock { $0.requests(record, fetchedAt: fetchedAt, now: now) }
    }

    /// Ends a flight that has not been sent, because the refresh of its page waits for its turn elsewhere: the page is served, and no
    /// request begins a flight for it, until it is claimed or replaced.
    ///
    /// - Returns: false if the flight has waiters, or its key has no usable page: it goes on.
    public func postpone(_ flight: Flight, now: MonotonicInstant) -> Bool {
        slot(flight.key).shard.withLock { $0.postpone(flight, now: now) }
    }

    /// Returns true if requests wait for a flight.
    public func hasWaiters(_ flight: Flight) -> Bool { slot(flight.key).shard.withLock { $0.hasWaiters(flight) } }

    func number(of place: Int32, in shard: Int) -> Int { Int(place) * slots.count + shard }

    // MARK: Snapshots

    /// Visits all usable pages but negative entries, for a snapshot. The lock is released after every thousand records.
    ///
    /// - Parameters:
    ///   - wallClock: the same instant as `now`.
    ///   - scopes: the scopes whose pages are left out.
    ///   - visit: is called once for each page, without a lock.
    /// - Throws: what `visit` throws.
    public func save<Failure: Error>(
        now: MonotonicInstant, wallClock: WallInstant, except scopes: Set<EpochScope> = [],
        _ visit: (SavedPage) throws(Failure) -> Void
    ) throws(Failure) {
        let left = Set(scopes.map(\.index))
        for slot in slots {
            var next: Int? = 0
            while let from = next {
                let (pages, rest) = slot.shard.withLock {
                    $0.goodPages(from: from, atMost: 1000, except: left, now: now)
                }
                for page in pages { try visit(SavedPage(page, now: now, wallClock: wallClock)) }
                next = rest
            }
        }
    }

    /// Stores a page of a snapshot as a stale page, unless a page of its key was fetched or its scope was invalidated in this
    /// process.
    ///
    /// - Parameters:
    ///   - longest: the configured lifetime of such a page, which limits the page's own.
    ///   - wallClock: the same instant as `now`.
    /// - Returns: true if the page was stored.
    public func restore(
        _ saved: SavedPage, scope: EpochScope, longest: Page.Lifetime, now: MonotonicInstant, wallClock: WallInstant
    ) -> Bool {
        // The wall clock may have been set back since: an age below 0 counts as 0.
        let age = wallClock - saved.fetchedAt
        guard age > .min else { return false }
        let lifetime = Page.Lifetime(
            fresh: min(saved.lifetime.fresh, longest.fresh),
            staleWhileRevalidate: min(saved.lifetime.staleWhileRevalidate, longest.staleWhileRevalidate),
            staleIfError: min(saved.lifetime.staleIfError, longest.staleIfError))
        let page = Page(
            key: PageKey(saved.key), status: 200, body: saved.body, fetchedAt: now - max(0, age), lifetime: lifetime
        ).stale(now: now)
        return slot(page.key).shard.withLock { $0.restore(page, scope: scope, now: now) }
    }

    // MARK: Pages of other gateways

    /// What may be served where pages may have become void unnoticed.
    public enum Doubt: Sendable {
        /// Pages within their time to live.
        case servesFresh
        /// Any page.
        case servesAll
        case servesNone
    }

    /// Writes elsewhere are known of until `instant`, which only rises. After it, `doubt` decides.
    public func trust(until instant: MonotonicInstant, doubt: Doubt) {
        for slot in slots { slot.shard.withLock { $0.trust(until: instant, doubt: doubt) } }
    }

    /// Stores an older page of a flight's key that came from elsewhere, unless there is a newer one or its scope was invalidated since the
    /// flight began.
    public func offer(_ page: Page, for flight: Flight, now: MonotonicInstant) {
        slot(flight.key).shard.withLock { $0.offer(page, for: flight, now: now) }
    }

    /// Takes the waiters off a flight, which goes on.
    public func takeWaiters(_ flight: Flight) -> [Waiter] {
        slot(flight.key).shard.withLock { $0.takeWaiters(flight) }
    }

    // MARK: Figures

    /// The statistics that are shown at `/metrics`.
    public struct Figures: Sendable, Equatable {
        public var pages = 0
        public var bytes = 0
        /// The number of flights in progress.
        public var flights = 0
        /// The number of waiters on all flights.
        public var waiters = 0
        public var evictions: UInt64 = 0
        public var invalidations: UInt64 = 0

        /// All at 0.
        public init() {}
    }

    /// The sum of all shards' statistics now. Takes time linear in the flights.
    public var figures: Figures {
        var figures = Figures()
        figures.invalidations = invalidations.load(ordering: .relaxed)
        for slot in slots {
            slot.shard.withLock { shard in
                figures.pages += shard.pages
                figures.bytes += shard.bytes
                figures.flights += shard.flights
                figures.waiters += shard.waiters
                figures.evictions &+= shard.evictions
            }
        }
        return figures
    }

    /// Does something with each shard, under its lock.
    func withShard<Result>(_ number: Int, _ body: (inout sending Shard) -> sending Result) -> sending Result {
        slots[number].shard.withLock(body)
    }

    var shardCount: Int { slots.count }

    private func slot(_ key: PageKey) -> Slot { slots[shardNumber(key)] }

    private func shardNumber(_ key: PageKey) -> Int {
        // The upper bits of the hash, which the tables do not use; a product instead of a division.
        Int(truncatingIfNeeded: ((key.hash >> 48) &* UInt64(slots.count)) >> 16)
    }
}
