public import Primitives

/// Times of log lines: RFC 3339 in UTC with microseconds, such as `2026-01-02T03:04:05.000006Z`.
public enum LogTime {
    public static func text(_ instant: WallInstant) -> String {
        String(decoding: bytes(instant), as: UTF8.self)
    }

    static func bytes(_ instant: WallInstant) -> [UInt8] {
        let time = CalendarTime(seconds: instant.seconds)
        var text: [UInt8] = []
        text.reserveCapacity(27)
        text.append(time.year, digits: 4)
        for (separator, number) in [
            ("-", time.month), ("-", time.day), ("T", time.hour), (":", time.minute), (":", time.second),
        ] {
            text += separator.utf8
            text.append(number, digits: 2)
        }
        text.append(UInt8(ascii: "."))
        text.append((instant.nanoseconds - instant.seconds * 1_000_000_000) / 1000, digits: 6)
        text.append(UInt8(ascii: "Z"))
        return text
    }
}
