import Primitives

@testable import AWSProtocol

/// The invariants of the reader of the `Authorization` field and of the verifier. The fuzzer and the tests check them for
/// every input.
enum SignatureCheck {
    /// The violated invariant, `nil` if all hold.
    ///
    /// - Parameter input: lines: the value of `Authorization`, the value of `X-Amz-Date`, the request target. The rest is
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

    /// A verified signature is the one that the signer makes, and no input prevents that a good request is verified.
    private static func ofVerified(
        _ header: SignatureHeader, _ value: [UInt8], _ date: [UInt8], _ target: [UInt8], _ content: [UInt8]
    ) -> String? {
        let parts = target.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false).map(
            Array.init)
        let path = parts.first ?? []
        let query = parts.count > 1 ? parts[1] : []
        var verifier = SignatureVerifier(ring)
        guard let claim = try? verifier.claim(value.span),
            let moment = try? verifier.check(claim, value.span, date: date.span, now: WallInstant(seconds: now))
        else { return nil }
        let names = value[header.signedNames].split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        verifier.canonical.begin(method: Array("POST".utf8).span, path: path.span, query: query.span)
        for name in names { verifier.canonical.field(Array(name).span, fieldValue(name, date).span) }
        verifier.canonical.end(signedNames: Array(value[header.signedNames]).span, content: content.span)
        let isVerified = (try? verifier.verify(claim, value.span, date: date.span, at: moment)) != nil
        if let fault = ofGood(&verifier) ?? ofGood(&verifier) { return fault }
        guard isVerified else { return nil }
        guard Array(value[header.keyID]) == Array(key.utf8) else { return "verified for an unknown key" }
        guard let time = AWSTime.basic(date.span) else { return nil }

        let fields = names.filter { text($0) != "x-amz-date" }.map {
            (name: text($0), value: text(fieldValue($0, date)))
        }
        let (signedNames, signature) = sign(path: text(path), query: text(query), fields: fields, content, at: time)
        // The signer always signs the date.
        guard signedNames == text(value[header.signedNames]) else { return nil }
        return signature == text(value[header.signature]) ? nil : "verified, but the signature is \(signature)"
    }

    /// The same verifier verifies a good request of the same instant.
    private static func ofGood(_ verifier: inout SignatureVerifier) -> String? {
        let (names, signature) = sign(path: "/", query: "", fields: [("host", "a b")], [], at: now)
        let date = AWSTime.basic(now)
        let scope = "\(key)/\(text(date.prefix(8)))/us-east-1/voiceid/aws4_request"
        let bytes = Array("AWS4-HMAC-SHA256 Credential=\(scope),SignedHeaders=\(names),Signature=\(signature)".utf8)
        let (path, nothing): ([UInt8], [UInt8]) = (Array("/".utf8), [])
        do throws(SignatureFault) {
            let claim = try verifier.claim(bytes.span)
            let moment = try verifier.check(claim, bytes.span, date: date.span, now: WallInstant(seconds: now))
            verifier.canonical.begin(method: Array("POST".utf8).span, path: path.span, query: nothing.span)
            for name in ["host", "x-amz-date"] {
                verifier.canonical.field(Array(name.utf8).span, fieldValue(Array(name.utf8)[...], date).span)
            }
            verifier.canonical.end(signedNames: Array(names.utf8).span, content: nothing.span)
            _ = try verifier.verify(claim, bytes.span, date: date.span, at: moment)
            return nil
        } catch {
            return "a good request is refused afterwards: \(error)"
        }
    }

    private static func sign(
        path: String, query: String, fields: [(name: String, value: String)], _ content: [UInt8], at time: Int64
    ) -> (names: String, signature: String) {
        var signer = RequestSigner(scope: scope)
        let signed = signer.sign(
            method: "POST", path: path, query: query, fields: fields, body: content,
            with: AWSCredentials(accessKeyID: key, secretAccessKey: secret), at: WallInstant(seconds: time))
        let value = Array((signed.last?.value ?? "").utf8)
        guard let header = try? SignatureHeader(value.span, value.indices) else { return ("", "") }
        return (text(value[header.signedNames]), text(value[header.signature]))
    }

    private static let key = "GWFUZZ"
    private static let secret = "fuzz+secret"
    /// 2025-12-01T00:00:00Z: two days, of two months, are within the tolerance.
    private static let now: Int64 = 1_764_547_200
    private static let scope = SigningScope(region: "us-east-1", service: "voiceid")
    private static let ring = KeyRing(keys: [.init(id: key, secret: secret, owner: 1)], scopes: [scope])

    private static func fieldValue(_ name: ArraySlice<UInt8>, _ date: [UInt8]) -> [UInt8] {
        text(name) == "x-amz-date" ? date : Array("a  b".utf8)
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}
