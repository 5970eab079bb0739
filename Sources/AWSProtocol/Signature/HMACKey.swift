internal import Crypto

/// A key of HMAC-SHA-256 (RFC 2104). Its two padded blocks are hashed once, which saves two blocks for each code.
package struct HMACKey: Sendable {
    /// The hash state after the inner padded key.
    let inner: SHA256
    private let outer: SHA256

    /// - Parameter key: of any length; a key longer than a block is hashed first.
    package init(_ key: [UInt8]) {
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

    /// The first 64 bits of a message's code.
    package func word(_ message: Span<UInt8>) -> UInt64 {
        let words = code(message).words
        return UInt64(words[0].bigEndian) << 32 | UInt64(words[1].bigEndian)
    }

    func code(_ message: Span<UInt8>) -> SHA256Digest {
        var inner = inner
        inner.update(message)
        return code(inner.finalize())
    }

    /// The code of a message.
    ///
    /// - Parameter digest: the digest of `inner` followed by the message.
    func code(_ digest: SHA256Digest) -> SHA256Digest {
        var outer = outer
        outer.update(digest)
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
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
    }

    fileprivate mutating func update(_ digest: SHA256Digest) {
        let words = digest.words
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe withUnsafeBytes(of: words) { unsafe update(bufferPointer: $0) }
    }
}

extension SHA256Digest {
    var bytes: [UInt8] { Array(self) }

    /// The digest as eight words in the byte order of memory.
    var words: InlineArray<8, UInt32> {
        @inline(__always) get {
            guard MemoryLayout<Self>.size == MemoryLayout<InlineArray<8, UInt32>>.size else { return copiedWords }
            // Unsafe because the bytes are reinterpreted: any bytes are valid integers, and a digest of 32 bytes with a size of 32 is
            // just these. Its own accessors are generic code of another module and cost as much as hashing a block.
            return unsafe unsafeBitCast(self, to: InlineArray<8, UInt32>.self)
        }
    }

    private var copiedWords: InlineArray<8, UInt32> {
        var words = InlineArray<8, UInt32>(repeating: 0)
        // Unsafe because of the pointers: both sides have 32 bytes.
        unsafe withUnsafeBytes { bytes in
            for index in words.indices {
                words[index] = unsafe bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
            }
        }
        return words
    }
}
