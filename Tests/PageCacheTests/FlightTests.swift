import PageCache
import Primitives
import Testing
import Primitives
import TestSupport

@Suite("A flight")
struct FlightTests {
    private let key = PageKey(number: 1)
    private let other = PageKey(number: 2)

    @Test("is begun by the first who misses, and joined by the rest")
    func join() throws {
        let fixture = CacheFixture()
        let flight = try #require(fixture.find(key, 1).flight)
        #expect(fixture.find(key, 2).kind == .joined)
        #expect(fixture.find(key, 3).kind == .joined)
        #expect(fixture.find(other, 4).kind == .lead)
        #expect(fixture.cache.figures.flights == 2)
        #expect(fixture.complete(flight, Page(key)).sorted() == [1, 2, 3])
        #expect(fixture.find(key, 5).kind == .fresh)
        #expect(fixture.cache.figures.flights == 1)
    }

    @Test("hands each who waited back exactly once, however often it lands")
    func landsOnce() throws {
        let fixture = CacheFixture()
        let flight = try #require(fixture.find(key, 1).flight)
        #expect(fixture.complete(flight) == [1])
        #expect(fixture.complete(flight) == [])
        #expect(fixture.complete(flight, Page(key)) == [])
        #expect(fixture.find(key, 2).kind == .lead, "the second completion has no effect")
    }

    @Test("that brings nothing is over, and the next request begins another")
    func failure() throws {
        let fixture = CacheFixture()
        let first = try #require(fixture.find(key, 1).flight)
        #expect(fixture.complete(first) == [1])
        let second = try #require(fixture.find(key, 2).flight)
        #expect(first != second)
        #expect(fixture.complete(second, Page(key)) == [2])
    }

    @Test("takes only so many who wait, and has room again when one leaves")
    func crowded() throws {
        let fixture = CacheFixture(maxWaiters: 3)
        let flight = try #require(fixture.find(key, 1).flight)
        #expect(fixture.find(key, 2).kind == .joined)
        #expect(fixture.find(key, 3).kind == .joined)
        #expect(fixture.find(key, 4).kind == .crowded)
        #expect(fixture.find(other, 5).kind == .lead)
        fixture.cache.removeWaiter(Waiter(2), of: key)
        #expect(fixture.find(key, 6).kind == .joined)
        #expect(fixture.find(key, 7).kind == .crowded)
        #expect(fixture.complete(flight, Page(key)).sorted() == [1, 3, 6])
    }

    @Test("is left to retries as long as all who wait for it ask once more after a failure, and somebody does")
    func retries() throws {
        let cache = CacheFixture().cache
        func join(_ waiter: Int, isRetry: Bool) -> PageCache.Lookup {
            cache.find(key, scope: CacheFixture.scope, waiter: Waiter(waiter), isRetry: isRetry, now: 0)
        }
        let flight = try #require(join(1, isRetry: true).flight)
        #expect(cache.isLeftToRetries(flight))
        #expect(join(2, isRetry: true).kind == .joined)
        #expect(cache.isLeftToRetries(flight))
        #expect(join(3, isRetry: false).kind == .joined)
        #expect(!cache.isLeftToRetries(flight))
        #expect(cache.figures.waiters == 3)
        cache.removeWaiter(Waiter(1), of: key)
        #expect(!cache.isLeftToRetries(flight))
        cache.removeWaiter(Waiter(3), of: key)
        #expect(cache.isLeftToRetries(flight))
        cache.removeWaiter(Waiter(2), of: key)
        #expect(!cache.isLeftToRetries(flight), "without waiters")
        #expect(cache.figures.waiters == 0)
        _ = cache.complete(flight, .nothing, now: 0)
        #expect(!cache.isLeftToRetries(flight))
    }

    @Test("goes on when the client that caused it has gone")
    func leaderLeaves() throws {
        let fixture = CacheFixture()
        let flight = try #require(fixture.find(key, 1).flight)
        #expect(fixture.find(key, 2).kind == .joined)
        fixture.cache.removeWaiter(Waiter(1), of: key)
        #expect(fixture.find(key, 3).kind == .joined)
        fixture.cache.removeWaiter(Waiter(2), of: key)
        fixture.cache.removeWaiter(Waiter(3), of: key)
        #expect(fixture.complete(flight, Page(key)) == [])
        #expect(fixture.find(key).kind == .fresh)
    }

    @Test("does not mind the leaving of one who never waited")
    func strangerLeaves() throws {
        let fixture = CacheFixture()
        fixture.cache.removeWaiter(Waiter(9), of: key)
        let flight = try #require(fixture.find(key, 1).flight)
        fixture.cache.removeWaiter(Waiter(9), of: key)
        fixture.cache.removeWaiter(Waiter(1), of: other)
        #expect(fixture.complete(flight) == [1])
        fixture.cache.removeWaiter(Waiter(1), of: key)
    }

    @Test("to refresh a stale page is begun once, by the first who is served it")
    func refresh() throws {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30))
        let refresh = try #require(fixture.find(key, 1, at: 10).flight)
        for waiter in 2..<50 { #expect(fixture.find(key, waiter, at: 11).kind == .stale) }
        #expect(fixture.complete(refresh, Page(key, body: [1], at: 12 * second), at: 12) == [], "none of them waited")
        #expect(fixture.find(key, at: 12).page?.body == [1])
        #expect(fixture.find(key, at: 12).kind == .fresh)
    }

    @Test("to refresh a stale page is begun anew when the last one brought nothing")
    func refreshAgain() throws {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30))
        let first = try #require(fixture.find(key, at: 10).flight)
        #expect(fixture.complete(first, at: 11) == [])
        let second = try #require(fixture.find(key, at: 11).flight)
        #expect(first != second)
        #expect(fixture.find(key, at: 11).kind == .stale)
    }

    @Test("to refresh a page is joined by those who come when it may no longer be served")
    func joinRefresh() throws {
        let fixture = CacheFixture()
        fixture.load(Page(key, fresh: 10, revalidate: 30, ifError: 60))
        let refresh = try #require(fixture.find(key, 1, at: 39).flight)
        #expect(fixture.find(key, 2, at: 40).kind == .joined)
        #expect(fixture.complete(refresh, Page(key, at: 41 * second), at: 41) == [2])
    }

    @Test("has an id of its own, on whatever shard it is", arguments: [1, 2, 5, 16])
    func ids(shards: Int) {
        let fixture = CacheFixture(shards: shards)
        let flights = (0..<500).compactMap { fixture.find(PageKey(number: $0)).flight }
        #expect(flights.count == 500)
        #expect(Set(flights.map(\.id)).count == 500)
        #expect(fixture.cache.figures.flights == 500)
        for flight in flights { _ = fixture.complete(flight) }
        #expect(fixture.cache.figures.flights == 0)
    }
}
