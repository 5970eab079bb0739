internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import Primitives

extension CacheDirectives {
    /// Those of a request's `Cache-Control` (RFC 9111, section 5.2) and `amz-sdk-request`.
    ///
    /// - Parameters:
    ///   - allowsNoCache: true if the caller's `no-cache` is granted; it is ignored otherwise.
    ///   - wallClock: the time of `now`; read only if it is needed.
    init(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, allowsNoCache: @autoclosure () -> Bool,
        now: MonotonicInstant, wallClock: () -> WallInstant
    ) {
        self.init()
        if head[.cacheControl] != nil { self = CacheControl.directives(head, bytes, allowsNoCache: allowsNoCache()) }
        guard let value = head[.amzSDKRequest] else { return }
        deadline = SDKRequest.deadline(bytes, value, now: now, wallClock: wallClock)
        isRetry = SDKRequest.isRetry(bytes, value)
    }
}

/// Reads the `Cache-Control` of a request (RFC 9111, section 5.2).
enum CacheControl {
    /// The directives that the gateway knows; others are ignored, as the RFC demands.
    ///
    /// - Parameter allowsNoCache: true if the caller's `no-cache` is granted; it is ignored otherwise.
    static func directives(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, allowsNoCache: Bool) -> CacheDirectives
    {
        var directives = CacheDirectives()
        for field in head.fields where bytes.isText("cache-control", at: field.name) {
            var start = field.value.lowerBound
            for index in field.value where bytes[index] == UInt8(ascii: ",") {
                read(bytes, start..<index, &directives, allowsNoCache)
                start = index + 1
            }
            read(bytes, start..<field.value.upperBound, &directives, allowsNoCache)
        }
        return directives
    }

    private static func read(
        _ bytes: Span<UInt8>, _ directive: Range<Int>, _ directives: inout CacheDirectives, _ allowsNoCache: Bool
    ) {
        let range = bytes.trimmed(directive)
        if bytes.isText("only-if-cached", at: range) { directives.onlyIfCached = true }
        if allowsNoCache, bytes.isText("no-cache", at: range) { directives.noCache = true }
    }
}

/// Reads `amz-sdk-request`, in which SDKs say which attempt this is and until when they wait for its answer.
///
/// AWS SDKs and Tools Reference Guide, "Retry behavior": `ttl=20200921T210823Z; attempt=2; max=3`.
enum SDKRequest {
    /// `ttl` is by the client's clock, which may differ from the gateway's by a second or two.
    private static let allowance: Int64 = 2_000_000_000
    /// A longer wait than a day is a mistake of the client's.
    private static let longest: Int64 = 86_400_000_000_000

    /// When the client gives up; `nil` if it does not say, or if the time is over or too far away: botocore computes `ttl` from the
    /// `Date` of its last answer, so that honest retries may seem late.
    ///
    /// - Parameter wallClock: the time of `now`; read only if it is needed.
    static func deadline(
        _ bytes: Span<UInt8>, _ value: Range<Int>, now: MonotonicInstant, wallClock: () -> WallInstant
    ) -> MonotonicInstant? {
        guard let time = time(bytes, value) else { return nil }
        let wait = WallInstant(seconds: time) - wallClock()
        guard wait > 0, wait <= longest else { return nil }
        return now + wait + allowance
    }

    /// Returns true for the client's second attempt and later ones; false if it gives no number.
    static func isRetry(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        // The value of most requests.
        if bytes.isText("attempt=1", at: value) { return false }
        return number(bytes, value).map { $0 >= 2 } ?? false
    }

    /// The number of the client's attempt, at most 99; `nil` if it gives none.
    static func number(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Int? {
        var start = value.lowerBound
        for end in value.lowerBound...value.upperBound
        where end == value.upperBound || bytes[end] == UInt8(ascii: ";") {
            if let attempt = attempt(bytes, bytes.trimmed(start..<end)) { return attempt }
            start = end + 1
        }
        return nil
    }

    /// The number of `attempt=N`, at most 99.
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
            number = min(number * 10 + Int(digit), 99)
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
