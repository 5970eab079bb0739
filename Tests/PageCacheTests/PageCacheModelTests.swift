import PageCache
import Primitives
import TestSupport
import Testing
import Primitives

@Suite("Over 100,000 random operations, the cache")
struct PageCacheModelTests {
    private static let keys = (0..<200).map { PageKey(number: $0) }
    private static let scopes = (0..<7).map { EpochScope(service: "s", domain: [UInt8($0)]) }

    @Test(
        "never serves a page of another key, an expired one or one of an older epoch, and hands each waiter back once",
        arguments: [true, false], [1, 2, 3] as [UInt64])
    func model(hasRoomForAll: Bool, seed: UInt64) {
        var run = ModelRun(hasRoomForAll: hasRoomForAll, keys: Self.keys, scopes: Self.scopes, seed: seed)
        for _ in 0..<100_000 { run.step() }
        run.completeAll()
        #expect(run.faults == [:])
        #expect(run.cache.figures.flights == 0)
        // Every kind of lookup occurred.
        for kind in ["fresh", "stale", "staleAndRefresh", "lead", "joined", "crowded", "late"] {
            #expect(run.seen[kind, default: 0] > 50, "\(kind)")
        }
    }
}

/// A cache and its model under the same operations.
private struct ModelRun {
    let cache: PageCache
    /// The number of faults by kind. There should be none.
    private(set) var faults: [String: Int] = [:]
    private(set) var seen: [String: Int] = [:]
    private let hasRoomForAll: Bool
    private let keys: [PageKey]
    private let scopes: [EpochScope]
    private var model = PageCacheModel(maxWaiters: 3)
    private var generator: SeededGenerator
    private var now: MonotonicInstant = 0
    private var lastWaiter = 0

    init(hasRoomForAll: Bool, keys: [PageKey], scopes: [EpochScope], seed: UInt64) {
        cache = PageCache(maxBytes: hasRoomForAll ? 8 << 20 : 30_000, maxWaiters: 3, shards: 2)
        self.hasRoomForAll = hasRoomForAll
        self.keys = keys
        self.scopes = scopes
        generator = SeededGenerator(seed: seed)
    }

    mutating func step() {
        let choice = Int.random(in: 0..<100, using: &generator)
        // Some keys are requested far more often than others.
        let number = Int.random(in: 0..<200, using: &generator) * Int.random(in: 0..<200, using: &generator) / 200
        switch choice {
        case 0..<64: find(number)
        case 64..<82: complete { .keep($0) }
        case 82..<85: complete { _ in .nothing }
        case 85: complete { _ in .drop }
        case 86..<90: leave(number)
        case 90..<94: usable(number)
        case 94: invalidate(number)
        case 95..<97: markSent(isHeld: choice == 96)
        default: now += Int64.random(in: 0...second / 4, using: &generator)
        }
    }

    mutating func completeAll() {
        while !model.inProgress.isEmpty { complete { .keep($0) } }
    }

    private func scope(_ number: Int) -> EpochScope { scopes[number % scopes.count] }

    private mutating func check(_ holds: Bool, _ fault: String) {
        if !holds { faults[fault, default: 0] += 1 }
    }

    private mutating func find(_ number: Int) {
        lastWaiter += 1
        let waiter = Waiter(lastWaiter)
        let found = cache.find(keys[number], scope: scope(number), waiter: waiter, now: now)
        seen["\(found.kind)", default: 0] += 1
        let page = model.usable(number, scope(number), now: now)
        if let served = found.page {
            check(served === page, "served a page that is not the last one that was kept for the key")
        }
        let expected = model.expected(number, scope(number), holding: page, now: now)
        // Without room for all pages, this one may have been evicted.
        let withoutPage = model.expected(number, scope(number), holding: nil, now: now)
        check(found.kind == expected || !hasRoomForAll && found.kind == withoutPage, "\(found.kind) for \(expected)")
        switch found {
        case .lead(let flight): model.begin(flight, number, scope(number), waiters: [waiter])
        case .stale(_, let refresh?): model.begin(refresh, number, scope(number), waiters: [])
        case .joined: model.join(number, scope(number), waiter)
        case .fresh, .stale, .held, .crowded: break
        }
    }

    private mutating func markSent(isHeld: Bool) {
        guard let place = model.inProgress.indices.randomElement(using: &generator) else { return }
        let inProgress = model.inProgress[place]
        if isHeld {
            cache.hold(inProgress.flight)
            model.hold(place)
        } else {
            cache.markSent(inProgress.flight)
            model.markSent(place, scope(inProgress.number))
        }
    }

    private mutating func complete(_ completion: (Page) -> PageCache.Completion) {
        guard let place = model.inProgress.indices.randomElement(using: &generator) else { return }
        let inProgress = model.inProgress[place]
        let isLate = inProgress.epoch != model.epoch(scope(inProgress.number))
        if isLate { seen["late", default: 0] += 1 }
        let completion = completion(page(inProgress.flight.key))
        let waiters = cache.complete(inProgress.flight, completion, now: now)
        let expected = model.complete(place, completion, scope(inProgress.number))
        check(waiters.count == expected.count && Set(waiters) == Set(expected), "other waiters")
    }

    private mutating func page(_ key: PageKey) -> Page {
        Page(
            key: key, status: 200, body: [UInt8](repeating: 0, count: Int.random(in: 0..<600, using: &generator)),
            fetchedAt: now - Int64.random(in: 0...second / 10, using: &generator),
            lifetime: Page.Lifetime(
                fresh: Int64.random(in: 0...3 * second, using: &generator),
                staleWhileRevalidate: Int64.random(in: 0...3 * second, using: &generator),
                staleIfError: Int64.random(in: 0...9 * second, using: &generator)))
    }

    private mutating func leave(_ number: Int) {
        guard let waiter = model.leave(number, scope(number)) else { return }
        cache.removeWaiter(waiter, of: keys[number])
    }

    private mutating func usable(_ number: Int) {
        let page = cache.usablePage(keys[number], now: now)
        let expected = model.usable(number, scope(number), now: now)
        check(page === expected || !hasRoomForAll && page == nil, "another usable page")
    }

    private mutating func invalidate(_ number: Int) {
        cache.invalidate(scope(number))
        model.invalidate(scope(number))
    }
}
