import RateLimiter
import TestSupport
import Testing
import Primitives

@Suite("Buckets by key")
struct KeyedBucketsTests {
    private func bytes(_ key: some CustomStringConvertible) -> [UInt8] { Array(key.description.utf8) }

    @Test("are each as full as one alone")
    func alone() {
        let buckets = KeyedBuckets(Quota(rate: 1, burst: 2))
        for key in ["a", "b"] {
            for _ in 0..<2 { #expect(buckets.take(bytes(key), now: 0) == .admitted) }
            #expect(buckets.take(bytes(key), now: 0) == .denied(until: .at(second)))
        }
        buckets.giveBack(bytes("a"))
        #expect(buckets.take(bytes("a"), now: 0) == .admitted)
        #expect(buckets.take(bytes("b"), now: 0) == .denied(until: .at(second)))
        #expect(buckets.take(bytes("b"), now: .at(second)) == .admitted)
    }

    @Test("of ten million invented keys take no more room than there is, and cost others nothing")
    func flood() {
        let buckets = KeyedBuckets(Quota(rate: 1, burst: 2), capacity: 1600)
        let honest = (0..<100).map { -1 - $0 }
        for key in honest { for _ in 0..<2 { #expect(buckets.take(bytes(key), now: 0) == .admitted) } }
        // Each key takes a token, so that no bucket is full within a second.
        for key in 0..<100_000 { _ = buckets.take(bytes(key), now: 1) }
        #expect(buckets.figures.keys <= 1600)
        #expect(buckets.figures.overflows > 90_000)
        for key in honest {
            #expect(buckets.take(bytes(key), now: 2) == .denied(until: .at(second)), "no bucket was dropped")
        }
    }

    @Test("that are full again make room for others")
    func idle() {
        let buckets = KeyedBuckets(Quota(rate: 1000, burst: 1), capacity: 1600)
        for key in 0..<100_000 { #expect(buckets.take(bytes(key), now: .at(Int64(key) * millisecond)) == .admitted) }
        #expect(buckets.figures.overflows == 0)
        #expect(buckets.figures.keys < 100, "idle ones are not kept until the room is needed")
    }

    @Test("of one key give eight threads its burst, to the token")
    func threads() {
        let buckets = KeyedBuckets(Quota(rate: 1, burst: 1000), capacity: 16)
        let admitted = SharedList<Int>()
        onThreads(8) { _ in
            admitted.add([(0..<1000).count { _ in buckets.take([1], now: 0) == .admitted }])
        }
        #expect(admitted.all.reduce(0, +) == 1000)
    }
}
