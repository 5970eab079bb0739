/// The coding of a request's content (`Content-Encoding`, RFC 9110, section 8.4) other than `identity`.
///
/// The request goes upstream as it came, in its coding. Gzip is taken off to read it; content in another coding is not read. Neither
/// gets a page or makes one, because a service may read it otherwise than the same content in no coding.
public struct ContentCoding: Sendable {
    /// The value of the field, as it is sent on.
    public let field: String
    /// True if the content is in gzip and in no other coding.
    public let isGzip: Bool
    /// The bytes that the content may have once its coding is taken off.
    public let maxBytes: Int

    public init(field: String, isGzip: Bool, maxBytes: Int) {
        self.field = field
        self.isGzip = isGzip
        self.maxBytes = maxBytes
    }
}
