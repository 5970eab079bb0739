internal import AWSProtocol
internal import Gateway
internal import HTTPFront

/// Content in a coding (`Content-Encoding`, RFC 9110, section 8.4), which is not looked into here.
enum CodedContent {
    /// The error for a call whose content is in a coding other than `identity`; nil if the call goes on as it came, with that field.
    static func refusal(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ call: Call) -> GatewayError? {
        guard call.passthroughService == nil else { return nil }
        for field in head.fields where bytes.isText("content-encoding", at: field.name) {
            guard field.value.isEmpty || bytes.isText("identity", at: field.value) else { return .codedContent }
        }
        return nil
    }
}

extension GatewayError {
    fileprivate static let codedContent = GatewayError(
        ServiceError(
            status: 415, namespace: ServiceError.commonNamespace, code: "UnsupportedMediaTypeException",
            message: "The request's Content-Encoding is not accepted here: send the body as it is, in no coding."),
        outcome: .invalid, detail: "content-encoding")
}
