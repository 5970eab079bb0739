public import Primitives

/// Conversions between seconds since 1970-01-01T00:00:00Z and the date formats of requests.
public enum AWSTime {
    /// ISO 8601's basic format, such as `20150830T123600Z`, clamped to the years 0000 to 9999.
    public static func basic(_ seconds: Int64) -> [UInt8] {
        let time = CalendarTime(seconds: seconds)
        var text: [UInt8] = []
        text.reserveCapacity(16)
        text.append(time.year, digits: 4)
        text.append(time.month, digits: 2)
        text.append(time.day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.append(time.hour, digits: 2)
        text.append(time.minute, digits: 2)
        text.append(time.second, digits: 2)
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// Reads ISO 8601's basic format; `nil` for anything else.
    public static func basic(_ bytes: Span<UInt8>) -> Int64? {
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z"),
            let year = bytes.number(0..<4), let month = bytes.number(4..<6), let day = bytes.number(6..<8),
            let hour = bytes.number(9..<11), let minute = bytes.number(11..<13), let second = bytes.number(13..<15)
        else { return nil }
        return CalendarTime.seconds(year, month, day, hour, minute, second)
    }

    /// Reads ISO 8601's basic format; `nil` for anything else.
    public static func basic(_ text: String) -> Int64? { basic(text.utf8.span) }

    /// The number of seconds by which a service's clock is ahead of ours, from the `Date` of a reply that refused a signature.
    ///
    /// A difference up to `toleratedOffset` counts as 0: it does no harm, and a `Date` may be some seconds old. The result is
    /// `nil` beyond a day: a `Date` that wrong must not decide the time of later signatures.
    ///
    /// - Parameters:
    ///   - date: the reply's `Date`.
    ///   - now: our own time.
    public static func clockOffset(date: WallInstant, now: WallInstant) -> Int64? {
        let offset = date.seconds - now.seconds
        guard offset.magnitude <= 86_400 else { return nil }
        return offset.magnitude > toleratedOffset ? offset : 0
    }

    /// A harmless difference of clocks, in seconds. Signatures are valid for 300 seconds.
    public static let toleratedOffset: Int64 = 60
}
