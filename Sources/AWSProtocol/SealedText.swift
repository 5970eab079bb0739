internal import CCrypto

/// Text that only holders of a key can read or make: AES-256-GCM (NIST SP 800-38D) with a random nonce.
package enum SealedText {
    private static let keyCount = 32
    private static let nonceCount = 12
    private static let tagCount = 16

    /// Seals a text. With one key at most 2³² texts may be sealed, because nonces are random.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - context: must be given again to open it, and is not part of the result.
    /// - Returns: nonce, sealed text and tag; nil if the key has another length, memory is short or the text is longer than 1 GiB.
    package static func seal(_ text: [UInt8], context: [UInt8], key: [UInt8]) -> [UInt8]? {
        guard key.count == keyCount, text.count <= 1 << 30, context.count <= 1 << 30 else { return nil }
        var random = SystemRandomNumberGenerator()
        let nonce = (0..<nonceCount).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        var sealed = [UInt8](repeating: 0, count: text.count)
        var tag = [UInt8](repeating: 0, count: tagCount)
        // Unsafe because of the pointers, which do not outlive the call; the counts are those of the arrays.
        let isSealed = unsafe ccrypto_seal(
            key, nonce, context, Int32(context.count), text, Int32(text.count), &sealed, &tag)
        return isSealed == 1 ? nonce + sealed + tag : nil
    }

    /// Opens a sealed text.
    ///
    /// - Returns: the text; nil if it was not sealed with this key and context, or has been changed.
    package static func open(_ sealed: some Collection<UInt8>, context: [UInt8], key: [UInt8]) -> [UInt8]? {
        let count = sealed.count - nonceCount - tagCount
        guard key.count == keyCount, count >= 0, count <= 1 << 30, context.count <= 1 << 30 else { return nil }
        let nonce = Array(sealed.prefix(nonceCount))
        let tag = Array(sealed.suffix(tagCount))
        let body = Array(sealed.dropFirst(nonceCount).prefix(count))
        // One more, because libcrypto gets a pointer behind the text, and writes nothing there.
        var text = [UInt8](repeating: 0, count: count + 1)
        // Unsafe because of the pointers, which do not outlive the call; the counts are those of the arrays.
        let isOpen = unsafe ccrypto_open(
            key, nonce, context, Int32(context.count), body, Int32(count), &text, tag)
        text.removeLast()
        return isOpen == 1 ? text : nil
    }
}
