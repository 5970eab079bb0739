internal import Primitives

/// The `Authorization` field of AWS Signature Version 4, as ranges of its bytes:
///
///     AWS4-HMAC-SHA256 Credential=KEY/20150830/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d67…
///
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html, "HTTP authorization header".
public struct SignatureHeader: Sendable {
    /// The access key id.
    public let keyID: Range<Int>
    /// The day of the scope, eight digits.
    public let day: Range<Int>
    public let region: Range<Int>
    public let service: Range<Int>
    /// Region and service, with a slash between them.
    public var scope: Range<Int> { region.lowerBound..<service.upperBound }
    /// The names of the signed fields with semicolons between them: in lower case, in order, each once. The request may lack
    /// some of these fields.
    public let signedNames: Range<Int>
    /// 64 hexadecimal digits.
    public let signature: Range<Int>

    /// Reads the value of the field strictly: exactly the three parameters, each once, with commas between them.
    ///
    /// - Throws: `SignatureFault.malformed` for any other value.
    public init(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(SignatureFault) {
        let algorithm = SigningKey.algorithm
        let start = value.lowerBound + algorithm.count
        guard start < value.upperBound, bytes.holds(algorithm, at: value.lowerBound), bytes[start] == 0x20 else {
            throw .malformed("Authorization does not begin with AWS4-HMAC-SHA256")
        }
        var credential: Range<Int>?
        var signedNames: Range<Int>?
        var signature: Range<Int>?
        var from = start
        while from <= value.upperBound {
            let end = bytes.first(UInt8(ascii: ","), in: from..<value.upperBound)
            let parameter = bytes.trimmed(from..<end)
            from = end + 1
            if let value = bytes.value(of: Self.credentialName, in: parameter) {
                guard credential == nil else { throw .malformed("Credential is repeated") }
                credential = value
            } else if let value = bytes.value(of: Self.signedNamesName, in: parameter) {
                guard signedNames == nil else { throw .malformed("SignedHeaders is repeated") }
                signedNames = value
            } else if let value = bytes.value(of: Self.signatureName, in: parameter) {
                guard signature == nil else { throw .malformed("Signature is repeated") }
                signature = value
            } else {
                throw .malformed("Authorization holds something that is not Credential, SignedHeaders or Signature")
            }
        }
        guard let credential else { throw .malformed("Authorization has no Credential") }
        guard let signedNames else { throw .malformed("Authorization has no SignedHeaders") }
        guard let signature else { throw .malformed("Authorization has no Signature") }
        guard signature.count == 64 else { throw .malformed("Signature is not 64 hexadecimal digits") }
        guard !signedNames.isEmpty else { throw .malformed("SignedHeaders is empty") }
        // In order and without repetition, so that each field of a request is hashed at most once.
        guard bytes.isSignedList(signedNames) else {
            throw .malformed("SignedHeaders does not name its fields in lower case, in order and once each")
        }
        (keyID, day, region, service) = try Self.scope(bytes, credential)
        self.signedNames = signedNames
        self.signature = signature
    }

    /// Returns true if a value is plainly of a Region: `AWS4-HMAC-SHA256 Credential=KEY/DAY/REGION/…`, as SDKs write it. It costs less
    /// than reading the value; false says nothing.
    public static func isPlainly(of region: [UInt8], _ bytes: Span<UInt8>, _ value: Range<Int>) -> Bool {
        let key = value.lowerBound + SigningKey.algorithm.count + 1 + credentialName.count
        guard let slash = bytes.index(of: UInt8(ascii: "/"), from: key), slash < value.upperBound else { return false }
        let start = slash + 10
        let end = start + region.count
        return end < value.upperBound && bytes[start - 1] == UInt8(ascii: "/") && bytes[end] == UInt8(ascii: "/")
            && bytes.holds(region, at: start)
    }

    /// Reads `KEY/day/region/service/aws4_request`. The access key id is all before the last four parts.
    private static func scope(
        _ bytes: Span<UInt8>, _ credential: Range<Int>
    ) throws(SignatureFault) -> (Range<Int>, Range<Int>, Range<Int>, Range<Int>) {
        var end = credential.upperBound
        var parts = InlineArray<4, Range<Int>>(repeating: 0..<0)
        for part in 0..<4 {
            guard let slash = bytes.last(UInt8(ascii: "/"), in: credential.lowerBound..<end) else {
                throw .malformed("Credential is not KEY/DAY/REGION/SERVICE/aws4_request")
            }
            parts[part] = slash + 1..<end
            end = slash
        }
        let keyID = credential.lowerBound..<end
        guard !keyID.isEmpty, keyID.count <= 128, bytes.holds(terminator, in: parts[0]), parts[3].count == 8,
            !parts[1].isEmpty, !parts[2].isEmpty
        else {
            throw .malformed("Credential is not KEY/DAY/REGION/SERVICE/aws4_request")
        }
        return (keyID, parts[3], parts[2], parts[1])
    }

    private static let credentialName = Array("Credential=".utf8)
    private static let signedNamesName = Array("SignedHeaders=".utf8)
    private static let signatureName = Array("Signature=".utf8)
    private static let terminator = Array("aws4_request".utf8)
}

extension Span where Element == UInt8 {
    fileprivate func first(_ byte: UInt8, in range: Range<Int>) -> Int {
        guard range.lowerBound >= 0, range.upperBound <= count, !range.isEmpty else { return range.upperBound }
        return extracting(..<range.upperBound).index(of: byte, from: range.lowerBound) ?? range.upperBound
    }

    /// The index of the last `byte` in a range, `nil` if there is none.
    fileprivate func last(_ byte: UInt8, in range: Range<Int>) -> Int? {
        range.clamped(to: indices).last { self[$0] == byte }
    }

    fileprivate func holds(_ text: [UInt8], in range: Range<Int>) -> Bool {
        range.count == text.count && holds(text, at: range.lowerBound)
    }

    /// The rest of `range` after `name`, which includes the equals sign; `nil` if it does not begin with it.
    fileprivate func value(of name: [UInt8], in range: Range<Int>) -> Range<Int>? {
        guard range.count >= name.count, holds(name, at: range.lowerBound) else { return nil }
        return range.lowerBound + name.count..<range.upperBound
    }

    /// Returns true if a range consists of names in lower case, with semicolons between them, each greater than the one before.
    fileprivate func isSignedList(_ range: Range<Int>) -> Bool {
        var previous = range.lowerBound..<range.lowerBound
        var start = range.lowerBound
        while start <= range.upperBound {
            let end = first(UInt8(ascii: ";"), in: start..<range.upperBound)
            let name = start..<end
            start = end + 1
            guard !name.isEmpty, precedes(previous, name), isLowercase(name) else { return false }
            previous = name
        }
        return true
    }

    private func precedes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        for (one, other) in zip(left, right) where self[one] != self[other] { return self[one] < self[other] }
        return left.count < right.count
    }

    private func isLowercase(_ range: Range<Int>) -> Bool {
        for index in range where self[index] &- 0x41 < 26 { return false }
        return true
    }
}
