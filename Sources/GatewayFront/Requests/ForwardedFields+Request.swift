internal import Gateway
internal import HTTPFront
internal import Primitives

/// The fields of a request that are forwarded to the service with its caller's signature.
enum EndToEnd {
    /// All fields but the hop-by-hop ones: those that RFC 9110, section 7.6.1, lists, and those that the request's `Connection`
    /// field names. Fields that change the meaning of the request are kept even if `Connection` names them.
    ///
    /// - Throws: the answer to a request that cannot be forwarded without breaking its signature.
    static func fields(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(GatewayError) -> ForwardedFields {
        for index in head.path where bytes[index] == UInt8(ascii: "?") {
            throw .notForwardable("calls have no query")
        }
        var dropped = ours
        if head[.connection] != nil {
            for field in head.fields where bytes.isText("connection", at: field.name) {
                let options = field.value.map { bytes[$0] }.split(separator: UInt8(ascii: ","))
                for option in options {
                    let name = option.filter { $0 != 0x20 && $0 != 0x09 }.map(\.lowercased)
                    if !isCritical(name) { dropped.insert(name) }
                    // The caller is not verified, and each name costs as much as a field.
                    guard dropped.count <= maxDropped else { throw .notForwardable("Connection names too many fields") }
                }
            }
        }
        var fields: [(name: String, value: String)] = []
        for field in head.fields {
            let name = field.name.map { bytes[$0] }
            guard !dropped.contains(name.map(\.lowercased)) else { continue }
            // ASCII, because it is a token.
            let text = String(decoding: name, as: UTF8.self)
            guard let value = String(validating: field.value.map { bytes[$0] }, as: UTF8.self) else {
                throw .notForwardable("the header '\(text)' is not UTF-8")
            }
            fields.append((text, value))
        }
        return ForwardedFields(fields)
    }

    /// As bytes, because Swift's strings are equal if they are canonically equivalent.
    private static let ours = names(
        "connection", "content-length", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")

    private static let maxDropped = 100

    private static let critical = names("authorization", "content-encoding", "content-type", "date", "host")

    private static func isCritical(_ name: [UInt8]) -> Bool {
        name.starts(with: "x-amz-".utf8) || critical.contains(name)
    }

    private static func names(_ names: String...) -> Set<[UInt8]> { Set(names.map { Array($0.utf8) }) }
}

extension GatewayError {
    /// A request that would not reach the service as its caller signed it.
    fileprivate static func notForwardable(_ why: String) -> GatewayError {
        front(
            400, "BadRequestException", "The request cannot be passed on as it was signed: \(why).",
            detail: "not-forwardable")
    }
}

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
