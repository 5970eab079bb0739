internal import NIOHPACK
internal import Primitives

/// Writes the fields of an HTTP/2 request as the head of an HTTP/1.1 request with the same meaning, so that one strict parser serves both.
///
/// Fields that HTTP/1.1 cannot express unambiguously are refused before they are written (RFC 9113, sections 8.2, 8.3 and 10.3): HTTP/2
/// fields are lengths and bytes, and a line end in a value would begin another field in HTTP/1.1.
struct HTTP2ToHTTP1 {
    private var method: String?
    private var scheme: String?
    private var path: String?
    private var authority: String?
    private var hasHost = false

    /// Appends the head, with its empty line, to `bytes`.
    ///
    /// - Throws: the first fault.
    static func write(_ fields: HPACKHeaders, into bytes: inout [UInt8], limits: HTTPLimits) throws(Refusal) {
        var head = HTTP2ToHTTP1()
        let start = bytes.count
        var hasBegun = false
        for (name, value, _) in fields {
            if name.utf8.first == UInt8(ascii: ":") {
                guard !hasBegun else { throw .pseudoField }
                try head.take(name, value)
                continue
            }
            if !hasBegun {
                hasBegun = true
                try head.begin(&bytes)
            }
            try head.append(name, value, &bytes)
            guard bytes.count - start <= limits.maxHeadBytes else { throw .headTooLarge }
        }
        if !hasBegun { try head.begin(&bytes) }
        bytes += [0x0d, 0x0a]
        guard bytes.count - start <= limits.maxHeadBytes else { throw .headTooLarge }
    }

    /// Checks the trailer fields, whose values are ignored.
    ///
    /// - Throws: the first fault.
    static func check(trailers: HPACKHeaders) throws(Refusal) {
        for (name, value, _) in trailers {
            guard name.utf8.first != UInt8(ascii: ":") else { throw .pseudoField }
            try checkField(name, value)
        }
    }

    /// Stores a pseudo-header field, each of which may occur once.
    private mutating func take(_ name: String, _ value: String) throws(Refusal) {
        if Self.is(name, ":method"), method == nil {
            method = value
        } else if Self.is(name, ":scheme"), scheme == nil {
            scheme = value
        } else if Self.is(name, ":path"), path == nil {
            path = value
        } else if Self.is(name, ":authority"), authority == nil {
            authority = value
        } else {
            throw .pseudoField
        }
    }

    /// Appends the request line, and `Host` from `:authority`.
    private func begin(_ bytes: inout [UInt8]) throws(Refusal) {
        guard let method, !method.isEmpty, method.utf8.allSatisfy(CharacterClass.isToken) else { throw .requestLine }
        guard !Self.is(method, "CONNECT") else { throw .connectMethod }
        guard let scheme, Self.is(scheme, "http") || Self.is(scheme, "https") else { throw .requestLine }
        guard let path, path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            path.utf8.first == UInt8(ascii: "/") || Self.is(path, "*")
        else { throw .requestLine }
        bytes += method.utf8
        bytes.append(0x20)
        bytes += path.utf8
        bytes += " HTTP/1.1\r\n".utf8
        if let authority {
            try Self.checkValue(authority)
            Self.line("host", authority, &bytes)
        }
    }

    private mutating func append(_ name: String, _ value: String, _ bytes: inout [UInt8]) throws(Refusal) {
        try Self.checkField(name, value)
        if Self.is(name, "host"), let authority {
            // RFC 9113, section 8.3.1: they must not differ.
            guard !hasHost, value.utf8.lazy.map(\.lowercased).elementsEqual(authority.utf8.lazy.map(\.lowercased))
            else { throw .host }
            hasHost = true
            return
        }
        Self.line(name, value, &bytes)
    }

    private static func line(_ name: String, _ value: String, _ bytes: inout [UInt8]) {
        bytes += name.utf8
        bytes += ": ".utf8
        bytes += value.utf8
        bytes += "\r\n".utf8
    }

    private static func checkField(_ name: String, _ value: String) throws(Refusal) {
        let isName = !name.isEmpty && name.utf8.allSatisfy { CharacterClass.isToken($0) && $0 &- 0x41 >= 26 }
        guard isName else { throw .fieldName }
        let isConnections = connectionFields.contains { Self.is(name, $0) }
        guard !isConnections, !Self.is(name, "te") || Self.is(value, "trailers") else { throw .connectionField }
        try checkValue(value)
    }

    private static let connectionFields = [
        "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade",
    ]

    /// Returns true if a text has exactly these bytes. Swift's `==` compares by canonical equivalence.
    private static func `is`(_ text: String, _ expected: String) -> Bool {
        text.utf8.count == expected.utf8.count && text.utf8.elementsEqual(expected.utf8)
    }

    /// RFC 9113, section 8.2.1.
    private static func checkValue(_ value: String) throws(Refusal) {
        func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }
        let utf8 = value.utf8
        guard !isSpace(utf8.first), !isSpace(utf8.last),
            utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 })
        else { throw .fieldValue }
    }
}

/// An HTTP/2 answer, read from the bytes that `ResponseWriter` made for HTTP/1.1, so that a responder writes the same for both.
struct HTTP1ToHTTP2 {
    private(set) var fields: HPACKHeaders
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
            if name != "connection", name != "transfer-encoding" {
                fields.add(name: name, value: Self.text(bytes, bytes.trimmed(colon + 1..<line.upperBound)))
            }
        }
        content = start..<bytes.count
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}
