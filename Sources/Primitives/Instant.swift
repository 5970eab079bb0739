/// An instant of one clock. Instants of two clocks, and an instant and a number of seconds, are different types, so that none is passed
/// for the other.
///
/// It spans 292 years before and after the clock's origin. Arithmetic saturates: no time from outside traps, or turns a late instant
/// into an early one.
@frozen public struct Instant<Clock>: Sendable, Hashable, Comparable {
    /// Nanoseconds since the clock's origin.
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Before all other instants: it has always come.
    @inlinable public static var distantPast: Self { Self(nanoseconds: .min) }
    /// After all other instants: it never comes.
    @inlinable public static var distantFuture: Self { Self(nanoseconds: .max) }

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

/// A clock that is never set. Its origin is an instant before the process began.
public enum MonotonicClock {}
/// The clock of dates, which may be set. Its origin is 1970-01-01T00:00:00Z; it does not count leap seconds.
public enum WallClock {}

public typealias MonotonicInstant = Instant<MonotonicClock>
public typealias WallInstant = Instant<WallClock>

extension Instant<WallClock> {
    /// - Parameter seconds: whole seconds since 1970-01-01T00:00:00Z; beyond the type's span, the nearest instant of it.
    @inlinable public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        self.init(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : product)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    @inlinable public var seconds: Int64 {
        nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0)
    }
}
