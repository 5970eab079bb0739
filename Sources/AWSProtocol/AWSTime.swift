/// Conversions between seconds since 1970-01-01T00:00:00Z and the date formats of requests.
public enum AWSTime {
    /// ISO 8601's basic format, such as `20150830T123600Z`, clamped to the years 0000 to 9999.
    public static func basic(_ seconds: Int64) -> [UInt8] {
        let seconds = min(max(seconds, -62_167_219_200), 253_402_300_799)
        let day = seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
        let rest = seconds - day * 86_400
        let date = civil(day)
        var text: [UInt8] = []
        text.reserveCapacity(16)
        append(date.year, 4, to: &text)
        append(date.month, 2, to: &text)
        append(date.day, 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(rest / 3600, 2, to: &text)
        append(rest / 60 % 60, 2, to: &text)
        append(rest % 60, 2, to: &text)
        text.append(UInt8(ascii: "Z"))
        return text
    }

    /// Reads ISO 8601's basic format; `nil` for anything else.
    public static func basic(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard range.count == 16, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let start = range.lowerBound
        guard bytes[start + 8] == UInt8(ascii: "T"), bytes[start + 15] == UInt8(ascii: "Z"),
            let year = number(bytes, start..<start + 4), let month = number(bytes, start + 4..<start + 6),
            let day = number(bytes, start + 6..<start + 8), let hour = number(bytes, start + 9..<start + 11),
            let minute = number(bytes, start + 11..<start + 13), let second = number(bytes, start + 13..<start + 15)
        else { return nil }
        return seconds(year, month, day, hour, minute, second)
    }

    /// Reads ISO 8601's basic format; `nil` for anything else.
    public static func basic(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return basic(bytes.span, bytes.indices)
    }

    /// Reads an HTTP date in the current format of RFC 9110, section 5.6.7, `Sun, 06 Nov 1994 08:49:37 GMT`; `nil` for
    /// anything else, also for the obsolete formats.
    public static func http(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard range.count == 29, range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let start = range.lowerBound
        func holds(_ text: String, at offset: Int) -> Bool {
            zip((start + offset)..., text.utf8).allSatisfy { bytes[$0] == $1 }
        }
        guard days.contains(where: { holds($0, at: 0) }), holds(", ", at: 3), holds(" ", at: 7), holds(" ", at: 11),
            holds(" ", at: 16), holds(":", at: 19), holds(":", at: 22), holds(" GMT", at: 25),
            let month = months.firstIndex(where: { holds($0, at: 8) }),
            let day = number(bytes, start + 5..<start + 7), let year = number(bytes, start + 12..<start + 16),
            let hour = number(bytes, start + 17..<start + 19), let minute = number(bytes, start + 20..<start + 22),
            let second = number(bytes, start + 23..<start + 25)
        else { return nil }
        return seconds(year, Int64(month) + 1, day, hour, minute, second)
    }

    /// Reads an HTTP date; `nil` for anything else.
    public static func http(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        return http(bytes.span, bytes.indices)
    }

    /// The number of seconds by which a service's clock is ahead of ours, from the `Date` of a reply that refused a signature.
    ///
    /// A difference up to `toleratedOffset` counts as 0: it does no harm, and a `Date` may be some seconds old. The result is
    /// `nil` beyond a day: a `Date` that wrong must not decide the time of later signatures.
    ///
    /// - Parameters:
    ///   - date: the reply's `Date`, in seconds since 1970.
    ///   - now: our own time, in seconds since 1970.
    public static func clockOffset(date: Int64, now: Int64) -> Int64? {
        let (offset, overflow) = date.subtractingReportingOverflow(now)
        guard !overflow, offset.magnitude <= 86_400 else { return nil }
        return offset.magnitude > toleratedOffset ? offset : 0
    }

    /// A harmless difference of clocks, in seconds. Signatures are valid for 300 seconds.
    public static let toleratedOffset: Int64 = 60

    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        // A leap second is 60. It counts as the second before it, so that it stays in its day.
        guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60 else { return nil }
        let days = daysSinceEpoch(year, month, day)
        // A day that the month does not have would be a day of the next month.
        guard day <= 28 || civil(days).day == day else { return nil }
        return days * 86_400 + hour * 3600 + minute * 60 + min(second, 59)
    }

    @inline(__always)
    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var number: Int64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return number
    }

    private static func append(_ number: Int64, _ width: Int, to text: inout [UInt8]) {
        let digits = "\(number)".utf8
        for _ in 0..<max(0, width - digits.count) { text.append(UInt8(ascii: "0")) }
        text += digits
    }

    // The next two functions count in years that begin in March, so that the leap day is the last day of a year.

    private static func daysSinceEpoch(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = daysSinceEpoch + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
