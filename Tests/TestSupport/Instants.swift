public import Primitives

extension Instant: ExpressibleByIntegerLiteral {
    /// Tests write an instant as its nanoseconds.
    public init(integerLiteral nanoseconds: Int64) { self.init(nanoseconds: nanoseconds) }
}

extension Instant {
    public static func at(_ nanoseconds: Int64) -> Self { Self(nanoseconds: nanoseconds) }
}
