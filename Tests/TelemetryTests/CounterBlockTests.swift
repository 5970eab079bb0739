import Dispatch
import Foundation
import Testing

@testable import Telemetry

@Suite("Counters have one writer each and any number of readers")
struct CounterBlockTests {
    @Test("An index outside is ignored", arguments: [-1, 3, 4, 1000, Int.min, Int.max])
    func outside(_ index: Int) {
        let block = CounterBlock(count: 3)
        block.add(at: index)
        #expect(block.value(at: index) == 0)
        #expect((0..<3).allSatisfy { block.value(at: $0) == 0 })
    }

    @Test("A block of no counters, or fewer, holds none", arguments: [0, -1])
    func empty(_ count: Int) {
        let block = CounterBlock(count: count)
        block.add(at: 0)
        #expect(block.count == 0)
        #expect(block.value(at: 0) == 0)
    }

    @Test("A histogram's row outside is ignored", arguments: [-1, 2, 50])
    func outsideRow(_ row: Int) {
        let metrics = Metrics()
        let family = metrics.histograms("h", "H.", labels: ["a=\"1\"", "a=\"2\""], bounds: [10, 20], scale: 1)
        let before = metrics.render()
        family.makeBlock().observe(15, row: row)
        #expect(metrics.render() == before)
    }

    @Test("Four threads with a block each sum exactly, and readers never see more")
    func threads() {
        let metrics = Metrics()
        let counters = metrics.counters("c_total", "C.", labels: ["a=\"1\"", "a=\"2\""])
        let histograms = metrics.histograms("h", "H.", bounds: [10], scale: 1)
        let running = DispatchGroup()
        for number in 0..<4 {
            let block = counters.makeBlock()
            let waits = histograms.makeBlock()
            running.enter()
            Thread.detachNewThread {
                for round in 0..<20_000 {
                    block.add(at: 0)
                    block.add(UInt64(number), at: 1)
                    waits.observe(Int64(round % 20))
                }
                running.leave()
            }
        }
        var last: UInt64 = 0
        for _ in 0..<200 {
            let seen = counters.value(at: 0)
            #expect(seen >= last && seen <= 80_000)
            last = seen
        }
        running.wait()
        #expect(counters.value(at: 0) == 80_000)
        #expect(counters.value(at: 1) == 120_000)
        let text = String(decoding: metrics.render(), as: UTF8.self)
        #expect(text.contains("h_bucket{le=\"10\"} 44000\nh_bucket{le=\"+Inf\"} 80000\nh_sum 760000\nh_count 80000\n"))
    }
}
