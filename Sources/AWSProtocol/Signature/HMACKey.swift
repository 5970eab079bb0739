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
        let words = code(message)
        return UInt64(words[0].bigEndian) << 32 | UInt64(words[1].bigEndian)
    }

    /// The 32 bytes of a message's code.
    package func bytes(_ message: Span<UInt8>) -> [UInt8] { code(message).bytes }

    func code(_ message: Span<UInt8>) -> SHA256.Digest {
        var inner = inner
        inner.update(message)
        return code(inner.finalize())
    }

    /// The code of a message.
    ///
    /// - Parameter digest: the digest of `inner` followed by the message.
    func code(_ digest: SHA256.Digest) -> SHA256.Digest {
        var outer = outer
        outer.update(digest)
        return outer.finalize()
    }
}
