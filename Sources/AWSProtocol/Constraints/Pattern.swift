/// A regular expression of a service model, matched against a whole value.
///
/// AWS asks this of patterns without anchors too: CloudWatch Logs refuses the name `a b` for its pattern
/// `[\.\-_/#A-Za-z0-9]+`, which a part of the name matches.
///
/// Matching ends, whatever the value. Most patterns of AWS models are a run of character classes, such as
/// `^[a-zA-Z0-9]{22}$`; these are matched in time linear in the value. The others go to PCRE2 with a limit of steps. A pattern
/// that PCRE2 does not know, and a value that the limit does not suffice for, are for the service to decide.
public struct Pattern: Sendable, Equatable {
    /// The pattern as the model writes it.
    public let text: String
    private let matcher: Matcher

    private enum Matcher: Sendable {
        case run(ClassRun)
        case expression(LimitedExpression)
        /// A pattern in notations that are not known here.
        case unknown
    }

    /// - Throws: `PatternError` if the text is not a regular expression.
    public init(_ text: String) throws(PatternError) {
        self.text = text
        if let run = try ClassRun(text) {
            matcher = .run(run)
        } else {
            matcher = try LimitedExpression(text).map(Matcher.expression) ?? .unknown
        }
    }

    /// Returns true if the whole of `value`, which is UTF-8, matches, and nil if that cannot be told.
    ///
    /// - Parameter allowance: what all matching for the same request may cost.
    public func matches(_ value: [UInt8], _ allowance: inout MatchAllowance) -> Bool? {
        switch matcher {
        case .run(let run): run.matches(value)
        case .expression(let expression): allowance.match(expression, value)
        case .unknown: nil
        }
    }

    /// The same for a value that is matched alone.
    public func matches(_ value: [UInt8]) -> Bool? {
        var allowance = MatchAllowance()
        return matches(value, &allowance)
    }

    public static func == (left: Pattern, right: Pattern) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }
}

/// A text that is not a regular expression.
public struct PatternError: Error, Sendable, Equatable {
    public let text: String
}

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
