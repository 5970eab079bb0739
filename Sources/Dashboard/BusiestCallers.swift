public import Primitives

/// Ranks callers by how often they have asked of late: by the rate of the last few seconds, in which older ones count ever less.
public struct BusiestCallers: Sendable {
    /// A caller's place among all, and its requests a second.
    public struct Ranked: Sendable, Equatable {
        public let place: Int
        public let rate: Double
    }

    /// After so many nanoseconds half of a change has shown.
    static let halfTime: Double = 3e9

    private var counts: [UInt64] = []
    private var rates: [Double] = []
    private var last: MonotonicInstant?

    public init() {}

    /// Takes each caller's requests so far.
    public mutating func update(_ counts: [UInt64], now: MonotonicInstant) {
        guard let last, counts.count == self.counts.count else {
            (self.counts, rates, last) = (counts, counts.map { _ in 0 }, now)
            return
        }
        let elapsed = Double(now - last)
        guard elapsed > 0 else { return }
        let weight = elapsed / (elapsed + Self.halfTime)
        for place in counts.indices {
            let rise = counts[place] >= self.counts[place] ? counts[place] - self.counts[place] : counts[place]
            rates[place] += weight * (Double(rise) / (elapsed / 1e9) - rates[place])
        }
        (self.counts, self.last) = (counts, now)
    }

    /// Those that have ever asked, the busiest first; of equally busy ones those with more requests in all.
    public func busiest(_ most: Int) -> [Ranked] {
        let asked = counts.indices.filter { counts[$0] > 0 }
        let ranked = asked.sorted {
            (rates[$0], counts[$0]) == (rates[$1], counts[$1])
                ? $0 < $1 : (rates[$0], counts[$0]) > (rates[$1], counts[$1])
        }
        return ranked.prefix(most).map { Ranked(place: $0, rate: rates[$0]) }
    }
}
