import Dispatch
import Foundation
import Primitives
import Synchronization
import Testing

@testable import Telemetry

/// The calls that several threads make at the same time. Runs under the thread sanitizer too.
@Suite("From several threads")
struct TelemetryThreadTests {
    private static let rounds = 2000

    /// Runs `body` on four threads at once, and `meanwhile` on this one until they have ended.
    private func onThreads(_ body: @escaping @Sendable (Int) -> Void, meanwhile: () -> Void) {
        let running = DispatchGroup()
        for number in 0..<4 {
            running.enter()
            Thread.detachNewThread {
                body(number)
                running.leave()
            }
        }
        repeat { meanwhile() } while running.wait(timeout: .now()) == .timedOut
    }

    @Test("Families are registered, blocks are made and counted in while the text is rendered")
    func metrics() {
        let metrics = Metrics()
        let counters = metrics.counters("c_total", "C.")
        let histograms = metrics.histograms("h", "H.", bounds: [10], scale: 1)
        let rounds = Self.rounds
        onThreads { number in
            metrics.observed("o\(number)", "O.") { [("", Double(counters.value(at: 0)))] }
            let (block, waits) = (counters.makeBlock(), histograms.makeBlock())
            for round in 0..<rounds {
                block.add(at: 0)
                waits.observe(Int64(round % 20))
            }
        } meanwhile: {
            #expect(!metrics.render().isEmpty)
        }
        #expect(counters.value(at: 0) == UInt64(4 * Self.rounds))
        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(text.contains("h_count \(4 * Self.rounds)\n"))
        for number in 0..<4 { #expect(text.contains("o\(number) \(4 * Self.rounds)\n")) }
    }

    @Test("Every access line is taken, dropped or part of a count, whoever takes them meanwhile")
    func accessLog() throws {
        let now = Atomic<Int64>(0)
        let log = AccessLog(recordsGood: true) {
            WallInstant(seconds: now.wrappingAdd(1, ordering: .relaxed).newValue / 100)
        }
        var lines: [Substring] = []
        func take() { lines += String(decoding: log.buffer.take(), as: UTF8.self).split(separator: "\n") }
        let rounds = Self.rounds
        onThreads { number in
            for round in 0..<rounds {
                let record = AccessRecord(
                    service: "s", operation: "o", caller: "c", outcome: "denied", status: 403,
                    detail: "reason \(round % 3)",
                    requestID: [], duration: 0)
                log.record(record, isGood: false, isSampled: number % 2 == 0)
            }
        } meanwhile: {
            log.tick()
            take()
        }
        now.wrappingAdd(1000, ordering: .relaxed)
        log.tick()
        take()
        var (written, counted) = (0, 0)
        for line in lines {
            let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            if let count = object["count"] as? Int { counted += count } else { written += 1 }
        }
        #expect(written + counted + log.buffer.dropped == 4 * rounds)
        #expect(counted > 0)
    }
}
