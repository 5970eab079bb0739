import Foundation
import Primitives
import Telemetry
import Testing

@Suite("Metrics at their limits")
struct MetricLimitTests {
    private static func samples(_ metrics: Metrics) -> [Substring] {
        String(decoding: metrics.render(), as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    @Test("No row of a histogram ends the process, or counts for another")
    func rows() async {
        await #expect(processExitsWith: .success) {
            for bounds in [[], [10], [10, 20], [10, 20, 40]] as [[Int64]] {
                let metrics = Metrics()
                let block = metrics.histograms("h", "H.", bounds: bounds).makeBlock()
                let width = bounds.count + 2
                for row in [Int.max, .min, .max / width, .max / width + 1, .min / width, 1 << 61, 1 << 62] {
                    block.observe(.max, times: 3, row: row)
                }
                #expect(Self.samples(metrics).allSatisfy { $0.hasSuffix(" 0") }, "\(width)")
            }
        }
    }

    @Test("Counters wrap around")
    func wrap() {
        let family = Metrics().counters("a_total", "A.")
        let blocks = [family.makeBlock(), family.makeBlock()]
        for block in blocks { block.add(.max, at: 0) }
        blocks[0].add(2, at: 0)
        #expect(blocks[0].value(at: 0) == 1)
        #expect(family.value(at: 0) == 0)
    }

    @Test(
        "All rows of a small family are shown, and those of a large one that ever counted",
        arguments: [(64, 64), (65, 1)])
    func shown(_ rows: Int, _ shown: Int) {
        let metrics = Metrics()
        let family = metrics.counters("a_total", "A.", labels: (0..<rows).map { label("x", "\($0)") })
        family.makeBlock().add(at: 4)
        #expect(Self.samples(metrics).count == shown)
        #expect(Self.samples(metrics).contains(#"a_total{x="4"} 1"#))
    }

    @Test(
        "Numbers are written so that the same one is read again",
        arguments: [
            0.1, 1e-9, 1.0 / 3, 123_456.789, 1e15, 1e19, 2.5e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        ])
    func numbers(_ value: Double) throws {
        let metrics = Metrics()
        metrics.observed("v", "V.") { [("", value)] }
        let line = try #require(Self.samples(metrics).first)
        #expect(Double(line.dropFirst(2)) == value)
    }

    /// The log guarantees lines of JSON, whatever its callers pass.
    @Test("A hostile outcome or id stays inside its line of the log")
    func hostile() {
        for text in [#"a"b"#, #"a\"#, "a\nb", "\u{0}", #"","status":500,"x":""#] {
            let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
            for (outcome, id) in [(text, "r"), ("hit", text)] {
                let record = AccessRecord(
                    service: "s", operation: "o", caller: "c", outcome: outcome, status: 200, detail: "",
                    requestID: Array(id.utf8),
                    duration: 0)
                log.record(record, isGood: true)
            }
            let lines = log.buffer.take().split(separator: 0x0a)
            #expect(lines.count == 2)
            for line in lines {
                let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                #expect(object?["status"] as? Int == 200, "\(text.debugDescription)")
            }
        }
    }
}
