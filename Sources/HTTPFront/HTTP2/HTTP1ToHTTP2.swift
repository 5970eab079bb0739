internal import NIOHPACK
internal import Primitives

/// An HTTP/2 answer, read from the bytes that `ResponseWriter` made for HTTP/1.1, so that a responder writes the same for both.
struct HTTP1ToHTTP2 {
    /// The status and the fields, without `Connection`.
    private(set) var fields: HPACKHeaders
    /// The range of the content.
    private(set) var content: Range<Int>

    init(_ bytes: Span<UInt8>) {
        // "HTTP/1.1 200"
        let status = bytes.count >= 12 ? Self.text(bytes, 9..<12) : "500"
        fields = [":status": status]
        var start = bytes.first(0x0a, from: 0) + 1
        while start < bytes.count {
            let end = bytes.first(0x0a, from: start)
            let line = start..<max(start, end - 1)
            start = min(end + 1, bytes.count)
            if line.isEmpty { break }
            let colon = bytes.first(UInt8(ascii: ":"), from: line.lowerBound)
            guard colon < line.upperBound else { continue }
            let name = Self.text(bytes, line.lowerBound..<colon).lowercased()
            if name != "connection" {
                fields.add(name: name, value: Self.text(bytes, bytes.trimmed(colon + 1..<line.upperBound)))
            }
        }
        content = start..<bytes.count
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}
