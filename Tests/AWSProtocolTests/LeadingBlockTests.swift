import Testing

@testable import AWSProtocol

@Suite("Texts that begin with the same block")
struct LeadingBlockTests {
    private func text(_ byte: UInt8, _ count: Int, then rest: [UInt8] = []) -> [UInt8] {
        [UInt8](repeating: byte, count: count) + rest
    }

    /// Texts of two different bytes, of lengths around one block and two: first blocks repeat, change, and are incomplete.
    private func randomText(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
        let lengths = [0, 1, 63, 64, 65, 127, 128, 129, 200]
        var text = text(UInt8.random(in: 0...1, using: &generator), lengths.randomElement(using: &generator) ?? 0)
        if let last = text.indices.last { text[last] = .random(in: 0...1, using: &generator) }
        return text
    }

    @Test("are hashed as any others are, whatever came before")
    func hashes() {
        var generator = SystemRandomNumberGenerator()
        var block = LeadingBlock()
        for _ in 0..<10_000 {
            let text = randomText(&generator)
            let digest = block.hash(text)
            #expect(digest.bytes == SHA256.hash(text.span).bytes)
        }
    }

    @Test("are hashed after a beginning of their own")
    func codes() {
        let key = HMACKey(Array("key".utf8))
        var block = LeadingBlock(after: key.inner)
        for rest in [[], [1], [2], [3], [3]] as [[UInt8]] {
            for text in [text(7, 64, then: rest), text(8, 64, then: rest), text(8, 64, then: rest)] {
                #expect(key.code(block.hash(text)).bytes == key.code(text.span).bytes)
            }
        }
    }

    @Test("differ in any of its bytes")
    func differences() {
        var block = LeadingBlock()
        let first = text(9, 100)
        for place in 0..<64 {
            _ = block.hash(first)
            _ = block.hash(first)
            var other = first
            other[place] ^= 0x80
            let digest = block.hash(other)
            #expect(digest.bytes == SHA256.hash(other.span).bytes)
        }
    }
}
