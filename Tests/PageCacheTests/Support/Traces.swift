import TestSupport

/// A sequence of 200,000 requests for numbered pages.
struct Trace: CustomStringConvertible, Sendable {
    let description: String
    let pages: [Int]

    static let count = 200_000
    static let all = [zipf(0.8), zipf(1), scan, loop]

    /// Zipf's law over 20,000 pages.
    static func zipf(_ exponent: Double) -> Trace {
        let zipf = Zipf(count: 20_000, exponent: exponent)
        var generator = SeededGenerator(seed: 1)
        return Trace(description: "Zipf \(exponent)", pages: (0..<count).map { _ in zipf.next(&generator) })
    }

    /// Zipf's law over 2,000 pages; after every 20,000 requests, 10,000 pages that are requested once.
    static let scan: Trace = {
        let zipf = Zipf(count: 2000, exponent: 1)
        var generator = SeededGenerator(seed: 2)
        var pages: [Int] = []
        var cold = 2000
        while pages.count < count {
            for _ in 0..<20_000 { pages.append(zipf.next(&generator)) }
            pages += cold..<cold + 10_000
            cold += 10_000
        }
        return Trace(description: "scan", pages: Array(pages.prefix(count)))
    }()

    /// 1,200 pages in turn, repeatedly.
    static let loop = Trace(description: "loop", pages: (0..<count).map { $0 % 1200 })
}
