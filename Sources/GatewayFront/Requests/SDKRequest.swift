internal import AWSProtocol
internal import HTTPFront
internal import Primitives

/// Reads `amz-sdk-request`, in which SDKs say which attempt this is and until when they wait for its answer.
///
/// AWS SDKs and Tools Reference Guide, "Retry behavior": `ttl=20200921T210823Z; attempt=2; max=3`.
enum SDKRequest {
    /// `ttl` is by the client's clock, which may differ from the gateway's by a second or two.
    private static let allowance: Int64 = 2_000_000_000
    /// A longer wait than a day is a mistake of the client's.
    private static let longest: Int64 = 86_400_000_000_000

    /// When the client gives up, in monotonic nanoseconds; `nil` if it does not say, or if the time is over or too far away:
    /// botocore computes `ttl` from the `Date` of its last answer, so that honest retries may seem late.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment; asked only if it is needed.
    static func deadline(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, now: Int64, wallClock: () -> WallInstant
    ) -> Int64? {
        guard let value = head[.amzSDKRequest], let time = time(bytes, value) else { return nil }
        let wait = WallInstant(seconds: time) - wallClock()
        guard wait > 0, wait <= longest else { return nil }
        return now &+ wait &+ allowance
    }

    /// Returns true for the client's second attempt and later ones; false if it gives no number.
    static func isRetry(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        // The value of most requests.
        guard let value = head[.amzSDKRequest], !bytes.isText("attempt=1", at: value) else { return false }
        var start = value.lowerBound
        for end in value.lowerBound...value.upperBound
        where end == value.upperBound || bytes[end] == UInt8(ascii: ";") {
            if let attempt = attempt(bytes, bytes.trimmed(start..<end)) { return attempt >= 2 }
            start = end + 1
        }
        return false
    }

    /// The number of `attempt=N`, at most 2.
    private static func attempt(_ bytes: Span<UInt8>, _ parameter: Range<Int>) -> Int? {
        let name = "attempt=".utf8.count
        let digits = parameter.dropFirst(name)
        guard !digits.isEmpty, bytes.isText("attempt=", at: parameter.lowerBound..<parameter.lowerBound + name) else {
            return nil
        }
        var number = 0
        for index in digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = min(number * 10 + Int(digit), 2)
        }
        return number
    }

    /// The instant after `ttl=`, in seconds since 1970.
    private static func time(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Int64? {
        var start = value.lowerBound
        // `ttl=` and the 16 bytes of a time in ISO 8601's basic form.
        while start + 20 <= value.upperBound, !bytes.isText("ttl=", at: start..<start + 4) { start += 1 }
        guard start + 20 <= value.upperBound else { return nil }
        return AWSTime.basic(bytes.extracting(start + 4..<start + 20))
    }
}
