/// The connection preface of an HTTP/2 client (RFC 9113, section 3.4).
enum HTTP2Preface {
    private static let text: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Returns true if `bytes` begin with the preface; `nil` if there are too few bytes to tell.
    static func begins(_ bytes: Span<UInt8>) -> Bool? {
        let length = text.utf8CodeUnitCount
        for index in 0..<min(bytes.count, length) where unsafe bytes[index] != text.utf8Start[index] { return false }
        return bytes.count >= length ? true : nil
    }
}
