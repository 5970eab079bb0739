internal import Gateway
internal import HTTPFront

/// Content in a coding (`Content-Encoding`, RFC 9110, section 8.4), which the gateway does not read.
enum CodedContent {
    /// - Throws: the answer to a request whose content is in a coding other than `identity`.
    static func check(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) throws(GatewayError) {
        for field in head.fields where bytes.isText("content-encoding", at: field.name) {
            guard field.value.isEmpty || bytes.isText("identity", at: field.value) else { throw .codedContent }
        }
    }
}

extension GatewayError {
    fileprivate static let codedContent = front(
        415, "UnsupportedMediaTypeException",
        "The request's Content-Encoding is not accepted here: send the body as it is, in no coding.",
        detail: "content-encoding")
}
