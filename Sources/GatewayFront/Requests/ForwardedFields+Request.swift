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

extension ContentCoding {
    /// That of a request's content; `nil` if it is in none but `identity`.
    ///
    /// - Parameters:
    ///   - maxBytes: the bytes that the content may have once its coding is taken off.
    ///   - isPassedOn: true if the request's own fields are sent on, whatever they are.
    /// - Throws: the answer to a request whose codings are no tokens, so that no field of the gateway's can name them.
    init?(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>, maxBytes: Int, isPassedOn: Bool
    ) throws(GatewayError) {
        var codings: [String] = []
        for field in head.fields where bytes.isText("content-encoding", at: field.name) {
            let parts = field.value.map { bytes[$0] }.split(separator: UInt8(ascii: ","))
            for part in parts {
                let coding = part.filter { $0 != 0x20 && $0 != 0x09 }
                let isToken = coding.allSatisfy { $0.isLetter || $0.isDigit || "-_.+".utf8.contains($0) }
                guard isPassedOn || isToken && coding.count <= 32 && codings.count < 8 else { throw .codedContent }
                let text = String(decoding: coding, as: UTF8.self)
                if !text.isEmpty, text.lowercased() != "identity" { codings.append(text) }
            }
        }
        if codings.isEmpty { return nil }
        let isGzip = codings.count == 1 && ["gzip", "x-gzip"].contains(codings[0].lowercased())
        self.init(field: codings.joined(separator: ", "), isGzip: isGzip, maxBytes: maxBytes)
    }
}

extension GatewayError {
    fileprivate static let codedContent = front(
        415, "UnsupportedMediaTypeException",
        "The request's Content-Encoding is not a list of a few short names.",
        detail: "content-encoding")
}
