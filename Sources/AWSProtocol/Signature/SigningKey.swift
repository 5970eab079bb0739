/// The scope of a signature: a service in a Region.
public struct SigningScope: Sendable, Hashable {
    /// Such as `us-east-1`.
    public let region: String
    /// The service's signing name, such as `voiceid`.
    public let service: String

    public init(region: String, service: String) {
        self.region = region
        self.service = service
    }
}

/// The signing key of a day and a scope, with its string to sign, in which only the time and the canonical request's hash change.
///
/// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html),
/// "Create a string to sign" and "Derive a signing key". Deriving the key costs several times as much as a signature, so it is kept.
struct SigningKey: Sendable {
    static let algorithm = Array("AWS4-HMAC-SHA256".utf8)
    private static let timeLength = 16

    private let key: HMACKey
    /// The requests of a client mostly begin with the same block, and so do the strings to sign of a second.
    private var requests = LeadingBlock()
    private var strings: LeadingBlock
    /// The algorithm, the time, the scope and the canonical request's hash, one line each.
    private var stringToSign: [UInt8]

    /// - Parameter day: eight digits, such as `20150830`.
    init(secret: String, day: Span<UInt8>, scope: SigningScope) {
        var key = HMACKey(Array("AWS4\(secret)".utf8)).code(day).bytes
        for part in [scope.region, scope.service, "aws4_request"] {
            key = HMACKey(key).code(Array(part.utf8).span).bytes
        }
        self.key = HMACKey(key)
        strings = LeadingBlock(after: self.key.inner)
        stringToSign = Self.algorithm + [UInt8(ascii: "\n")]
        stringToSign += [UInt8](repeating: 0, count: Self.timeLength) + [UInt8(ascii: "\n")]
        stringToSign.append(copying: day)
        stringToSign += Array("/\(scope.region)/\(scope.service)/aws4_request\n".utf8)
        stringToSign += [UInt8](repeating: 0, count: HexDigest.length)
    }

    /// Signs a request.
    ///
    /// - Parameter time: 16 characters in ISO 8601's basic format, such as `20150830T123600Z`.
    mutating func sign(_ request: CanonicalRequest, time: Span<UInt8>) -> HexDigest {
        assert(time.count == Self.timeLength, "a shorter time leaves a part of the last one")
        let hash = HexDigest(requests.hash(request.bytes))
        // Unsafe because of the pointers: both destinations lie inside the text and have room for the copied bytes.
        unsafe stringToSign.withUnsafeMutableBytes { text in
            unsafe time.extracting(first: Self.timeLength).withUnsafeBytes { time in
                unsafe UnsafeMutableRawBufferPointer(rebasing: text[(Self.algorithm.count + 1)...]).copyMemory(
                    from: time)
            }
            unsafe hash.write(to: UnsafeMutableRawBufferPointer(rebasing: text[(text.count - HexDigest.length)...]))
        }
        return HexDigest(key.code(strings.hash(stringToSign)))
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends `bytes`, or as many of them as there is room for.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        // Unsafe because of the pointers: the copied bytes lie inside the span, and there is room for them.
        unsafe withUnsafeMutableBufferPointer { output, count in
            let copied = min(bytes.count, output.count - count)
            unsafe bytes.extracting(first: copied).withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count...])
                    .copyMemory(from: source)
            }
            count += copied
        }
    }
}

extension Array where Element == UInt8 {
    mutating func append(copying span: Span<UInt8>) {
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
