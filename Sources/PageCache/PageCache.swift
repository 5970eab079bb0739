internal import Locking
internal import Synchronization

/// Pages by key, with their flights: who may serve what, who fetches, who waits.
///
/// It holds no clock, no socket and no callback: time is an argument (monotonic nanoseconds), and a waiter is a value that is
/// handed back when its flight lands. Keys are spread over shards by their hash, each with its own lock, so that several
/// event loops hardly meet. All calls may come from any thread.
public final class PageCache: Sendable {
    /// What to do with a request.
    public enum Lookup: Sendable {
        /// Serve the page.
        case fresh(Page)
        /// Serve the page, and if a flight comes with it, see to it that it is fetched anew.
        case stale(Page, refresh: Flight?)
        /// Fetch the page; the waiter is on the flight.
        case lead(Flight)
        /// Wait: a flight is on its way and the waiter is on it.
        case joined(Flight)
        /// Serve the page, though it may be used only because no other can be had now: its flight waits for its token, or
        /// too many wait for it.
        case held(Page)
        /// A flight is on its way, and too many wait for it already.
        case crowded
    }

    /// What a flight means for the cache when it ends.
    public enum Landing: Sendable {
        /// It has brought a page to keep.
        case keep(Page)
        /// It has brought an answer that is not kept, and after which an older page is wrong.
        case drop
        /// It has brought nothing; what is there is as good as before.
        case nothing
    }

    private final class Slot: Sendable {
        let shard: Locked<Shard>

        init(_ shard: sending Shard) { self.shard = Locked(shard) }
    }

    private let slots: [Slot]
    private let invalidations = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - maxBytes: what all pages together may take, keys and overhead included.
    ///   - maxWaiters: how many may wait for one flight.
    ///   - shards: how many locks; by default as many as leave at least 16 MiB to each, and at most 16.
    public init(maxBytes: Int, maxWaiters: Int, shards: Int? = nil) {
        let count = max(1, shards ?? min(16, maxBytes >> 24))
        slots = (0..<count).map { number in
            Slot(Shard(maxBytes: maxBytes / count, maxWaiters: maxWaiters, number: number, of: count))
        }
    }

    /// Looks a page up, and starts or joins a flight if it has to be fetched.
    ///
    /// - Parameter isRetry: whether whoever waits asks once more after a failure; see `isLeftToRetries`.
    public func find(
        _ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool = false, now: Int64
    ) -> Lookup {
        slot(key).shard.withLock { $0.find(key, scope: scope, waiter: waiter, isRetry: isRetry, now: now) }
    }

    /// Starts a flight whatever is in the cache or on its way; from now on newcomers join this one.
    public func lead(_ key: PageKey, scope: EpochScope, waiter: Waiter, isRetry: Bool = false) -> Flight {
        slot(key).shard.withLock { $0.lead(key, scope: scope, waiter: waiter, isRetry: isRetry) }
    }

    /// Whether all who wait for a flight ask once more after a failure, and will again; false if nobody waits.
    public func isLeftToRetries(_ flight: Flight) -> Bool {
        slot(flight.key).shard.withLock { $0.isLeftToRetries(flight) }
    }

    /// The page of a key while it may be used at all, if only because it cannot be had anew.
    public func usablePage(_ key: PageKey, now: Int64) -> Page? {
        slot(key).shard.withLock { $0.usable(key, now: now) }
    }

    /// Ends a flight. What it has brought changes the cache only if nothing invalidated its scope since it was sent.
    ///
    /// - Returns: those who waited, each exactly once.
    public func land(_ flight: Flight, _ landing: Landing, now: Int64) -> [Waiter] {
        slot(flight.key).shard.withLock { $0.land(flight, landing, now: now) }
    }

    /// An attempt for a flight is about to be sent: its page will be as new as that.
    public func depart(_ flight: Flight) { slot(flight.key).shard.withLock { $0.depart(flight) } }

