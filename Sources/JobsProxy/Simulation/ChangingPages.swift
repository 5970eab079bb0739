internal import Glibc
internal import Primitives
internal import RefreshScheduler

/// The pages of a simulated service that change by chance, each at a rate of its own, and how often each is asked for.
struct ChangingPages {
    /// From once an hour to once a second, the logarithm uniform.
    private static let rates = (lowest: 1.0 / 3600, highest: 1.0)

    private(set) var bounds: [FreshnessBound.Page] = []
    private var versions: [Int] = []
    private var nextChanges: [MonotonicInstant] = []
    /// The shares of the pages from the first on, added up.
    private var shares: [Double] = []
    private var generator: SplitMix64

    /// - Parameters:
    ///   - exponent: the n-th page is asked for in proportion to 1 / n^exponent.
    ///   - requests: a second, in all.
    init(_ count: Int, exponent: Double, requests: Double, seed: UInt64, now: MonotonicInstant) {
        generator = SplitMix64(seed: seed)
        let weights = (1...max(1, count)).map { pow(Double($0), -exponent) }
        let all = weights.reduce(0, +)
        var sum = 0.0
        for weight in weights {
            let rate =
                Self.rates.lowest
                * pow(Self.rates.highest / Self.rates.lowest, Double.random(in: 0..<1, using: &generator))
            bounds.append(FreshnessBound.Page(requests: requests * weight / all, changes: rate))
            versions.append(0)
            nextChanges.append(now + Self.span(rate, &generator))
            sum += weight / all
            shares.append(sum)
        }
    }

    /// A page, by how often each is asked for.
    mutating func draw() -> Int {
        let point = Double.random(in: 0..<1, using: &generator)
        var range = 0..<shares.count
        while range.count > 1 {
            let middle = range.lowerBound + (range.count - 1) / 2
            range = shares[middle] <= point ? middle + 1..<range.upperBound : range.lowerBound..<middle + 1
        }
        return range.lowerBound
    }

    /// How often a page has changed until now, which never goes back.
    mutating func version(of page: Int, now: MonotonicInstant) -> Int {
        while nextChanges[page] <= now {
            versions[page] += 1
            nextChanges[page] = nextChanges[page] + Self.span(bounds[page].changes, &generator)
        }
        return versions[page]
    }

    private static func span(_ rate: Double, _ generator: inout SplitMix64) -> Int64 {
        Int64(-log(1 - Double.random(in: 0..<1, using: &generator)) / rate * 1e9) + 1
    }
}
