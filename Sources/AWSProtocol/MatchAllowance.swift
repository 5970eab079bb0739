/// What matching the values of one request against patterns may cost.
///
/// PCRE2 counts steps, and a step may look at the whole value: so the cost of a match is its steps times the bytes of the value.
/// One unit is one to three nanoseconds: a hostile value of 4 KiB takes less than a millisecond (`Scripts/check-patterns`), and a
/// request with many of them not much more than ten.
public struct MatchAllowance: Sendable {
    /// For one value.
    private static let costOfValue = 250_000
    /// Longer values are left to the service: few members may be as long, and their patterns are mostly runs of classes.
    private static let maxBytes = 4096

    private var rest = 10 * costOfValue

    /// The allowance of a request of which nothing has been matched yet.
    public init() {}

    /// Nil where the steps do not suffice. First come as many as values take that are not made to be hard; only where these do not
    /// suffice is the whole limit tried, and paid for.
    mutating func match(_ expression: LimitedExpression, _ value: [UInt8]) -> Bool? {
        guard value.count <= Self.maxBytes else { return nil }
        let bytes = value.count + 16
        let limit = Self.costOfValue / bytes
        let few = 16 + 2 * value.count
        for steps in few < limit ? [few, limit] : [limit] {
            guard rest >= steps * bytes else { return nil }
            rest -= steps * bytes
            if let isMatch = expression.matches(value, steps: UInt32(steps)) { return isMatch }
        }
        return nil
    }
}
