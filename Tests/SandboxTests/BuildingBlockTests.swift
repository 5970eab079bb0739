import Primitives
import Testing

@testable import Sandbox

@Suite("Building blocks")
struct BuildingBlockTests {
    @Test("SplitMix64 gives the sequence of its reference implementation")
    func splitMix() {
        var random = SplitMix64(seed: 1_234_567)
        let numbers = (0..<3).map { _ in random.next() }
        #expect(numbers == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }

    @Test("Identifiers give their key back, sort as their keys do, and cannot be made up")
    func identifiers() {
        var random = SplitMix64(seed: 5)
        let keys: [UInt64] = [0, 1, 61, 62, .max - 1, .max] + (0..<200).map { _ in random.next() }
        for key in keys {
            let text = Identifier(key: key).text
            #expect(text.utf8.count == 22)
            #expect(Identifier(text)?.key == key)
            for place in [0, 10, 11, 21] {
                var characters = Array(text)
                characters[place] = characters[place] == "0" ? "1" : "0"
                #expect(Identifier(String(characters)) == nil)
            }
        }
        #expect(keys.sorted().map { Identifier(key: $0).text } == keys.map { Identifier(key: $0).text }.sorted())
        for text in ["", "0", String(repeating: "z", count: 22), String(repeating: "-", count: 22)] {
            #expect(Identifier(text) == nil)
        }
    }

    @Test("Request identifiers look like UUIDs and are all different")
    func requestIdentifiers() {
        var one = RequestID()
        var other = RequestID()
        var texts: [String] = []
        for _ in 0..<1000 {
            one.advance()
            other.advance()
            texts += [one.text, other.text].map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(Set(texts).count == texts.count)
        for text in texts {
            #expect(text.split(separator: "-", omittingEmptySubsequences: false).map(\.count) == [8, 4, 4, 4, 12])
            #expect(text.allSatisfy { $0 == "-" || $0.isHexDigit })
            #expect(Array(text)[14] == "4")
            #expect("89ab".contains(Array(text)[19]))
        }
    }
}
