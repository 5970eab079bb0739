internal import Glibc

/// What is known of how often pages of one kind change, for those of which nothing else is known: the mean and the variance of the
/// logarithms of their rates, drifting.
struct ChangePrior {
    private var mean: Double
    private var variance: Double

    /// The part of a sure observation in the mean.
    private static let step = 0.02
    /// Pages of a kind are never so alike that a new one is known.
    private static let leastDeviation = 0.7
    /// A page changes about once in six times its time to live, says who has configured that; it may be off by a factor of seven.
    private static let (lifetimes, deviation): (Double, Double) = (6, 2)

    /// - Parameter lifetime: the time to live that is configured for these pages, in seconds.
    init(lifetime: Double) {
        mean = -log(max(lifetime, 0.1) * Self.lifetimes)
        variance = Self.deviation * Self.deviation
    }

    var estimate: ChangeEstimate {
        ChangeEstimate(rate: exp(mean), deviation: max(Self.leastDeviation, variance.squareRoot()))
    }

    /// Takes in what is known now of one page.
    mutating func learn(_ page: ChangeEstimate) {
        let known = page.spread
        let spread = known.deviation * known.deviation
        let weight = Self.step * min(1 / spread, 4) / 4
        let distance = known.logRate - mean
        mean += weight * distance
        // That of the means, and what is not known of each.
        variance += weight * (distance * distance + spread - variance)
    }
}
