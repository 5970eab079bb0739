import Primitives
import TestSupport
import Testing

@testable import GatewayFront

@Suite("Texts for operators are rendered a few times a second, whoever asks")
struct RenderScheduleTests {
    private let second: Int64 = 1_000_000_000

    @Test("Four within any second at the most, and each who asks gets one that began afterwards")
    func rate() {
        var schedule = RenderSchedule()
        var begun: [MonotonicInstant] = []
        var now: MonotonicInstant = 0
        // Somebody asks whenever there is no rendering arranged, for ten seconds.
        while now < .at(10 * second), let start = schedule.request(now: now) {
            now = max(now, start)
            schedule.begin(now: now)
            begun.append(now)
            now = now + second / 100
            let next = schedule.end(now: now)
            #expect(next == nil)
        }
        #expect(begun.first == 0)
        #expect(begun.count >= 36)
        for (first, fifth) in zip(begun, begun.dropFirst(4)) { #expect(fifth - first >= second) }
    }

    @Test("Those who ask while it renders get the next one, all of them together")
    func during() {
        var schedule = RenderSchedule()
        let starts = [schedule.request(now: 5), schedule.request(now: 6)]
        #expect(starts == [5, nil])
        schedule.begin(now: 7)
        let during = [schedule.request(now: 8), schedule.request(now: 9)]
        #expect(during == [nil, nil])
        let next = schedule.end(now: 10)
        #expect(next == 10)
        schedule.begin(now: 10)
        let last = schedule.end(now: 11)
        #expect(last == nil)
    }
}
