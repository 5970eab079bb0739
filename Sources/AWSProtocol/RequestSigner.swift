/// Signs requests that go out, in their `Authorization` field.
///
/// It remembers the key of the day, which costs several times as much as a signature.
public struct RequestSigner: Sendable {
    private struct Remembered: Sendable {
        let secret: String
        let day: [UInt8]
        let key: SigningKey
    }

    private let scope: SigningScope
    private let stringToSign: StringToSign
    private var canonical = CanonicalRequest()
    private var text: [UInt8] = []
    private var remembered: Remembered?

    public init(scope: SigningScope) {
        self.scope = scope
        stringToSign = StringToSign(scope)
    }

    /// Signs a request.
    ///
    /// - Parameters:
    ///   - path: as it is sent, without the query.
    ///   - query: without its question mark.
    ///   - fields: what is signed, all of it: `Host`, and what else the service is to be sure of. Names occur once.
    ///   - seconds: the time since 1970-01-01T00:00:00Z that the signature is good for, five minutes around it.
    /// - Returns: the fields to add: `X-Amz-Date`, `X-Amz-Security-Token` with temporary credentials, `Authorization`.
    public mutating func sign(
        method: String, path: String, query: String, fields: [(name: String, value: String)], body: [UInt8],
        with credentials: AWSCredentials, at seconds: Int64
    ) -> [(name: String, value: String)] {
        let time = AWSTime.basic(seconds)
        var added = [(name: "X-Amz-Date", value: String(decoding: time, as: UTF8.self))]
        if let token = credentials.sessionToken { added.append(("X-Amz-Security-Token", token)) }
        let signed = (fields + added).map { (name: $0.name.lowercased(), value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let names = signed.map(\.name).joined(separator: ";")

        canonical.begin(method: Array(method.utf8).span, path: Array(path.utf8).span, query: Array(query.utf8).span)
        for field in signed {
            canonical.field(Array(field.name.utf8).span, Array(field.value.utf8).span)
        }
        canonical.end(signedNames: Array(names.utf8).span, content: body.span)

        let key = key(of: credentials, day: Array(time.prefix(8)))
        stringToSign.write(canonical, time: time.span, into: &text)
        var signature: [UInt8] = []
        key.appendSignature(of: text, to: &signature)
        let day = String(decoding: time.prefix(8), as: UTF8.self)
        added.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(day)/\(scope.region)/\(scope.service)/aws4_request, "
                    + "SignedHeaders=\(names), Signature=\(String(decoding: signature, as: UTF8.self))"
            ))
        return added
    }

    private mutating func key(of credentials: AWSCredentials, day: [UInt8]) -> SigningKey {
        if let remembered, remembered.day == day, remembered.secret == credentials.secretAccessKey {
            return remembered.key
        }
        let key = SigningKey(secret: credentials.secretAccessKey, day: day.span, scope: scope)
        remembered = Remembered(secret: credentials.secretAccessKey, day: day, key: key)
        return key
    }
}

extension RequestSigner: CustomStringConvertible, CustomReflectable {
    public var description: String { "signer for \(scope.service) in \(scope.region)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
