internal import Crypto

/// Hashes texts many of which begin with the same block, which is then hashed once for all of them.
///
/// A block is remembered when it comes and hashed ahead when it comes again at once, so that one that never does costs nothing.
struct LeadingBlock: Sendable {
    private let start: SHA256
    /// What the last text began with.
    private var words = InlineArray<8, UInt64>(repeating: 0)
    /// `start` with that block, if it came twice.
    private var begun: SHA256?

    /// - Parameter start: what was hashed before each text, in whole blocks.
    init(after start: SHA256 = SHA256()) { self.start = start }

    mutating func hash(_ bytes: [UInt8]) -> SHA256Digest {
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

    /// Whether a text begins as the last one did; if not, its beginning is remembered.
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
