/// A time of the proleptic Gregorian calendar in UTC, without leap seconds.
///
/// Its years 0000 to 9999 are more than `WallInstant` has, so it counts in whole seconds since 1970-01-01T00:00:00Z.
public struct CalendarTime: Sendable, Equatable {
    public let year, month, day, hour, minute, second: Int64
    /// 0 is Monday.
    public let weekday: Int

    // Days are counted from March 1 of the year -400: no count is negative, and the leap day is the last day of a year.
    private static let daysBefore1970: Int64 = 719_468 + 146_097

    /// - Parameter seconds: clamped to the years 0000 to 9999.
    public init(seconds: Int64) {
        let time = min(max(seconds, -62_167_219_200), 253_402_300_799) + Self.daysBefore1970 * 86_400
        let days = time / 86_400
        let (era, dayOfEra) = days.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + (era - 1) * 400 + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        (hour, minute, second) = (time / 3600 % 24, time / 60 % 60, time % 60)
        weekday = Int((days + 2) % 7)
    }

    /// The seconds of a time; `nil` if there is no such time. The leap second 60 counts as the one before it, so that it stays in its day.
    public static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        guard (0...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let (era, yearOfEra) = (month > 2 ? year + 400 : year + 399).quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - daysBefore1970
        let time = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59)
        // A day that the month does not have would be a day of the next month.
        return day <= 28 || CalendarTime(seconds: time).day == day ? time : nil
    }
}

/// Dates of HTTP in the current format of RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// - Parameter seconds: since 1970-01-01T00:00:00Z, from 0 to the end of the year 9999; outside, the nearest of these.
    public static func format(_ seconds: Int64) -> [UInt8] {
        let time = CalendarTime(seconds: max(0, seconds))
        var text = Array("\(days[time.weekday]), ".utf8)
        text.append(time.day, digits: 2)
        text += " \(months[Int(time.month) - 1]) ".utf8
        text.append(time.year, digits: 4)
        for (separator, number) in [(" ", time.hour), (":", time.minute), (":", time.second)] {
            text += separator.utf8
            text.append(number, digits: 2)
        }
        return text + " GMT".utf8
    }

    /// Reads a date as seconds since 1970-01-01T00:00:00Z; `nil` for anything else, also for the obsolete formats.
    public static func seconds(_ bytes: Span<UInt8>) -> Int64? {
        guard bytes.count == 29 else { return nil }
        func holds(_ text: String, at start: Int) -> Bool {
            zip(start..., text.utf8).allSatisfy { bytes[$0] == $1 }
        }
        guard days.contains(where: { holds($0, at: 0) }), holds(", ", at: 3), holds(" ", at: 7), holds(" ", at: 11),
            holds(" ", at: 16), holds(":", at: 19), holds(":", at: 22), holds(" GMT", at: 25),
            let month = months.firstIndex(where: { holds($0, at: 8) }),
            let day = bytes.number(5..<7), let year = bytes.number(12..<16), let hour = bytes.number(17..<19),
            let minute = bytes.number(20..<22), let second = bytes.number(23..<25)
        else { return nil }
        return CalendarTime.seconds(year, Int64(month) + 1, day, hour, minute, second)
    }

    /// Reads a date; `nil` for anything else.
    public static func seconds(_ text: String) -> Int64? { seconds(text.utf8.span) }
}
