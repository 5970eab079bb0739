internal import AWSProtocol
internal import Gateway
internal import HTTPFront

/// What of a request's fields goes on to the service when its caller's signature does.
enum EndToEnd {
    /// All fields but those that are about the connection: the ones that RFC 9110, section 7.6.1, names, and those that the
    /// request's `Connection` field names. What the request means cannot be named away like that.
    ///
    /// - Throws: for what cannot be passed on as it is, and would break a signature.
    static func fields(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(GatewayError) -> ForwardedFields {
        for index in head.path where bytes[index] == UInt8(ascii: "?") {
            throw .notForwardable("calls have no query")
        }
        var dropped = ours
        if head[.connection] != nil {
            for field in head.fields where bytes.isText("connection", at: field.name) {
                let options = text(bytes, field.value).split(separator: ",")
                for option in options {
                    let name = option.lowercased().filter { $0 != " " && $0 != "\t" }
                    if !isCritical(name) { dropped.insert(name) }
                }
            }
        }
        var fields: [(name: String, value: String)] = []
        for field in head.fields {
            let name = text(bytes, field.name)
            guard !dropped.contains(name.lowercased()) else { continue }
            guard let value = String(validating: field.value.map { bytes[$0] }, as: UTF8.self) else {
                throw .notForwardable("the header '\(name)' is not UTF-8")
            }
            fields.append((name, value))
        }
        return ForwardedFields(fields)
    }

    private static let ours: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static func isCritical(_ name: String) -> Bool {
        name.hasPrefix("x-amz-")
            || ["authorization", "content-encoding", "content-type", "date", "host"].contains(name)
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
}

extension GatewayError {
    /// A request that would not reach the service as its caller signed it.
    fileprivate static func notForwardable(_ why: String) -> GatewayError {
        GatewayError(
            ServiceError(
                status: 400, namespace: ServiceError.commonNamespace, code: "BadRequestException",
                message: "The request cannot be passed on as it was signed: \(why)."),
            outcome: .invalid, detail: "not-forwardable")
    }
}
