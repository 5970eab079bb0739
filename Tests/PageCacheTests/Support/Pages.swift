import PageCache
import Primitives

let second: Int64 = 1_000_000_000

extension Page {
    convenience init(
        _ key: PageKey, body: [UInt8] = [], at now: Int64 = 0, fresh: Int64 = 10, revalidate: Int64 = 0,
        ifError: Int64 = 0
    ) {
        self.init(
            key: key, status: 200, body: body, fetchedAt: now,
            lifetime: Lifetime(
                fresh: fresh * second, staleWhileRevalidate: revalidate * second, staleIfError: ifError * second))
    }
}

extension Waiter {
    init(_ number: Int) { self.init(loop: 0, slot: 0, generation: UInt64(number)) }
}

/// A `Lookup` without its payload.
enum Kind: Equatable {
    case fresh
    case stale
    case staleAndRefresh
    case lead
    case joined
    case crowded
    case held
}

extension PageCache.Lookup {
    var kind: Kind {
        switch self {
        case .fresh: .fresh
        case .stale(_, nil): .stale
        case .stale: .staleAndRefresh
        case .lead: .lead
        case .joined: .joined
        case .crowded: .crowded
        case .held: .held
        }
    }

    var page: Page? {
        switch self {
        case .fresh(let page), .stale(let page, _), .held(let page): page
        case .lead, .joined, .crowded: nil
        }
    }

    /// The new flight of a lookup, `nil` if it has none.
    var flight: Flight? {
        switch self {
        case .lead(let flight): flight
        case .stale(_, let refresh): refresh
        case .fresh, .joined, .held, .crowded: nil
        }
    }
}

/// A cache with short functions for the steps of tests. All keys have one scope by default.
struct CacheFixture {
    static let scope = EpochScope(service: "s", domain: Array("d".utf8))
    let cache: PageCache

    init(maxBytes: Int = 1 << 20, maxWaiters: Int = 100, shards: Int = 1) {
        cache = PageCache(maxBytes: maxBytes, maxWaiters: maxWaiters, shards: shards)
    }

    func find(_ key: PageKey, _ waiter: Int = 0, at now: Int64 = 0, scope: EpochScope = scope) -> PageCache.Lookup {
        cache.find(key, scope: scope, waiter: Waiter(waiter), now: now * second)
    }

    /// Fetches and stores a page; returns false if no fetch was needed.
    @discardableResult
    func load(_ page: Page, at now: Int64 = 0, scope: EpochScope = scope) -> Bool {
        guard let flight = find(page.key, at: now, scope: scope).flight else { return false }
        _ = cache.land(flight, .keep(page), now: now * second)
        return true
    }

    /// Completes a flight and returns the numbers of its waiters.
    func land(_ flight: Flight, _ page: Page? = nil, at now: Int64 = 0) -> [Int] {
        cache.land(flight, page.map { .keep($0) } ?? .nothing, now: now * second).map { Int($0.generation) }
    }

    func holds(_ key: PageKey, at now: Int64 = 0) -> Bool { cache.usablePage(key, now: now * second) != nil }
}
