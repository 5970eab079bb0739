internal import Primitives

/// A message of libcurl's about an HTTP/2 stream.
///
/// libcurl's result for a stream that the origin has not processed is the same as for one that failed; only its messages differ. These
/// are those of libcurl 7.88 to 8.17. Without them only requests that are safe to repeat are repeated.
enum HTTP2Notice: Equatable {
    /// The transfer's request has this stream.
    case stream(UInt32)
    /// The origin has sent GOAWAY: it processes no stream above `last` (RFC 9113 section 6.8).
    case goAway(last: UInt32)
    /// The origin has reset the stream with REFUSED_STREAM, and libcurl is about to send the request again.
    case refused

    /// Nil for any other text.
    init?(_ text: Span<UInt8>) {
        if text.hasPrefix("using stream id: ") {
            guard let id = Self.number(in: text, from: 17) else { return nil }
            self = .stream(id)
        } else if text.hasPrefix("[http/2] [") {
            guard let id = Self.number(in: text, from: 10) else { return nil }
            self = .stream(id)
        } else if text.hasPrefix("refused_stream, retrying") {
            self = .refused
        } else if text.hasPrefix("recveived goaway,") || text.hasPrefix("received goaway,") {
            guard let sign = text.lastIndex(of: UInt8(ascii: "=")), let last = Self.number(in: text, from: sign + 1)
            else { return nil }
            self = .goAway(last: last)
        } else {
            return nil
        }
    }

    private static func number(in text: Span<UInt8>, from start: Int) -> UInt32? {
        var end = start
        while end < text.count, text[end].isDigit { end += 1 }
        return text.decimal(start..<end).flatMap { UInt32(exactly: $0) }
    }
}

extension Span<UInt8> {
    fileprivate func lastIndex(of byte: UInt8) -> Int? { indices.last { self[$0] == byte } }
}
