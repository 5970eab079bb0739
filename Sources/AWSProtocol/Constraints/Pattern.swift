/// A regular expression of a service model, matched against a whole value.
///
/// AWS matches whole values even without anchors: CloudWatch Logs refuses the name `a b` for its pattern
/// `[\.\-_/#A-Za-z0-9]+`, which matches a part of it.
///
/// The cost of matching is bounded for every value. Most patterns of AWS models are a run of character classes, such as
/// `^[a-zA-Z0-9]{22}$`, which is matched in time linear in the value. The others are matched by PCRE2 with a limit of steps.
/// If PCRE2 does not support a pattern, or the limit does not suffice for a value, the service decides.
public struct Pattern: Sendable, Equatable {
    /// The pattern in the model's spelling.
    public let text: String
    private let matcher: Matcher

    private enum Matcher: Sendable {
        case run(ClassRun)
        case expression(LimitedExpression)
        /// A pattern in an unsupported notation.
        case unknown
    }

    /// Compiles a pattern.
    ///
    /// - Throws: `PatternError` if the text is not a regular expression.
    public init(_ text: String) throws(PatternError) {
        self.text = text
        if let run = try ClassRun(text) {
            matcher = .run(run)
        } else {
            matcher = try LimitedExpression(text).map(Matcher.expression) ?? .unknown
        }
    }

    /// Returns true if the whole of `value`, which is UTF-8, matches; `nil` if that is unknown.
    ///
    /// - Parameter allowance: the remaining cost of matching for the request.
    public func matches(_ value: [UInt8], _ allowance: inout MatchAllowance) -> Bool? {
        switch matcher {
        case .run(let run): run.matches(value)
        case .expression(let expression): allowance.match(expression, value)
        case .unknown: nil
        }
    }

    /// Matches a value with an allowance of its own.
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

/// The remaining cost of matching the values of one request against patterns.
///
/// PCRE2 counts steps, and a step may read the whole value, so the cost of a match is its steps times the bytes of the value.
/// A unit takes one to three nanoseconds: a hostile value of 4 KiB takes less than a millisecond (`Scripts/check-patterns`),
/// and a request with many of them about ten.
public struct MatchAllowance: Sendable {
    private static let costOfValue = 250_000
    /// The service decides on longer values. Few members allow them, and the patterns of these are mostly runs of classes.
    private static let maxBytes = 4096

    private var rest = 10 * costOfValue

    /// The full allowance of a request.
    public init() {}

    /// Matches a value; `nil` if the allowance or the limit does not suffice. Ordinary values need few steps, which are tried and
    /// charged first; the whole limit is tried only if these do not suffice.
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
