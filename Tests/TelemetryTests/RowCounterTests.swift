import Dispatch
import Foundation
import Testing

@testable import Telemetry

@Suite("Counters in rows that are made when they are counted")
struct RowCounterTests {
    private func samples(_ metrics: Metrics) -> [Substring] {
        String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test("are shown by row, with those of all writers added up, and never those at 0")
    func shown() {
        let metrics = Metrics()
        let family = metrics.counters("a_total", "A.", rows: 1 << 20, columns: ["o=\"x\"", "o=\"y\""]) { "r=\"\($0)\"" }
        let blocks = [family.makeBlock(), family.makeBlock()]
        #expect(samples(metrics).isEmpty)
        for block in blocks { block.add(row: 1_000_000, column: 1) }
        blocks[1].add(row: 7, column: 0)
        blocks[0].add(row: 7, column: 0)
        blocks[0].add(row: 8, column: 1)
        #expect(
            samples(metrics) == [
                "a_total{r=\"7\",o=\"x\"} 2", "a_total{r=\"8\",o=\"y\"} 1", "a_total{r=\"1000000\",o=\"y\"} 2",
            ])
        #expect(family.value(row: 7, column: 0) == 2 && family.value(row: 9, column: 0) == 0)
    }

    @Test("of a small family are all shown")
    func small() {
        let metrics = Metrics()
        metrics.counters("a_total", "A.", rows: 2) { "r=\"\($0)\"" }.makeBlock().add(row: 1, column: 0)
        #expect(samples(metrics) == ["a_total{r=\"0\"} 0", "a_total{r=\"1\"} 1"])
    }

    @Test("are as many as there is room for; the last row counts the rest", arguments: [true, false])
    func full(isLastKnown: Bool) {
        let rows = RowCounterFamily.maxRows + 100
        let family = Metrics().counters("a_total", "A.", rows: rows) { "\($0)" }
        let block = family.makeBlock()
        if isLastKnown { block.add(row: rows - 1, column: 0) }
        for _ in 0..<2 { for row in 0..<rows - 1 { block.add(row: row, column: 0) } }
        let known = RowCounterFamily.maxRows - 1
        #expect(family.value(row: 0, column: 0) == 2 && family.value(row: known - 1, column: 0) == 2)
        #expect(family.value(row: known, column: 0) == 0)
        #expect(family.value(row: rows - 1, column: 0) == UInt64(2 * (rows - 1 - known) + (isLastKnown ? 1 : 0)))
        #expect(block.rows.count == RowCounterFamily.maxRows)
    }

    @Test("outside the family are ignored", arguments: [(-1, 0), (2, 0), (0, -1), (0, 1), (.max, .max), (.min, 0)])
    func outside(_ row: Int, _ column: Int) {
        let family = Metrics().counters("a_total", "A.", rows: 2) { "\($0)" }
        let block = family.makeBlock()
        block.add(row: row, column: column)
        #expect(block.rows.isEmpty)
    }

    @Test("of a family of many operations and callers are those that are in use alone")
    func sparse() {
        // 154 services of 50 operations for 200 callers: 14 million counters, which would be 115 MB.
        let family = Metrics().counters("a_total", "A.", rows: 154 * 51 * 201, columns: (0..<9).map { "o=\"\($0)\"" }) {
            "\($0)"
        }
        let block = family.makeBlock()
        for row in stride(from: 0, to: 154 * 51 * 201, by: 201 * 51) { block.add(row: row, column: 3) }
        #expect(block.rows.count == 154)
    }

    @Test("of four threads sum exactly, and readers never see more")
    func threads() {
        let family = Metrics().counters("c_total", "C.", rows: 4096) { "\($0)" }
        let running = DispatchGroup()
        for _ in 0..<4 {
            let block = family.makeBlock()
            running.enter()
            Thread.detachNewThread {
                for round in 0..<20_000 { block.add(row: round % 4096, column: 0) }
                running.leave()
            }
        }
        for _ in 0..<200 { #expect(family.value(row: 100, column: 0) <= 20) }
        running.wait()
        #expect(family.value(row: 100, column: 0) == 20)
        #expect(family.value(row: 4095, column: 0) == 16)
    }
}
