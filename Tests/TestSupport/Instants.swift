public import Primitives

extension Instant: ExpressibleByIntegerLiteral {
    /// Tests write an instant as its nanoseconds.
    public init(integerLiteral nanoseconds: Int64) { self.init(nanoseconds: nanoseconds) }
}

extension Instant {
    /// For an instant that is no literal.
    public static func at(_ nanoseconds: Int64) -> Self { Self(nanoseconds: nanoseconds) }

    public static func += (instant: inout Self, nanoseconds: Int64) { instant = instant + nanoseconds }
}
