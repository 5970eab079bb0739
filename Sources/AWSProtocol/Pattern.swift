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
