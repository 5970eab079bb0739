internal import Glibc

/// What is known of how often a page changes: how likely each of sixteen rates is. 32 bytes.
///
/// A fetch tells only whether the page has changed since the one before, not how often (J. Cho, H. Garcia-Molina: Estimating Frequency
/// of Change, ACM Transactions on Internet Technology 3 (3), 2003, section 5, which gives the likelihood for irregular spans). A fetch
/// after a long span that finds a change rules out slow rates and says nothing of the fast ones, so what is known is seldom like
/// a normal distribution: a mean and a variance would forget which rates are still possible.
public struct ChangeEstimate: Sendable, Equatable {
    /// By rate: by how much its logarithm of the likelihood is below the greatest one, in `step`s. In two halves, because a vector of
    /// sixteen would have each page begin at a multiple of 32 bytes.
    private var slow: SIMD8<UInt16>
    private var fast: SIMD8<UInt16>

    static let count = 16
    /// The logarithms of the rates, evenly spaced: from a change in eight hours to three a second.
    static let logRates: [Double] = (0..<count).map { -10.25 + 0.755 * Double($0) }
    static let rates: [Double] = logRates.map { exp($0) }
    /// The finest difference, so that many short spans without a change add up.
    private static let step = 1.0 / 2048
    /// What of an observation's weight is left at the next one: the rate may change, so later observations must count more.
    private static let memory = 0.99

    /// - Parameters:
    ///   - rate: changes a second; the mean of the logarithm.
    ///   - deviation: the standard deviation of the logarithm.
    public init(rate: Double, deviation: Double) {
        (slow, fast) = (.zero, .zero)
        let spread = max(deviation * deviation, 0.05)
        let lowest = Self.logRates[0] + 0.3
        let mean = min(max(log(max(rate, 1e-9)), lowest), Self.logRates[Self.count - 1] - 0.3)
        var center = mean
        // The ends of the rates cut the distribution off, which moves its mean.
        for _ in 0..<8 {
            set(Self.logRates.map { -($0 - center) * ($0 - center) / (2 * spread) })
            center += mean - logRate
        }
    }

    private mutating func set(_ logs: [Double]) {
        let greatest = logs.max() ?? 0
        for (place, value) in logs.enumerated() {
            let below = UInt16(min((greatest - value) / Self.step, 65_535).rounded())
            if place < 8 { slow[place] = below } else { fast[place - 8] = below }
        }
    }

    private func below(_ place: Int) -> Double {
        Double(place < 8 ? slow[place] : fast[place - 8]) * Self.step
    }

    /// How likely each rate is; the sum is 1.
    var weights: SIMD16<Float> {
        var weights = SIMD16<Float>()
        for place in 0..<Self.count { weights[place] = expf(Float(-below(place))) }
        return weights / weights.sum()
    }

    /// How likely each rate is, with the mean and the standard deviation of the logarithm.
    struct Spread {
        let weights: SIMD16<Float>
        let logRate: Double
        let deviation: Double

        var rate: Double { exp(logRate) }
    }

    /// Worked out at once, because the likelihoods take most of the time.
    var spread: Spread {
        let weights = weights
        let mean = (weights * Self.logs).sum()
        let variance = (weights * (Self.logs - mean) * (Self.logs - mean)).sum()
        return Spread(weights: weights, logRate: Double(mean), deviation: Double(max(variance, 0.01)).squareRoot())
    }

    private static let logs = SIMD16<Float>(logRates.map { Float($0) })

    /// The mean of the logarithm of the rate.
    var logRate: Double { spread.logRate }

    /// Changes a second: the mean of the logarithm.
    public var rate: Double { spread.rate }

    /// The standard deviation of the logarithm.
    public var deviation: Double { spread.deviation }

    /// The mean of the rates that are possible, in changes a second; above `rate` the more, the less is known.
    public var meanRate: Double {
        let weights = weights
        return (0..<Self.count).reduce(0) { $0 + Double(weights[$1]) * Self.rates[$1] }
    }

    /// Takes an observation in.
    ///
    /// - Parameter span: seconds between the two fetches; 0 or less says nothing.
    public mutating func observe(hasChanged: Bool, over span: Double) {
        guard span > 0, span.isFinite else { return }
        set(
            (0..<Self.count).map { place in
                let x = min(max(Self.rates[place] * span, 1e-12), 1e6)
                return -below(place) * Self.memory + (hasChanged ? log(-expm1(-x)) : -x)
            })
    }
}
