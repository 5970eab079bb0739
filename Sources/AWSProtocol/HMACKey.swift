internal import Crypto

/// A key of HMAC-SHA-256 (RFC 2104), its two padded blocks hashed ahead: a code costs the message and two more blocks.
struct HMACKey: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    /// - Parameter key: of any length; one longer than a block is hashed first.
    init(_ key: [UInt8]) {
        var block = key
        if key.count > SHA256.blockByteCount { block = SHA256.hash(key.span).bytes }
        block += [UInt8](repeating: 0, count: SHA256.blockByteCount - block.count)
        inner = Self.hash(of: block.map { $0 ^ 0x36 })
        outer = Self.hash(of: block.map { $0 ^ 0x5c })
    }

    private static func hash(of block: [UInt8]) -> SHA256 {
        var hash = SHA256()
        hash.update(block.span)
        return hash
    }

    func code(_ message: Span<UInt8>) -> SHA256Digest {
        var inner = inner
        inner.update(message)
        var outer = outer
        outer.update(inner.finalize())
        return outer.finalize()
    }
}

extension SHA256 {
    static func hash(_ bytes: Span<UInt8>) -> SHA256Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }

    mutating func update(_ bytes: Span<UInt8>) {
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
    }

    fileprivate mutating func update(_ digest: SHA256Digest) {
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe digest.withUnsafeBytes { unsafe update(bufferPointer: $0) }
    }
}

extension SHA256Digest {
    var bytes: [UInt8] { Array(self) }

    /// Appends the digest in 64 small hexadecimal digits.
    func appendHex(to text: inout [UInt8]) {
        var digits = InlineArray<64, UInt8>(repeating: 0)
        // Unsafe only in its pointer: a digest has 32 bytes.
        unsafe withUnsafeBytes { digest in
            for index in 0..<32 {
                let byte = unsafe digest[index]
                digits[2 * index] = Self.digit(byte >> 4)
                digits[2 * index + 1] = Self.digit(byte & 15)
            }
        }
        text.append(copying: digits.span)
    }

    /// 0 to 9 are 39 below the letters, less ten: what is borrowed in the subtraction tells which it is.
    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 {
        value &+ UInt8(ascii: "0") &+ (39 & UInt8(truncatingIfNeeded: (Int16(9) &- Int16(value)) >> 8))
    }
}
