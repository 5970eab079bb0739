/// When a service wants to be asked again: what `Retry-After` (RFC 9110, section 10.2.3) and `x-amz-retry-after`, the one that AWS
/// SDKs read, say in its reply.
public struct RetryAfter: Sendable, Equatable {
    /// The value of `Retry-After` as it came, whole seconds or a date; nil if there is none, or none that can be read.
    public let standard: String?
    /// The value of `x-amz-retry-after` as it came, in milliseconds; nil likewise.
    public let amazon: String?
    /// The longer of the two waits, in nanoseconds from the reply on, 0 or more.
    public let wait: Int64

    /// Reads the two values; nil if neither can be read.
    ///
    /// - Parameter date: the service's time of the reply, in seconds since 1970; without it a date says nothing of the wait.
    public init?(standard: String?, amazon: String?, date: Int64?) {
        let seconds = standard.flatMap { Self.number($0) ?? Self.seconds(until: $0, from: date) }
        let milliseconds = amazon.flatMap(Self.number)
        guard seconds != nil || milliseconds != nil else { return nil }
        self.standard = seconds == nil ? nil : standard
        self.amazon = milliseconds == nil ? nil : amazon
        wait = max((seconds ?? 0) * 1_000_000_000, (milliseconds ?? 0) * 1_000_000)
    }

    /// A number of up to nine digits, which leaves room for nanoseconds.
    private static func number(_ text: String) -> Int64? {
        guard (1...9).contains(text.utf8.count) else { return nil }
        var number: Int64 = 0
        for byte in text.utf8 {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return number
    }

    private static func seconds(until text: String, from date: Int64?) -> Int64? {
        guard let time = AWSTime.http(text) else { return nil }
        return date.map { min(max(0, time - $0), 999_999_999) } ?? 0
    }
}
