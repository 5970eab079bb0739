internal import Primitives

/// The path of a canonical request: without empty and dot segments (RFC 3986, section 6.2.2.3), and with each byte that is not
/// unreserved percent-encoded. Percent signs are encoded too: all services but Amazon S3 encode twice.
enum CanonicalPath {
    static func append(_ path: Span<UInt8>, to text: inout [UInt8]) {
        var segments: [Range<Int>] = []
        var start = 0
        var endsInSlash = false
        for end in 0...path.count where end == path.count || path[end] == UInt8(ascii: "/") {
            let segment = start..<end
            start = end + 1
            endsInSlash = segment.isEmpty
            let isDots = segment.count <= 2 && segment.allSatisfy { path[$0] == UInt8(ascii: ".") }
            if isDots, segment.count < 2 { continue }
            if isDots { _ = segments.popLast() } else { segments.append(segment) }
        }
        if segments.isEmpty { text.append(UInt8(ascii: "/")) }
        for segment in segments {
            text.append(UInt8(ascii: "/"))
            for index in segment { text.append(percentEncoding: path[index]) }
        }
        if endsInSlash, !segments.isEmpty { text.append(UInt8(ascii: "/")) }
    }
}

/// The query of a canonical request: its parameters in the order of their encoded names, then of their values.
enum CanonicalQuery {
    static func append(_ query: Span<UInt8>, to text: inout [UInt8]) {
        var parameters: [(name: [UInt8], value: [UInt8])] = []
        var start = 0
        for end in 0...query.count where end == query.count || query[end] == UInt8(ascii: "&") {
            let parameter = start..<end
            start = end + 1
            guard !parameter.isEmpty else { continue }
            let equals = parameter.first { query[$0] == UInt8(ascii: "=") } ?? end
            parameters.append(
                (encoded(query, parameter.lowerBound..<equals), encoded(query, min(equals + 1, end)..<end)))
        }
        parameters.sort { left, right in
            left.name == right.name
                ? left.value.lexicographicallyPrecedes(right.value) : left.name.lexicographicallyPrecedes(right.name)
        }
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { text.append(UInt8(ascii: "&")) }
            text += parameter.name
            text.append(UInt8(ascii: "="))
            text += parameter.value
        }
    }

    /// A name or a value in its canonical spelling: decoded, then encoded.
    private static func encoded(_ query: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = query[index]
            if byte == UInt8(ascii: "%"), index + 2 < range.upperBound, let high = query[index + 1].hexDigitValue,
                let low = query[index + 2].hexDigitValue
            {
                text.append(percentEncoding: high << 4 | low)
                index += 3
            } else {
                text.append(percentEncoding: byte)
                index += 1
            }
        }
        return text
    }
}
