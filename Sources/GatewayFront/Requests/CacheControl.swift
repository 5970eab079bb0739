internal import Gateway
internal import HTTPFront

/// Reads the `Cache-Control` of a request (RFC 9111, section 5.2).
enum CacheControl {
    /// The directives that the gateway knows; others are ignored, as the RFC demands.
    ///
    /// - Parameter mayFetchAnew: whether the caller's `no-cache` is granted; it is ignored otherwise.
    static func wishes(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, mayFetchAnew: Bool) -> Wishes {
        var wishes = Wishes()
        for field in head.fields where bytes.isText("cache-control", at: field.name) {
            var start = field.value.lowerBound
            for index in field.value where bytes[index] == UInt8(ascii: ",") {
                read(bytes, start..<index, &wishes, mayFetchAnew)
                start = index + 1
            }
            read(bytes, start..<field.value.upperBound, &wishes, mayFetchAnew)
        }
        return wishes
    }

    private static func read(
        _ bytes: Span<UInt8>, _ directive: Range<Int>, _ wishes: inout Wishes, _ mayFetchAnew: Bool
    ) {
        let range = bytes.trimmed(directive)
        if bytes.isText("only-if-cached", at: range) { wishes.onlyIfCached = true }
        if mayFetchAnew, bytes.isText("no-cache", at: range) { wishes.fetchesAnew = true }
    }
}
