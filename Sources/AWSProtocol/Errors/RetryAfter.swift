public import Primitives

/// The wait that a reply asks for in `Retry-After` (RFC 9110, section 10.2.3) and in `x-amz-retry-after`, which AWS SDKs read.
public struct RetryAfter: Sendable, Equatable {
    /// The unchanged value of `Retry-After`, whole seconds or a date; `nil` if there is none or it is malformed.
    public let standard: String?
    /// The unchanged value of `x-amz-retry-after`, in milliseconds; `nil` if there is none or it is malformed.
    public let amazon: String?
    /// The longer of the two waits from the reply on, in nanoseconds, at least 0.
    public let wait: Int64

    /// Reads the two values; `nil` if neither is well-formed.
    ///
    /// - Parameter date: the reply's `Date`. Without it a date in `Retry-After` counts as no wait.
    public init?(standard: String?, amazon: String?, date: WallInstant?) {
        let seconds = standard.flatMap { Self.number($0) ?? Self.seconds(until: $0, from: date) }
        let milliseconds = amazon.flatMap(Self.number)
        guard seconds != nil || milliseconds != nil else { return nil }
        self.standard = seconds == nil ? nil : standard
        self.amazon = milliseconds == nil ? nil : amazon
        wait = max((seconds ?? 0) * 1_000_000_000, (milliseconds ?? 0) * 1_000_000)
    }

    /// A number of one to nine digits, so that its nanoseconds fit 64 bits.
    private static func number(_ text: String) -> Int64? {
        text.utf8.count <= 9 ? text.utf8.span.number(0..<text.utf8.count) : nil
    }

    private static func seconds(until text: String, from date: WallInstant?) -> Int64? {
        guard let time = HTTPDate.seconds(text) else { return nil }
        return date.map { min(max(0, time - $0.seconds), 999_999_999) } ?? 0
    }
}
