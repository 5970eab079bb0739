import PageCache
import Primitives
import Testing

@Suite("Invalidation")
struct InvalidationTests {
    private let key = PageKey(number: 1)

    /// A scope that does not share its counter with the usual one.
    private static func elsewhere() -> EpochScope {
        for number in 0... {
            let scope = EpochScope(service: "s", domain: Array("other\(number)".utf8))
            if scope != CacheFixture.scope { return scope }
        }
        return CacheFixture.scope
    }

    @Test("makes the pages of its scope unusable at once, fresh or stale", arguments: [0, 10, 41] as [Int64])
    func pages(now: Int64) {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30, ifError: 60))
        fixture.cache.invalidate(CacheFixture.scope)
        #expect(!fixture.holds(key, at: now))
        #expect(fixture.find(key, at: now).kind == .lead)
    }

    @Test("leaves the pages of other scopes", arguments: [1, 8])
    func others(shards: Int) {
        let fixture = CacheFixture(shards: shards)
        let scope = Self.elsewhere()
        for number in 0..<100 {
            fixture.load(Page(PageKey(number: number)), scope: number % 2 == 0 ? scope : CacheFixture.scope)
        }
        fixture.cache.invalidate(CacheFixture.scope)
        for number in 0..<100 { #expect(fixture.holds(PageKey(number: number)) == (number % 2 == 0)) }
    }

    @Test("of a service makes the pages of all of its domains void, and no other's", arguments: [1, 8])
    func service(shards: Int) {
        let fixture = CacheFixture(shards: shards)
        let services = (0..<9).map { "service\($0)" }
        let other = services.first { EpochScope(allOf: $0) != EpochScope(allOf: "s") } ?? "s"
        for number in 0..<100 {
            let scope = EpochScope(service: number % 2 == 0 ? "s" : other, domain: [UInt8(number)])
            fixture.load(Page(PageKey(number: number)), scope: scope)
        }
        fixture.cache.invalidate(EpochScope(allOf: "s"))
        for number in 0..<100 { #expect(fixture.holds(PageKey(number: number)) == (number % 2 == 1)) }
    }

    @Test("of a service voids what is on its way, and not what is sent after it")
    func serviceFlight() throws {
        let fixture = CacheFixture()
        let old = try #require(fixture.find(key, 1).flight)
        fixture.cache.invalidate(EpochScope(allOf: "s"))
        let new = try #require(fixture.find(key, 2).flight)
        #expect(fixture.complete(old, Page(key)) == [1])
        #expect(!fixture.holds(key))
        #expect(fixture.complete(new, Page(key)) == [2])
        #expect(fixture.holds(key))
    }

    @Test("keeps newcomers off a flight that began before it")
    func oldFlight() throws {
        let fixture = CacheFixture()
        let old = try #require(fixture.find(key, 1).flight)
        #expect(fixture.find(key, 2).kind == .joined)
        fixture.cache.invalidate(CacheFixture.scope)
        let new = try #require(fixture.find(key, 3).flight)
        #expect(fixture.find(key, 4).kind == .joined)
        #expect(fixture.cache.figures.flights == 2)

        // The old flight returns its own waiters, and its page is not stored.
        #expect(fixture.complete(old, Page(key, body: [1])).sorted() == [1, 2])
        #expect(fixture.find(key, 5).kind == .joined)
        #expect(!fixture.holds(key))
        #expect(fixture.complete(new, Page(key, body: [2])).sorted() == [3, 4, 5])
        #expect(fixture.find(key).page?.body == [2])
    }

    @Test("does not let an old flight that lands late spoil the newer page")
    func lateFlight() throws {
        let fixture = CacheFixture()
        let old = try #require(fixture.find(key, 1).flight)
        fixture.cache.invalidate(CacheFixture.scope)
        let new = try #require(fixture.find(key, 2).flight)
        #expect(fixture.complete(new, Page(key, body: [2])) == [2])
        #expect(fixture.complete(old, Page(key, body: [1])) == [1])
        #expect(fixture.find(key).page?.body == [2])
    }

    @Test("voids a flight even if nobody asked in between")
    func unnoticed() throws {
        let fixture = CacheFixture()
        let old = try #require(fixture.find(key, 1).flight)
        fixture.cache.invalidate(CacheFixture.scope)
        #expect(fixture.complete(old, Page(key)) == [1])
        #expect(fixture.find(key, 2).kind == .lead)
    }

    @Test("voids a refresh that is on its way")
    func refresh() throws {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30))
        let refresh = try #require(fixture.find(key, at: 10).flight)
        fixture.cache.invalidate(CacheFixture.scope)
        #expect(fixture.find(key, 1, at: 11).kind == .lead)
        #expect(fixture.complete(refresh, Page(key, at: 11 * second), at: 11) == [])
        #expect(fixture.find(key, 2, at: 11).kind == .joined)
    }

    @Test("lets a client leave a flight that began before it")
    func leaveOldFlight() throws {
        let fixture = CacheFixture()
        let old = try #require(fixture.find(key, 1).flight)
        #expect(fixture.find(key, 2).kind == .joined)
        fixture.cache.invalidate(CacheFixture.scope)
        fixture.cache.removeWaiter(Waiter(1), of: key)
        let new = try #require(fixture.find(key, 3).flight)
        fixture.cache.removeWaiter(Waiter(2), of: key)
        #expect(fixture.complete(old) == [])
        #expect(fixture.complete(new) == [3])
    }

    @Test("may be repeated, and pages of the newest epoch live")
    func repeated() {
        let fixture = CacheFixture()
        for round in 0..<100 {
            fixture.load(Page(key, body: [UInt8(round)]))
            #expect(fixture.find(key).page?.body == [UInt8(round)])
            fixture.cache.invalidate(CacheFixture.scope)
            #expect(!fixture.holds(key))
        }
        #expect(fixture.cache.figures.invalidations == 100)
    }

    @Test("knows one domain from another, and one service from another")
    func scopes() {
        // Few of many share a counter.
        let domains = (0..<200).map { EpochScope(service: "s", domain: Array("domain\($0)".utf8)) }
        #expect(Set(domains).count > 150)
        let services = (0..<200).map { EpochScope(service: "service\($0)", domain: []) }
        #expect(Set(services).count > 150)
        #expect(domains[0] == EpochScope(service: "s", domain: Array("domain0".utf8)))
    }
}
