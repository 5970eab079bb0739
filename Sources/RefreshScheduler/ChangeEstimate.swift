internal import Glibc

/// An estimate of how often a page changes: the logarithm of its rate, and how sure it is. Eight bytes.
///
/// A fetch tells only whether the page has changed since the one before, not how often; the maximum-likelihood estimate for irregular
/// spans is that of J. Cho, H. Garcia-Molina: Estimating Frequency of Change, ACM Transactions on Internet Technology 3 (3), 2003,
/// section 5. It needs all observations; here each is taken in once: the most likely rate by the estimate so far, taken as a normal
/// distribution of the logarithm, and by the observation. The curvature there is the new precision.
public struct ChangeEstimate: Sendable, Equatable {
    /// The natural logarithm of changes a second.
    public private(set) var logRate: Float
    /// One over the variance of `logRate`.
    public private(set) var precision: Float

    /// From a change in four months to a thousand a second.
    private static let range = -16.2...7.0
    /// No estimate gets surer: the rate may change, and later observations must still count.
    private static let mostPrecision: Double = 60

    /// - Parameter deviation: the standard deviation of the logarithm.
    public init(rate: Double, deviation: Double) {
        self.init(logRate: log(max(rate, 1e-9)), precision: 1 / max(deviation * deviation, 1e-3))
    }

    private init(logRate: Double, precision: Double) {
        self.logRate = Float(min(max(logRate, Self.range.lowerBound), Self.range.upperBound))
        self.precision = Float(min(precision, Self.mostPrecision))
    }

    /// Changes a second.
    public var rate: Double { exp(Double(logRate)) }

    /// The standard deviation of the logarithm.
    public var deviation: Double { 1 / Double(precision).squareRoot() }

    /// Takes an observation in.
    ///
    /// - Parameter span: seconds between the two fetches; 0 or less says nothing.
    public mutating func observe(hasChanged: Bool, over span: Double) {
        guard span > 0, span.isFinite else { return }
        let (prior, weight) = (Double(logRate), Double(precision))
        var (low, high) =
            Self.range.lowerBound < prior ? (Self.range.lowerBound, Self.range.upperBound) : (prior, prior)
        var value = prior
        var curvature = weight
        for _ in 0..<40 {
            let x = exp(value) * span
            let (slope, information) = Self.likelihood(x, hasChanged: hasChanged)
            let total = slope - weight * (value - prior)
            curvature = weight + information
            if total > 0 { low = value } else { high = value }
            let next = value + total / curvature
            let step = next > low && next < high ? next : (low + high) / 2
            if abs(step - value) < 1e-4 { break }
            value = step
        }
        self = ChangeEstimate(logRate: value, precision: curvature)
    }

    /// The first derivative of the observation's log-likelihood by the logarithm of the rate, and its second one, negated.
    private static func likelihood(_ x: Double, hasChanged: Bool) -> (slope: Double, information: Double) {
        guard hasChanged else { return (-x, x) }
        if x < 1e-5 { return (1 - x / 2, x / 2) }
        if x > 40 { return (0, 0) }
        let growth = expm1(x)
        return (x / growth, x * (exp(x) * (x - 1) + 1) / (growth * growth))
    }
}
