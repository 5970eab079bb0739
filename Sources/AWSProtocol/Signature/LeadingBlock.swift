/// Hashes texts of which many begin with the same block. That block is hashed once for all of them.
///
/// The state after a block is kept when the block comes twice in a row, so that other texts cost no more than otherwise.
struct LeadingBlock: Sendable {
    private let start: SHA256
    /// The first block of the last text.
    private var words = InlineArray<8, UInt64>(repeating: 0)
    /// The state after that block, if it came twice.
    private var begun: SHA256?

    /// - Parameter start: the hash state before each text, after whole blocks.
    init(after start: SHA256 = SHA256()) { self.start = start }

    mutating func hash(_ bytes: [UInt8]) -> SHA256.Digest {
        let text = bytes.span
        guard text.count >= SHA256.blockByteCount, isKnown(text) else {
            var hash = start
            hash.update(text)
            return hash.finalize()
        }
        var hash = begun ?? begin(text)
        hash.update(text.extracting(droppingFirst: SHA256.blockByteCount))
        return hash.finalize()
    }

    private mutating func begin(_ text: Span<UInt8>) -> SHA256 {
        var hash = start
        hash.update(text.extracting(first: SHA256.blockByteCount))
        begun = hash
        return hash
    }

    /// Returns true if a text begins with the same block as the last one; if not, remembers its first block.
    private mutating func isKnown(_ text: Span<UInt8>) -> Bool {
        var difference: UInt64 = 0
        for index in words.indices {
            let word = text.word(at: 8 * index)
            difference |= words[index] ^ word
            words[index] = word
        }
        guard difference != 0 else { return true }
        begun = nil
        return false
    }
}
