internal import Glibc

/// The age at which a page is worth a refresh, when all that is known of its changes is how likely each rate is.
///
/// A refresh is worth λ/Δ · `Freshness.worth`(Δ τ), on average over the rates that are possible. A page that was given up by mistake
/// would never be refreshed at an age that tells anything: after many times 1/Δ it has changed, whatever Δ is. So one of which too little
/// is known to tell whether it is worth its refreshes is due for a trial at the age that tells most.
struct RefreshTiming {
    /// Answers up to date for one more refresh.
    let price: Double

    /// A page whose logarithm of the rate is less sure than that is tried.
    private static let trialDeviation = 0.5
    /// The expected number of changes after which a page is tried. An observation tells most after 1.6, the maximum of the information
    /// x²/(eˣ − 1); a little later it tells nearly as much, costs less, and is worth more by itself.
    private static let trialChanges = 2.5
    /// A trial is of use only if the page may be worth more than the price. It is thought to be slower by so many standard deviations of
    /// the logarithm: each trial takes a token from pages that are known to be worth it. With more, half of the first hours' tokens are
    /// spent on trials; with fewer, pages that were given up by mistake stay so.
    private static let trialHope = 0.7

    /// The ages that are compared, in seconds: each 1.35 times the one before.
    private static let ages: [Float] = (0..<40).map { Float(0.5 * pow(1.35, Double($0))) }
    /// By age, for each rate: the worth for one request a second.
    private static let worths = table { rate, age in Freshness.worth(rate * age) / rate }

    private static func table(_ function: (Double, Double) -> Double) -> [SIMD16<Float>] {
        ages.map { age in
            var row = SIMD16<Float>()
            for place in 0..<ChangeEstimate.count {
                row[place] = Float(function(ChangeEstimate.rates[place], Double(age)))
            }
            return row
        }
    }

    /// The age in seconds at which a page is due, and whether that is to learn more of it; infinite if it never is.
    ///
    /// - Parameter requests: a second.
    func due(_ change: ChangeEstimate, requests: Double) -> (age: Double, isTrial: Bool) {
        let spread = change.spread
        let age = worthwhile(spread.weights, Float(price), Float(requests))
        let trial = Self.trialChanges / spread.rate
        // What it could be worth at most, if it changes more seldom than is thought.
        let hope = requests / spread.rate * exp(Self.trialHope * spread.deviation)
        guard spread.deviation > Self.trialDeviation, trial < age, hope > price else { return (age, false) }
        return (trial, true)
    }

    /// What a refresh of a page is worth at an age in seconds.
    static func worth(_ change: ChangeEstimate, requests: Double, age: Double) -> Double {
        let weights = change.weights
        return (0..<ChangeEstimate.count).reduce(0) { sum, place in
            let rate = ChangeEstimate.rates[place]
            return sum + Double(weights[place]) * requests / rate * Freshness.worth(rate * age)
        }
    }

    /// The age at which a refresh is worth its price by what it brings: that rises with the age.
    private func worthwhile(_ weights: SIMD16<Float>, _ price: Float, _ requests: Float) -> Double {
        let (ages, worths) = (Self.ages, Self.worths)
        var (low, high) = (0, ages.count)
        var (before, behind) = (Float(0), Float(0))
        while low < high {
            let middle = (low + high) / 2
            let worth = requests * (weights * worths[middle]).sum()
            if worth < price { (low, before) = (middle + 1, worth) } else { (high, behind) = (middle, worth) }
        }
        guard low < ages.count else { return .infinity }
        // It rises with the square of a small age.
        guard low > 0 else { return Double(ages[0] * (price / max(behind, price)).squareRoot()) }
        let part = before > 0 ? logf(price / before) / max(logf(behind / before), 1e-6) : 1
        return Double(ages[low - 1] * powf(ages[low] / ages[low - 1], min(max(part, 0), 1)))
    }
}
