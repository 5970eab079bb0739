internal import Crypto

/// What a signature is good for: a service in a Region.
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

/// What signs the requests of a day for one scope: the signing key, and the string to sign, of which only the time and the hash of
/// the canonical request change from one request to the next.
///
/// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html),
/// "Create a string to sign" and "Derive a signing key". Deriving the key costs several times as much as a signature, so it is kept.
struct SigningKey: Sendable {
    static let algorithm = Array("AWS4-HMAC-SHA256".utf8)
    private static let timeLength = 16

    private let key: HMACKey
    /// Requests of one client mostly begin with the same block, and strings to sign do for a second.
    private var requests = LeadingBlock()
    private var strings: LeadingBlock
    /// Algorithm, time, scope and the canonical request's hash, a line each.
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
    /// - Parameter time: 16 characters in ISO 8601's basic form, such as `20150830T123600Z`.
    mutating func sign(_ request: CanonicalRequest, time: Span<UInt8>) -> HexDigest {
        assert(time.count == Self.timeLength, "a time of another length leaves some of the last one")
        let hash = HexDigest(requests.hash(request.bytes))
        // Unsafe only in its pointers: both places lie inside the text, and no more is copied than they hold.
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
    /// Appends as much of `bytes` as there is room for.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        // Unsafe only in its pointers: what is copied lies inside the span, and there is room for it.
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
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
