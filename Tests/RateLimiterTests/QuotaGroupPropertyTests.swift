import RateLimiter
import Synchronization
import TestSupport
import Testing
import Primitives

@Suite("Over a random trace, the queue of a quota group")
struct QuotaGroupPropertyTests {
    @Test("keeps each promise to the nanosecond when it is released on time", arguments: 1...4 as ClosedRange<UInt64>)
    func promises(seed: UInt64) {
        let quota = Quota(rate: 100, burst: 4)
        let group = QuotaGroup<Int>(quota, maxWait: 5 * quota.interval, maxDepth: 8, now: 0)
        var generator = SeededGenerator(seed: seed)
        var promised: [Int: MonotonicInstant] = [:]
        var wakeUp: MonotonicInstant?
        var now: MonotonicInstant = 0
        var served: [Int] = []

        func release(at instant: MonotonicInstant) {
            var granted: [Int] = []
            var expired: [Int] = []
            wakeUp = group.release(now: instant, granted: &granted, expired: &expired)
            #expect(expired.isEmpty)
            for element in granted { #expect(promised.removeValue(forKey: element) == instant) }
            served += granted
        }

        for element in 0..<20_000 {
            now += Int64.random(in: 0...2 * quota.interval, using: &generator)
            while let next = wakeUp, next <= now { release(at: next) }
            let depth = group.depth
            switch group.request(element, as: .caller(0, weight: 1), deadline: now + 4 * quota.interval, now: now) {
            case .granted:
                #expect(depth == 0, "a new request passed those that wait")
                served.append(element)
            case .queued(let until):
                #expect(until > now && until <= now + 4 * quota.interval)
                promised[element] = until
                wakeUp = min(wakeUp ?? .distantFuture, until)
            case .refused(let until):
                #expect(until > now + 4 * quota.interval || depth == 8)
            }
        }
        while let next = wakeUp { release(at: next) }
        #expect(promised.isEmpty)
        #expect(served == served.sorted(), "in the order of arrival")
        #expect(Double(served.count) <= 100 * Double(now.nanoseconds + 5 * quota.interval) / 1e9, "it began empty")
        #expect(served.count > 15_000)
    }

    @Test("loses and doubles nothing when eight threads ask and one releases")
    func threads() {
        let group = QuotaGroup<Int>(Quota(rate: 1e6, burst: 10), maxWait: second, maxDepth: 64, now: 0)
        let clock = Atomic<Int64>(0)
        let fates = SharedList<Int>()
        onThreads(9) { number in
            guard number < 8 else {
                for _ in 0..<20_000 {
                    let now = clock.wrappingAdd(200, ordering: .relaxed).newValue
                    var granted: [Int] = []
                    var expired: [Int] = []
                    _ = group.release(now: .at(now), granted: &granted, expired: &expired)
                    fates.add(granted + expired)
                }
                return
            }
            for element in number * 2000..<(number + 1) * 2000 {
                let now = clock.wrappingAdd(50, ordering: .relaxed).newValue
                switch group.request(element, as: .caller(0, weight: 1), deadline: .distantFuture, now: .at(now)) {
                case .granted: fates.add([element])
                case .queued: break
                case .refused: fates.add([element])
                }
            }
        }
        fates.add(group.removeAll())
        #expect(fates.all.sorted() == Array(0..<16_000))
    }
}
