internal import CCrypto

/// SHA-256 (FIPS 180-4) by libcrypto, which libcurl brings into the process. A copy of it goes on from where the original is.
struct SHA256: Sendable {
    /// A digest of 32 bytes, as eight words in the byte order of memory.
    typealias Digest = InlineArray<8, UInt32>

    static let blockByteCount = 64

    private var context = SHA256_CTX()

    // libcrypto's functions fail only without a context.
    init() { _ = unsafe SHA256_Init(&context) }

    mutating func update(_ bytes: Span<UInt8>) {
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    mutating func update(_ digest: Digest) {
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe withUnsafeBytes(of: digest) { unsafe update($0) }
    }

    private mutating func update(_ bytes: UnsafeRawBufferPointer) {
        _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }

    /// The digest of what was hashed. Nothing can be hashed afterwards.
    consuming func finalize() -> Digest {
        var digest = Digest(repeating: 0)
        // Unsafe because of the pointer, which does not leave the closure; the digest is as long as what is written.
        unsafe withUnsafeMutableBytes(of: &digest) { bytes in
            _ = unsafe SHA256_Final(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, &context)
        }
        return digest
    }

    static func hash(_ bytes: Span<UInt8>) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.finalize()
    }
}

extension SHA256.Digest {
    var bytes: [UInt8] {
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe withUnsafeBytes(of: self) { unsafe Array($0) }
    }
}
