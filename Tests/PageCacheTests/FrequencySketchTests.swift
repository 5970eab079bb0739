import TestSupport
import Testing

@testable import PageCache

/// After Einziger, Friedman, Manes: TinyLFU, section 3.
@Suite("The frequency sketch")
struct FrequencySketchTests {
    @Test(
        "never tells too low a count before it halves, and seldom one too high", arguments: 1...3 as ClosedRange<UInt64>
    )
    func neverBelow(seed: UInt64) {
        var sketch = FrequencySketch(capacity: 1024)
        var generator = SeededGenerator(seed: seed)
        var counts: [UInt64: UInt64] = [:]
        for _ in 0..<10 * 1024 - 1 {
            // A skewed choice among 2,000 keys.
            var chooser = SeededGenerator(
                seed: UInt64.random(in: 0..<2000, using: &generator) & UInt64.random(in: 0..<2048, using: &generator))
            let hash = chooser.next()
            sketch.increment(hash)
            counts[hash, default: 0] += 1
        }
        let excess = counts.map { hash, count -> UInt64 in
            let estimate = sketch.estimate(hash)
            #expect(estimate >= min(count, 15))
            return estimate - min(min(count, 15), estimate)
        }
        #expect(Double(excess.reduce(0, +)) / Double(excess.count) < 1.5)
    }

    @Test("counts to 15 and no further")
    func saturation() {
        var sketch = FrequencySketch(capacity: 64)
        #expect(sketch.estimate(7) == 0)
        for count in 1...100 {
            sketch.increment(7)
            #expect(sketch.estimate(7) == UInt64(min(count, 15)))
        }
    }

    @Test("halves all counts after ten times as many additions as it has entries", arguments: [64, 128, 1024])
    func halving(capacity: Int) {
        var sketch = FrequencySketch(capacity: capacity)
        #expect(sketch.capacity == capacity)
        var generator = SeededGenerator(seed: 4)
        let popular = generator.next()
        for _ in 0..<15 { sketch.increment(popular) }
        for _ in 15..<10 * capacity - 1 { sketch.increment(generator.next()) }
        #expect(sketch.estimate(popular) == 15)
        sketch.increment(generator.next())
        #expect(sketch.estimate(popular) == 7)
    }

    @Test("keeps telling the popular from the rest after many halvings")
    func ageing() {
        var sketch = FrequencySketch(capacity: 256)
        var generator = SeededGenerator(seed: 5)
        let popular = (0..<10).map { _ in generator.next() }
        for round in 0..<20_000 {
            sketch.increment(popular[round % 10])
            sketch.increment(generator.next())
        }
        let unknown = (0..<1000).map { _ in sketch.estimate(generator.next()) }
        #expect(popular.allSatisfy { sketch.estimate($0) >= 7 })
        #expect(unknown.reduce(0, +) < 3 * 1000)

        // Old popularity is forgotten.
        for _ in 0..<20_000 { sketch.increment(generator.next()) }
        #expect(popular.map { sketch.estimate($0) }.reduce(0, +) < 70)
    }

    @Test("has room for what it is made for", arguments: [(-5, 64), (0, 64), (1, 64), (65, 128), (5000, 8192)])
    func capacity(asked: Int, given: Int) {
        #expect(FrequencySketch(capacity: asked).capacity == given)
    }
}
