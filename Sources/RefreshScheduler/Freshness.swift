internal import Glibc

/// The arithmetic of freshness: a page that changes at a rate Δ, by chance and independently of its fetches, and was fetched a span τ ago.
///
/// J. Cho, H. Garcia-Molina: Effective Page Refresh Policies for Web Crawlers, ACM Transactions on Database Systems 28 (4), 2003,
/// section 4. `x` is Δ · τ throughout, the expected number of changes since the fetch.
public enum Freshness {
    /// The chance that the page has not changed, on average over the span: F = (1 − e^−x) / x.
    public static func average(_ x: Double) -> Double { x < 1e-6 ? 1 - x / 2 : -expm1(-x) / x }

    /// What a refresh is worth, as a part of the most that it can be worth: 1 − (1 + x) e^−x. It rises with `x` from 0 to 1.
    ///
    /// With λ requests a second a refresh is worth λ/Δ times that: the derivative of λ F by the rate of refreshes. Where all pages are
    /// refreshed when it reaches one value, no other division of the refreshes brings more up-to-date answers (section 4.2 there). As
    /// an index by which the next page is chosen: Y. Azar, E. Horvitz, E. Lubetzky, Y. Peres, D. Shahaf: Tractable near-optimal policies
    /// for crawling, PNAS 115 (32), 2018.
    public static func worth(_ x: Double) -> Double {
        // The difference of near-equal numbers would leave nothing of a small one.
        x < 1e-3 ? x * x * (0.5 - x / 3) : 1 - (1 + x) * exp(-x)
    }

    /// The `x` at which `worth` is `y`; infinite if it never is.
    public static func inverseWorth(_ y: Double) -> Double {
        guard y < 1 else { return .infinity }
        guard y > 0 else { return 0 }
        return root(from: (2 * y).squareRoot() * (1 + y)) { x in (worth(x) - y, x * exp(-x)) }
    }

    /// The `x` at which the page has changed with a chance of `staleness`, on average over the span; infinite from 1 on.
    public static func span(staleness: Double) -> Double {
        guard staleness < 1 else { return .infinity }
        guard staleness > 0 else { return 0 }
        return root(from: 2 * staleness) { x in
            (1 - average(x) - staleness, x < 1e-3 ? 0.5 - x / 3 : worth(x) / (x * x))
        }
    }

    /// The part of a span in which the page was out of date, if it has changed in it at all.
    public static func outdatedPart(_ x: Double) -> Double { x < 1e-3 ? 0.5 : 1 - 1 / x + 1 / expm1(x) }

    /// The root of a rising function with the value and slope that `function` returns, by Newton's method between bounds.
    private static func root(from start: Double, _ function: (Double) -> (value: Double, slope: Double)) -> Double {
        var (low, high) = (0.0, 1e9)
        var x = start
        for _ in 0..<60 {
            let (value, slope) = function(x)
            if value > 0 { high = x } else { low = x }
            let next = x - value / slope
            let step = next > low && next < high ? next : high < 1e9 ? (low + high) / 2 : 2 * x
            if abs(step - x) <= 1e-7 * x { return step }
            x = step
        }
        return x
    }
}
