import PageCache
import Testing

@Suite("Invalidation")
struct InvalidationTests {
    private let key = PageKey(number: 1)

    /// A scope that does not share its counter with the usual one.
    private static func elsewhere() -> EpochScope {
        for number in 0... {
            let scope = EpochScope(service: "s", domain: Array("other\(number)".utf8))
            if scope != Bench.scope { return scope }
        }
        return Bench.scope
    }

    @Test("makes the pages of its scope unusable at once, fresh or stale", arguments: [0, 10, 41] as [Int64])
    func pages(now: Int64) {
        let bench = Bench()
        bench.load(Page(key, fresh: 10, revalidate: 30, ifError: 60))
        bench.cache.invalidate(Bench.scope)
        #expect(!bench.holds(key, at: now))
        #expect(bench.find(key, at: now).kind == .lead)
    }

    @Test("leaves the pages of other scopes", arguments: [1, 8])
    func others(shards: Int) {
        let bench = Bench(shards: shards)
        let scope = Self.elsewhere()
        for number in 0..<100 {
            bench.load(Page(PageKey(number: number)), scope: number % 2 == 0 ? scope : Bench.scope)
        }
        bench.cache.invalidate(Bench.scope)
        for number in 0..<100 { #expect(bench.holds(PageKey(number: number)) == (number % 2 == 0)) }
    }

    @Test("of a service makes the pages of all of its domains void, and no other's", arguments: [1, 8])
    func service(shards: Int) {
        let bench = Bench(shards: shards)
        let services = (0..<9).map { "service\($0)" }
        let other = services.first { EpochScope(allOf: $0) != EpochScope(allOf: "s") } ?? "s"
        for number in 0..<100 {
            let scope = EpochScope(service: number % 2 == 0 ? "s" : other, domain: [UInt8(number)])
            bench.load(Page(PageKey(number: number)), scope: scope)
        }
        bench.cache.invalidate(EpochScope(allOf: "s"))
        for number in 0..<100 { #expect(bench.holds(PageKey(number: number)) == (number % 2 == 1)) }
    }

    @Test("of a service voids what is on its way, and not what is sent after it")
    func serviceFlight() throws {
        let bench = Bench()
        let old = try #require(bench.find(key, 1).flight)
        bench.cache.invalidate(EpochScope(allOf: "s"))
        let new = try #require(bench.find(key, 2).flight)
        #expect(bench.land(old, Page(key)) == [1])
        #expect(!bench.holds(key))
        #expect(bench.land(new, Page(key)) == [2])
        #expect(bench.holds(key))
    }

    @Test("keeps newcomers off a flight that began before it")
    func oldFlight() throws {
        let bench = Bench()
        let old = try #require(bench.find(key, 1).flight)
        #expect(bench.find(key, 2).kind == .joined)
        bench.cache.invalidate(Bench.scope)
        let new = try #require(bench.find(key, 3).flight)
        #expect(bench.find(key, 4).kind == .joined)
        #expect(bench.cache.figures.flights == 2)

        // The old one answers its own, and its page is not kept.
        #expect(bench.land(old, Page(key, body: [1])).sorted() == [1, 2])
        #expect(bench.find(key, 5).kind == .joined)
        #expect(!bench.holds(key))
        #expect(bench.land(new, Page(key, body: [2])).sorted() == [3, 4, 5])
        #expect(bench.find(key).page?.body == [2])
    }

    @Test("does not let an old flight that lands late spoil the newer page")
    func lateFlight() throws {
        let bench = Bench()
        let old = try #require(bench.find(key, 1).flight)
        bench.cache.invalidate(Bench.scope)
        let new = try #require(bench.find(key, 2).flight)
        #expect(bench.land(new, Page(key, body: [2])) == [2])
        #expect(bench.land(old, Page(key, body: [1])) == [1])
        #expect(bench.find(key).page?.body == [2])
    }

    @Test("voids a flight even if nobody asked in between")
    func unnoticed() throws {
        let bench = Bench()
        let old = try #require(bench.find(key, 1).flight)
        bench.cache.invalidate(Bench.scope)
        #expect(bench.land(old, Page(key)) == [1])
        #expect(bench.find(key, 2).kind == .lead)
    }

    @Test("voids a refresh that is on its way")
    func refresh() throws {
        let bench = Bench()
        bench.load(Page(key, fresh: 10, revalidate: 30))
        let refresh = try #require(bench.find(key, at: 10).flight)
        bench.cache.invalidate(Bench.scope)
        #expect(bench.find(key, 1, at: 11).kind == .lead)
        #expect(bench.land(refresh, Page(key, at: 11 * second), at: 11) == [])
        #expect(bench.find(key, 2, at: 11).kind == .joined)
    }

    @Test("lets a client leave a flight that began before it")
    func leaveOldFlight() throws {
        let bench = Bench()
        let old = try #require(bench.find(key, 1).flight)
        #expect(bench.find(key, 2).kind == .joined)
        bench.cache.invalidate(Bench.scope)
        bench.cache.removeWaiter(Waiter(1), of: key)
        let new = try #require(bench.find(key, 3).flight)
        bench.cache.removeWaiter(Waiter(2), of: key)
        #expect(bench.land(old) == [])
        #expect(bench.land(new) == [3])
    }

    @Test("may be repeated, and pages of the newest epoch live")
    func repeated() {
        let bench = Bench()
        for round in 0..<100 {
            bench.load(Page(key, body: [UInt8(round)]))
            #expect(bench.find(key).page?.body == [UInt8(round)])
            bench.cache.invalidate(Bench.scope)
            #expect(!bench.holds(key))
        }
        #expect(bench.cache.figures.invalidations == 100)
    }

    @Test("knows one domain from another, and one service from another")
    func scopes() {
        // A few of many share a counter, which costs a fetch now and then; most do not.
        let domains = (0..<200).map { EpochScope(service: "s", domain: Array("domain\($0)".utf8)) }
        #expect(Set(domains).count > 150)
        let services = (0..<200).map { EpochScope(service: "service\($0)", domain: []) }
        #expect(Set(services).count > 150)
        #expect(domains[0] == EpochScope(service: "s", domain: Array("domain0".utf8)))
    }
}
