internal import Primitives

/// Reads a request head strictly (RFC 9112): a head that could be read in two ways is refused.
extension RequestHead {
    /// Fills the head from the start of `bytes`, up to an empty line.
    ///
    /// - Throws: the first fault. If `bytes` hold no whole head the reason is arbitrary; `RequestDecoder` finds out the right one.
    mutating func parse(_ bytes: Span<UInt8>, limits: HTTPLimits) throws(Refusal) {
        reset()
        var position = try parseRequestLine(bytes, limits: limits)
        while true {
            guard position + 1 < bytes.count else { throw .fieldName }
            if bytes[position] == 0x0d, bytes[position + 1] == 0x0a { break }
            guard fields.count < limits.maxFields else { throw .fieldsTooMany }
            position = try parseField(bytes, at: position, limits: limits)
        }
        length = position + 2
        try interpret(bytes, limits: limits)
    }

    /// `method SP request-target SP HTTP-version CRLF`; returns where the first field begins.
    private mutating func parseRequestLine(_ bytes: Span<UInt8>, limits: HTTPLimits) throws(Refusal) -> Int {
        if bytes.begins(with: "POST / HTTP/1.1\r\n") {
            // Nearly all requests begin so.
            (method, path, isHTTP11) = (.post, 5..<6, true)
            guard limits.maxFieldBytes >= 15 else { throw .targetTooLong }
            return 17
        }
        var position = 0
        while position < bytes.count, CharacterClass.isToken(bytes[position]) { position += 1 }
        guard position > 0, position < bytes.count, bytes[position] == 0x20 else { throw .requestLine }
        method = Self.method(bytes, 0..<position)

        let target = position + 1
        position = target
        while position < bytes.count, bytes[position] > 0x20, bytes[position] < 0x7f { position += 1 }
        guard position > target, position < bytes.count else { throw .requestLine }
        guard bytes[position] == 0x20 else {
            // "GET /" and a line end is HTTP/0.9.
            throw bytes[position] == 0x0d ? .httpVersion : .requestLine
        }
        try parseTarget(bytes, target..<position)

        let version = position + 1
        guard version + 10 <= bytes.count, bytes[version + 8] == 0x0d, bytes[version + 9] == 0x0a,
            bytes.equals("http/1.", at: version..<version + 7), bytes[version] == UInt8(ascii: "H"),
            bytes[version + 1] == UInt8(ascii: "T"), bytes[version + 2] == UInt8(ascii: "T"),
            bytes[version + 3] == UInt8(ascii: "P")
        else { throw .httpVersion }
        switch bytes[version + 7] {
        case UInt8(ascii: "1"): isHTTP11 = true
        case UInt8(ascii: "0"): isHTTP11 = false
        default: throw .httpVersion
        }
        guard version + 8 <= limits.maxFieldBytes else { throw .targetTooLong }
        return version + 10
    }

