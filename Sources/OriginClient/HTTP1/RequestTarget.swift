internal import Primitives

/// The target of requests for a URL, as an HTTP/1.1 request names it (RFC 9112 sections 3.2.1 and 3.2).
struct RequestTarget: Equatable {
    /// The value of `Host`: the host, and the port unless it is the scheme's default.
    let authority: [UInt8]
    /// Path and query.
    let path: [UInt8]

    /// Nil for a URL in an uncommon form, which is left to libcurl.
    init?(url: String) {
        let bytes = Array(url.utf8)
        let schemes = [("http://", ":80"), ("https://", ":443")]
        guard let (scheme, port) = schemes.first(where: { bytes.span.hasPrefix($0.0) }) else { return nil }
        let start = scheme.utf8.count
        let end = bytes[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? bytes.endIndex
        guard let authority = Self.authority(bytes[start..<end], withoutPort: port) else { return nil }
        var path = Array(bytes[end...])
        if path.first != UInt8(ascii: "/") { path.insert(UInt8(ascii: "/"), at: 0) }
        // No space, no control, nothing beyond ASCII, and no fragment, which is never sent.
        guard path.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
        self.authority = authority
        self.path = path
    }

    /// A name or a numeric address, and a port if there is one; nil if it is malformed.
    private static func authority(_ bytes: ArraySlice<UInt8>, withoutPort port: String) -> [UInt8]? {
        let hostEnd =
            if bytes.first == UInt8(ascii: "[") {
                bytes.firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? bytes.endIndex
            } else {
                bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            }
        let host = bytes[..<hostEnd]
        let isHost =
            if host.first == UInt8(ascii: "[") {
                host.count > 2 && host.last == UInt8(ascii: "]")
                    && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == UInt8(ascii: ":") }
            } else {
                !host.isEmpty
                    && host.allSatisfy {
                        $0.isLetter || $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                    }
            }
        let rest = bytes[hostEnd...]
        let isPort =
            rest.isEmpty
            || rest.first == UInt8(ascii: ":") && (2...6).contains(rest.count)
                && rest.dropFirst().allSatisfy(\.isDigit)
        guard isHost, isPort else { return nil }
        return Array(rest.elementsEqual(port.utf8) ? host : bytes)
    }
}

extension RequestTarget {
    /// Writes a whole request, with `Content-Length`, and with `Host` unless its fields have one of their own.
    func write(_ method: HTTPMethod, _ lines: HeaderLines, body: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: method.rawValue.utf8)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: path)
        bytes.append(contentsOf: " HTTP/1.1\r\n".utf8)
        if !lines.hasHost {
            bytes.append(contentsOf: "Host: ".utf8)
            bytes.append(contentsOf: authority)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: lines.bytes)
        if method != .get {
            // In pieces, because a string of more than 15 bytes is allocated.
            bytes.append(contentsOf: "Content-Length: ".utf8)
            bytes.append(contentsOf: "\(body.count)".utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
        if method != .get { bytes.append(contentsOf: body) }
    }
}
