/// An instant of the wall clock, which may be set. A type of its own, so that it cannot be passed for monotonic nanoseconds or for seconds.
///
/// It spans the years 1678 to 2261. Arithmetic saturates: no time from outside traps, or turns a late instant into an early one.
@frozen public struct WallInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// - Parameter seconds: whole seconds since 1970-01-01T00:00:00Z; beyond the type's span, the nearest instant of it.
    @inlinable public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    @inlinable public var seconds: Int64 {
        nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
    }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// - Parameter span: nanoseconds.
    @inlinable public static func + (instant: Self, span: Int64) -> Self {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span)
        return Self(nanoseconds: overflow ? (span < 0 ? .min : .max) : sum)
    }

    /// - Parameter span: nanoseconds.
    @inlinable public static func - (instant: Self, span: Int64) -> Self {
        let (difference, overflow) = instant.nanoseconds.subtractingReportingOverflow(span)
        return Self(nanoseconds: overflow ? (span < 0 ? .max : .min) : difference)
    }

    /// The nanoseconds from `start` to `end`, negative if `start` is later.
    @inlinable public static func - (end: Self, start: Self) -> Int64 {
        let (difference, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
        return overflow ? (end < start ? .min : .max) : difference
    }
}