    private static func method(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Method {
        // Methods are case-sensitive (RFC 9110, section 9.1).
        func spells(_ text: StaticString) -> Bool {
            guard range.count == text.utf8CodeUnitCount else { return false }
            for offset in 0..<range.count where unsafe bytes[range.lowerBound + offset] != text.utf8Start[offset] {
                return false
            }
            return true
        }
        if spells("POST") { return .post }
        if spells("GET") { return .get }
        if spells("HEAD") { return .head }
        return spells("CONNECT") ? .connect : .other
    }

    /// Origin-form, absolute-form or asterisk-form (RFC 9112, section 3.2). The target of CONNECT is not
    /// parsed, because CONNECT is refused.
    private mutating func parseTarget(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(Refusal) {
        path = range
        if bytes[range.lowerBound] == UInt8(ascii: "/") { return }
        let http = range.lowerBound..<min(range.lowerBound + 7, range.upperBound)
        let https = range.lowerBound..<min(range.lowerBound + 8, range.upperBound)
        let start: Int
        if bytes.equals("http://", at: http) {
            start = http.upperBound
        } else if bytes.equals("https://", at: https) {
            start = https.upperBound
        } else {
            let isAsterisk = range.count == 1 && bytes[range.lowerBound] == UInt8(ascii: "*")
            guard method == .connect || (method == .other && isAsterisk) else { throw .requestLine }
            return
        }
        var slash = start
        while slash < range.upperBound, bytes[slash] != UInt8(ascii: "/"), bytes[slash] != UInt8(ascii: "?") {
            slash += 1
        }
        guard Self.isHost(bytes, start..<slash) else { throw .requestLine }
        authority = start..<slash
        // Without a path it is "/" (RFC 9110, section 4.2.3), and the scheme's own slash can stand for that.
        path =
            slash < range.upperBound && bytes[slash] == UInt8(ascii: "/") ? slash..<range.upperBound : start - 1..<start
    }

    /// `field-name ":" OWS field-value OWS CRLF`; returns where the next line begins.
    @inline(__always)
    private mutating func parseField(_ bytes: Span<UInt8>, at start: Int, limits: HTTPLimits) throws(Refusal) -> Int {
        let colon = bytes.first(UInt8(ascii: ":"), from: start)
        let name = start..<colon
        let known = KnownField.named(bytes, name)
        if known == nil {
            var position = start
            while position < colon, CharacterClass.isToken(bytes[position]) { position += 1 }
            guard position == colon, position > start, colon < bytes.count else {
                throw bytes[start] == 0x20 || bytes[start] == 0x09 ? .foldedField : .fieldName
            }
        }
        let position = bytes.firstControl(from: colon + 1)
        guard position + 1 < bytes.count, bytes[position] == 0x0d, bytes[position + 1] == 0x0a else {
            throw .fieldValue
        }
        guard position - start <= limits.maxFieldBytes else { throw .headTooLarge }
        let value = bytes.trimmed(name.upperBound + 1..<position)
        try append(Field(name: name, value: value), known: known)
        return position + 2
    }

    /// Reads framing and connection options from the fields.
    private mutating func interpret(_ bytes: Span<UInt8>, limits: HTTPLimits) throws(Refusal) {
        if let host = self[.host] {
            guard isGood(host: host, in: bytes) else { throw .host }
        } else if isHTTP11 {
            // An HTTP/1.0 client may leave it out (RFC 9112, section 3.2), as health checks of load balancers do.
            throw .host
        }

        if let encoding = self[.transferEncoding] {
            guard isHTTP11, bytes.equals("chunked", at: encoding), Self.endsInSpaces(bytes, encoding) else {
                throw .transferEncoding
            }
            guard self[.contentLength] == nil else { throw .contentLength }
            framing = .chunked
        } else if let length = self[.contentLength] {
            guard Self.endsInSpaces(bytes, length) else { throw .contentLength }
            framing = .length(try Self.contentLength(bytes, length, limits: limits))
        }

        keepsConnection = isHTTP11
        if self[.connection] != nil { interpretConnection(bytes) }
        if let expectation = self[.expect] {
            guard bytes.equals("100-continue", at: expectation) else { throw .expectation }
            // An HTTP/1.0 client's expectation is ignored (RFC 9110, section 10.1.1).
            expectsContinue = isHTTP11 && framing != .length(0)
        }
        if method == .connect { throw .connectMethod }
    }

    /// True if only spaces follow a value that the framing depends on. RFC 9110, section 5.5, allows a tab too, but llhttp takes it for a
    /// part of the value.
    private static func endsInSpaces(_ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        var position = value.upperBound
        while position < bytes.count, bytes[position] == 0x20 { position += 1 }
        return position < bytes.count && bytes[position] == 0x0d
    }

    /// `uri-host [ ":" port ]` (RFC 9112, section 3.2): a name, an IPv4 address, or an IPv6 address in brackets. Commas are
    /// refused though a name may have them, because they could be read as a list.
    static func isHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var position = range.lowerBound
        if position < range.upperBound, bytes[position] == UInt8(ascii: "[") {
            position += 1
            while position < range.upperBound, bytes[position].isHexDigit || ":.".utf8.contains(bytes[position]) {
                position += 1
            }
            guard position > range.lowerBound + 3, position < range.upperBound, bytes[position] == UInt8(ascii: "]")
            else { return false }
            position += 1
        } else {
            while position < range.upperBound, CharacterClass.isName(bytes[position]) {
                if bytes[position] == UInt8(ascii: "%") {
                    guard position + 2 < range.upperBound, bytes[position + 1].isHexDigit,
                        bytes[position + 2].isHexDigit
                    else { return false }
                }
                position += 1
            }
            guard position > range.lowerBound else { return false }
        }
        guard position < range.upperBound else { return true }
        guard bytes[position] == UInt8(ascii: ":") else { return false }
        position += 1
        while position < range.upperBound, bytes[position].isDigit { position += 1 }
        return position == range.upperBound
    }

    /// Connection options (RFC 9110, section 7.6.1); the field may be repeated, and `close` wins.
    private mutating func interpretConnection(_ bytes: Span<UInt8>) {
        var closes = false
        for field in fields where KnownField.named(bytes, field.name) == .connection {
            var start = field.value.lowerBound
            while start <= field.value.upperBound {
                var end = start
                while end < field.value.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
                let option = bytes.trimmed(start..<end)
                if bytes.equals("close", at: option) { closes = true }
                if bytes.equals("keep-alive", at: option) { keepsConnection = true }
                start = end + 1
            }
        }
        if closes { keepsConnection = false }
    }

    /// `1*DIGIT` (RFC 9110, section 8.6), no sign, no list, no more than `maxBodyBytes`.
    private static func contentLength(
        _ bytes: Span<UInt8>, _ range: Range<Int>, limits: HTTPLimits
    ) throws(Refusal) -> Int {
        guard !range.isEmpty else { throw .contentLength }
        var value = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .contentLength }
            // Saturates far above any limit, so that no number of digits overflows.
            value = min(value, Int.max / 100) * 10 + Int(digit)
        }
        guard value <= limits.maxBodyBytes else { throw .bodyTooLarge }
        return value
    }
}
