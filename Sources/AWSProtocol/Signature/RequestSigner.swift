public import Primitives

/// Signs outgoing requests with AWS Signature Version 4 in their `Authorization` field.
///
/// It keeps the signing key of the day: deriving one costs several times as much as a signature.
public struct RequestSigner: Sendable {
    private struct Remembered: Sendable {
        let secret: String
        let day: [UInt8]
        var key: SigningKey
    }

    private let scope: SigningScope
    /// The text of `Authorization` between the day and the names of the fields.
    private let credentialEnd: [UInt8]
    private var canonical = CanonicalRequest()
    private var remembered: Remembered?
    private var time: (seconds: Int64, text: [UInt8]) = (0, AWSTime.basic(0))

    public init(scope: SigningScope) {
        self.scope = scope
        credentialEnd = Array("/\(scope.region)/\(scope.service)/aws4_request, SignedHeaders=".utf8)
    }

    /// Signs a request.
    ///
    /// - Parameters:
    ///   - path: as it is sent, without the query.
    ///   - query: as it is sent, without its question mark.
    ///   - fields: the fields to sign, each name once. `Host` must be one of them.
    ///   - instant: the time of the signature, which is valid five minutes before and after.
    /// - Returns: the fields to add: `X-Amz-Date`, `Authorization`, and for temporary credentials `X-Amz-Security-Token`.
    public mutating func sign(
        method: String, path: String, query: String, fields: [(name: String, value: String)], body: [UInt8],
        with credentials: AWSCredentials, at instant: WallInstant
    ) -> [(name: String, value: String)] {
        let time = time(at: instant)
        var added = [(name: "X-Amz-Date", value: String(decoding: time, as: UTF8.self))]
        if let token = credentials.sessionToken { added.append(("X-Amz-Security-Token", token)) }
        let signed = (fields + added).map { (name: $0.name.lowercased(), value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let names = signed.map(\.name).joined(separator: ";")

        var authorization: [UInt8] = []
        appendAuthorization(
            to: &authorization, signedNames: Array(names.utf8), body: body, with: credentials, time: time
        ) { canonical in
            canonical.begin(method: method.utf8.span, path: path.utf8.span, query: query.utf8.span)
            for field in signed { canonical.field(field.name.utf8.span, field.value.utf8.span) }
        }
        added.append(("Authorization", String(decoding: authorization, as: UTF8.self)))
        return added
    }

    /// The value of `X-Amz-Date`. The last one is kept, because most requests are signed in the same second as the one before.
    public mutating func time(at instant: WallInstant) -> [UInt8] {
        let seconds = instant.seconds
        if time.seconds != seconds { time = (seconds, AWSTime.basic(seconds)) }
        return time.text
    }

    /// Appends the value of a request's `Authorization`.
    ///
    /// - Parameters:
    ///   - signedNames: the names of the signed fields, in lower case, in order, with semicolons between them.
    ///   - time: the value of `X-Amz-Date`, from `time(at:)`.
    ///   - write: begins the canonical request and adds these fields in order.
    public mutating func appendAuthorization(
        to output: inout [UInt8], signedNames: [UInt8], body: [UInt8], with credentials: AWSCredentials, time: [UInt8],
        writing write: (inout CanonicalRequest) -> Void
    ) {
        write(&canonical)
        canonical.end(signedNames: signedNames.span, content: body.span)
        output.append(contentsOf: "AWS4-HMAC-SHA256 Credential=".utf8)
        output.append(contentsOf: credentials.accessKeyID.utf8)
        output.append(UInt8(ascii: "/"))
        output.append(contentsOf: time.prefix(8))
        output.append(contentsOf: credentialEnd)
        output.append(contentsOf: signedNames)
        output.append(contentsOf: ", Signature=".utf8)
        let day = Array(time.prefix(8))
        if remembered?.day != day || remembered?.secret != credentials.secretAccessKey {
            let key = SigningKey(secret: credentials.secretAccessKey, day: day.span, scope: scope)
            remembered = Remembered(secret: credentials.secretAccessKey, day: day, key: key)
        }
        if let signature = remembered?.key.sign(canonical, time: time.span) { output.append(signature) }
    }
}

extension RequestSigner: CustomStringConvertible, CustomReflectable {
    public var description: String { "signer for \(scope.service) in \(scope.region)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
