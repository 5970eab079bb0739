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

/// The key of a day's signatures for one scope.
///
/// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html),
/// "Derive a signing key". Deriving it costs several times as much as a signature, so it is kept.
final class SigningKey: Sendable {
    private let key: HMACKey

    /// - Parameter day: eight digits, such as `20150830`.
    init(secret: String, day: Span<UInt8>, scope: SigningScope) {
        var key = HMACKey(Array("AWS4\(secret)".utf8)).code(day).bytes
        for part in [scope.region, scope.service, "aws4_request"] {
            key = HMACKey(key).code(Array(part.utf8).span).bytes
        }
        self.key = HMACKey(key)
    }

    /// Appends the signature of a string to sign, in 64 hexadecimal digits.
    func appendSignature(of stringToSign: [UInt8], to text: inout [UInt8]) {
        key.code(stringToSign.span).appendHex(to: &text)
    }
}

/// The string to sign: algorithm, time, scope and the canonical request's hash, a line each.
struct StringToSign {
    static let algorithm = Array("AWS4-HMAC-SHA256".utf8)

    private let start = algorithm + [UInt8(ascii: "\n")]
    /// What the scope's line says after the day, and its end.
    private let scopeEnd: [UInt8]

    init(_ scope: SigningScope) { scopeEnd = Array("/\(scope.region)/\(scope.service)/aws4_request\n".utf8) }

    /// - Parameters:
    ///   - time: 16 characters in ISO 8601's basic form, such as `20150830T123600Z`.
    ///   - text: what is written into; emptied first.
    func write(_ canonicalRequest: CanonicalRequest, time: Span<UInt8>, into text: inout [UInt8]) {
        text.removeAll(keepingCapacity: true)
        let (start, scopeEnd) = (start, scopeEnd)
        let day = time.extracting(0..<min(8, time.count))
        text.append(addingCapacity: start.count + time.count + 1 + day.count + scopeEnd.count) { output in
            output.append(copying: start.span)
            output.append(copying: time)
            output.append(UInt8(ascii: "\n"))
            output.append(copying: day)
            output.append(copying: scopeEnd.span)
        }
        SHA256.hash(canonicalRequest.bytes.span).appendHex(to: &text)
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
