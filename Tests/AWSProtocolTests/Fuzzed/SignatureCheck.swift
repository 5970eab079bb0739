@testable import AWSProtocol

/// What must hold of the reader of the `Authorization` field, and of what is verified by it, whatever they are given. The
/// fuzzer and the tests ask this of every input.
enum SignatureCheck {
    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: by lines: the value of `Authorization`, the value of `X-Amz-Date`, the request target; the rest is
    ///   the content.
    static func fault(_ input: [UInt8]) -> String? {
        let lines = input.split(separator: 0x0a, maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
        let (value, date) = (lines[0], lines.count > 1 ? lines[1] : [])
        let (target, content) = (lines.count > 2 ? lines[2] : [], lines.count > 3 ? lines[3] : [])
        let header: SignatureHeader
        do throws(SignatureFault) {
            header = try SignatureHeader(value.span, 0..<value.count)
        } catch {
            return PlainReading(value) == nil ? nil : "refused (\(error)), and of the right form"
        }
        guard let plain = PlainReading(value) else { return "accepted, and not of the right form" }
        guard plain == PlainReading(header, value) else { return "\(PlainReading(header, value)), not \(plain)" }
        return ofVerified(header, value, date, target, content)
    }

    /// Nothing is verified that another hand does not sign in the same way.
    private static func ofVerified(
        _ header: SignatureHeader, _ value: [UInt8], _ date: [UInt8], _ target: [UInt8], _ content: [UInt8]
    ) -> String? {
        let bytes = value + date
        let place = value.count..<bytes.count
        let parts = target.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false).map(
            Array.init)
        let path = parts.first ?? []
        let query = parts.count > 1 ? parts[1] : []
        var verifier = SignatureVerifier(ring)
        guard let scope = try? verifier.check(header, date: place, bytes.span, now: now) else { return nil }
        verifier.canonical.begin(method: Array("POST".utf8).span, path: path.span, query: query.span)
        for name in value[header.signedNames].split(separator: UInt8(ascii: ";")) {
            verifier.canonical.field(Array(name).span)
            verifier.canonical.value(fieldValue(name, date).span)
            verifier.canonical.endField()
        }
        verifier.canonical.end(signedNames: Array(value[header.signedNames]).span, content: content.span)
        guard (try? verifier.verify(header, scope: scope, date: place, bytes.span)) != nil else { return nil }
        guard Array(value[header.keyID]) == Array(key.utf8) else { return "verified for an unknown key" }

        var signer = RequestSigner(scope: Self.scope)
        let names = value[header.signedNames].split(separator: UInt8(ascii: ";")).map { text($0) }
        let fields = names.filter { $0 != "x-amz-date" }.map { ($0, text(fieldValue(Array($0.utf8)[...], date))) }
        guard let time = AWSTime.basic(date.span, 0..<date.count) else { return "verified without a time" }
        let signed = signer.sign(
            method: "POST", path: text(path), query: text(query), fields: fields, body: content,
            with: AWSCredentials(accessKeyID: key, secretAccessKey: secret, sessionToken: nil), at: time)
        let expected = signed.last?.value ?? ""
        guard expected.hasSuffix(text(value[header.signature])) else {
            return "verified, but the signature is \(expected)"
        }
        return nil
    }

    static let key = "GWFUZZ"
    static let secret = "fuzz+secret"
    /// 2025-11-24T12:00:00Z.
    static let now: Int64 = 1_763_985_600
    static let scope = SigningScope(region: "us-east-1", service: "voiceid")
    private static let ring = KeyRing(keys: [.init(id: key, secret: secret, owner: 1)], scopes: [scope])

    private static func fieldValue(_ name: ArraySlice<UInt8>, _ date: [UInt8]) -> [UInt8] {
        text(name) == "x-amz-date" ? date : Array("a  b".utf8)
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}
