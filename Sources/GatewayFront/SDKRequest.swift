internal import HTTPFront

/// Reads `amz-sdk-request`, in which SDKs say which attempt this is and until when they wait for its answer.
///
/// AWS SDKs and Tools Reference Guide, "Retry behavior": `ttl=20200921T210823Z; attempt=2; max=3`.
enum SDKRequest {
    /// The client's clock, by which `ttl` is meant, may differ from ours, and what it learnt of ours is a second or two old.
    private static let allowance: Int64 = 2_000_000_000
    /// No client waits for a day.
    private static let longest: Int64 = 86_400_000_000_000

    /// When the client will have given up, in monotonic nanoseconds. Nothing if it does not say, or says something that
    /// cannot be: botocore computes `ttl` from the `Date` of its last answer, so that honest retries may seem late.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment in nanoseconds since 1970-01-01T00:00:00Z; asked only if it is needed.
    static func deadline(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, now: Int64, wallClock: () -> Int64
    ) -> Int64? {
        guard let value = head[.amzSDKRequest], let time = time(bytes, value) else { return nil }
        let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        let (wait, tooFar) = nanoseconds.subtractingReportingOverflow(wallClock())
        guard !tooFar, wait > 0, wait <= longest else { return nil }
        return now &+ wait &+ allowance
    }

    /// The instant after `ttl=`, in seconds since 1970.
    private static func time(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Int64? {
        var start = value.lowerBound
        // `ttl=` and the 16 bytes of a time in ISO 8601's basic form.
        while start + 20 <= value.upperBound, !bytes.isText("ttl=", at: start..<start + 4) { start += 1 }
        guard start + 20 <= value.upperBound, bytes[start + 12] == UInt8(ascii: "T"),
            bytes[start + 19] == UInt8(ascii: "Z"), let year = number(bytes, start + 4..<start + 8),
            let month = number(bytes, start + 8..<start + 10), (1...12).contains(month),
            let day = number(bytes, start + 10..<start + 12), (1...31).contains(day),
            let hour = number(bytes, start + 13..<start + 15), hour < 24,
            let minute = number(bytes, start + 15..<start + 17), minute < 60,
            let second = number(bytes, start + 17..<start + 19), second <= 60
        else { return nil }
        return days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        var number: Int64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return number
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar, by counting in years that begin in March.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
