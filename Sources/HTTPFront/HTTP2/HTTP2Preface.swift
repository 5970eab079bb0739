/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
enum HTTP2Preface {
    private static let text: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Whether `bytes` begin with it; nothing if they are too few to tell.
    static func begins(_ bytes: Span<UInt8>) -> Bool? {
        let length = text.utf8CodeUnitCount
        for index in 0..<min(bytes.count, length) where unsafe bytes[index] != text.utf8Start[index] { return false }
        return bytes.count >= length ? true : nil
    }
}
