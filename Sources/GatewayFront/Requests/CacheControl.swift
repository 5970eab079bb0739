internal import Gateway
internal import HTTPFront
internal import Primitives

/// Reads the `Cache-Control` of a request (RFC 9111, section 5.2).
enum CacheControl {
    /// The directives that the gateway knows; others are ignored, as the RFC demands.
    ///
    /// - Parameter allowsNoCache: whether the caller's `no-cache` is granted; it is ignored otherwise.
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