    /// A flight waits for its token, and an older page is served meanwhile if there is one.
    ///
    /// - Parameter isRetry: whether it waits for another attempt; one that waits for its first may have got its token before
    ///   this is called, and is not held then.
    public func hold(_ flight: Flight, isRetry: Bool = false) {
        slot(flight.key).shard.withLock { $0.hold(flight, isRetry: isRetry) }
    }

    /// Ends a flight that was not sent, if nobody waits for it.
    ///
    /// - Returns: whether it has ended.
    public func landDeserted(_ flight: Flight) -> Bool {
        slot(flight.key).shard.withLock { $0.landDeserted(flight) }
    }

    /// Takes back a waiter whose client has gone.
    ///
    /// - Returns: the flight that it waited for, if it was the last.
    @discardableResult
    public func removeWaiter(_ waiter: Waiter, of key: PageKey) -> Flight? {
        slot(key).shard.withLock { $0.removeWaiter(waiter, of: key) }
    }

    /// Makes all pages of a scope void and keeps newcomers off its flights. When it returns, no old page is served.
    public func invalidate(_ scope: EpochScope) {
        for slot in slots { slot.shard.withLock { $0.raiseEpoch(scope) } }
        invalidations.add(1, ordering: .relaxed)
    }

    /// What becomes of the pages that a purge is about.
    public enum Purge: Sendable {
        /// They are gone, and what is being fetched for them will not be kept.
        case remove
        /// They are served as stale pages from now on, while they are fetched anew.
        case makeStale
    }

    /// Purges the pages whose key is chosen. It looks at every page, a thousand at a time, so that nobody waits long.
    ///
    /// - Returns: how many pages it was.
    public func purge(_ purge: Purge, now: Int64, where isChosen: @Sendable (PageKey) -> Bool) -> Int {
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

    // MARK: Snapshots

    /// The pages that may still be used, error pages excepted, for a snapshot. They are looked for a thousand at a time, so
    /// that nobody waits long.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment in nanoseconds since 1970-01-01T00:00:00Z.
    ///   - scopes: those whose pages are left out.
    ///   - visit: gets each page once, without a lock held.
    public func save<Failure: Error>(
        now: Int64, wallClock: Int64, except scopes: Set<EpochScope> = [],
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

    /// Takes in a page of a snapshot, as a stale one. A page that was fetched or made void since this process began is not
    /// replaced.
    ///
    /// - Parameters:
    ///   - longest: the lifetime that is configured for such a page now; its own is cut down to it.
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment in nanoseconds since 1970-01-01T00:00:00Z.
    /// - Returns: whether it was taken in.
    public func restore(
        _ saved: SavedPage, scope: EpochScope, longest: Page.Lifetime, now: Int64, wallClock: Int64
    ) -> Bool {
        // A clock that was set back since must not make pages younger than nothing.
        let (age, overflow) = wallClock.subtractingReportingOverflow(saved.fetchedAt)
        guard !overflow else { return false }
        let lifetime = Page.Lifetime(
            fresh: min(saved.lifetime.fresh, longest.fresh),
            staleWhileRevalidate: min(saved.lifetime.staleWhileRevalidate, longest.staleWhileRevalidate),
            staleIfError: min(saved.lifetime.staleIfError, longest.staleIfError))
        let page = Page(
            key: PageKey(saved.key), status: 200, body: saved.body, fetchedAt: now &- max(0, age), lifetime: lifetime
        ).stale(now: now)
        return slot(page.key).shard.withLock { $0.restore(page, scope: scope, now: now) }
    }

    // MARK: Figures

    /// The figures that are shown at `/metrics`.
    public struct Figures: Sendable, Equatable {
        public var pages = 0
        public var bytes = 0
        public var flights = 0
        /// Those who wait for them.
        public var waiters = 0
        public var evictions: UInt64 = 0
        public var invalidations: UInt64 = 0

        /// All at 0.
        public init() {}
    }

    /// The figures now, the sum of all shards.
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

    private func slot(_ key: PageKey) -> Slot {
        // Bits that the tables do not use; a product instead of a division.
        slots[Int(truncatingIfNeeded: ((key.hash >> 48) &* UInt64(slots.count)) >> 16)]
    }
}
