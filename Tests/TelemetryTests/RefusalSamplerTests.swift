import Primitives
import Synchronization
import Testing

@testable import Telemetry

@Suite("Lines about refused strangers are sampled")
struct RefusalSamplerTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("The first of a reason in a second is written, the others are counted")
    func first() {
        var sampler = RefusalSampler()
        var written: [Bool] = []
        var suppressed = [sampler.endSecond(10)]
        for reason in ["a", "b", "a", "a", "b"] { written.append(sampler.admits(bytes(reason))) }
        for second: Int64 in [10, 11, 12] { suppressed.append(sampler.endSecond(second)) }
        written.append(sampler.admits(bytes("a")))
        #expect(written == [true, true, false, false, false, true])
        #expect(suppressed.map(\.count) == [0, 0, 2, 0])
        #expect(Set(suppressed[2].map { "\($0)" }).count == 2)
        #expect(suppressed[2].first { $0.reason == bytes("a") }?.count == 2)
    }

    @Test("A flood of different reasons writes fewer than a hundred lines a second, and none is lost from the count")
    func flood() {
        var sampler = RefusalSampler()
        _ = sampler.endSecond(1)
        let written = (0..<10_000).count { sampler.admits(bytes("reason \($0)")) }
        let suppressed = sampler.endSecond(2)
        #expect(written + suppressed.count < 100)
        #expect(written + suppressed.reduce(0) { $0 + $1.count } == 10_000)
    }

    @Test("The log writes the count as a line of its own")
    func summary() {
        let now = Atomic<Int64>(1)
        let log = AccessLog(recordsGood: false) { WallInstant(seconds: now.load(ordering: .relaxed)) }
        for _ in 0..<1000 {
            log.record(
                AccessRecord(
                    service: "s", operation: "other", caller: "unknown", outcome: "denied", status: 403,
                    detail: "no-key",
                    requestID: [], duration: 0), isGood: false, isSampled: true)
        }
        now.store(2, ordering: .relaxed)
        log.tick()
        let lines = String(decoding: log.buffer.take(), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(
            lines.last
                == #"{"time":"1970-01-01T00:00:02.000000Z","level":"info","message":"request","caller":"unknown","outcome":"suppressed","detail":"no-key","count":999}"#
        )
    }
}
