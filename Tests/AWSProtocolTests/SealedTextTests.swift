import Testing

@testable import AWSProtocol

/// Known answers: D. McGrew, J. Viega: The Galois/Counter Mode of Operation, test cases 13 and 14.
@Suite("Sealed texts")
struct SealedTextTests {
    private let zeroKey = [UInt8](repeating: 0, count: 32)

    private func bytes(_ hex: String) -> [UInt8] {
        var rest = Array(hex.utf8)[...]
        var bytes: [UInt8] = []
        while let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue {
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    @Test("open known answers")
    func known() {
        let nonce = "000000000000000000000000"
        let empty = SealedText.open(bytes(nonce + "530f8afbc74536b9a963b4f1c4cb738b"), context: [], key: zeroKey)
        #expect(empty == [])
        let block = SealedText.open(
            bytes(nonce + "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"), context: [],
            key: zeroKey)
        #expect(block == [UInt8](repeating: 0, count: 16))
    }

    @Test("come back whole, of any length, and differ each time", arguments: [0, 1, 15, 16, 17, 1000, 100_000])
    func roundTrip(count: Int) throws {
        let text = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let key = (0..<32).map { UInt8($0) }
        let sealed = try #require(SealedText.seal(text, context: [1, 2, 3], key: key))
        #expect(sealed.count == count + 28)
        #expect(SealedText.open(sealed, context: [1, 2, 3], key: key) == text)
        #expect(SealedText.seal(text, context: [1, 2, 3], key: key) != sealed)
    }

    @Test("do not open with any bit changed, cut short, in another context or with another key")
    func changed() throws {
        let key = (0..<32).map { UInt8($0) }
        let sealed = try #require(SealedText.seal(Array("a page".utf8), context: [7], key: key))
        for place in sealed.indices {
            for bit in 0..<8 {
                var other = sealed
                other[place] ^= 1 << bit
                #expect(SealedText.open(other, context: [7], key: key) == nil)
            }
        }
        for count in 0..<sealed.count { #expect(SealedText.open(sealed.prefix(count), context: [7], key: key) == nil) }
        #expect(SealedText.open(sealed + [0], context: [7], key: key) == nil)
        #expect(SealedText.open(sealed, context: [8], key: key) == nil)
        #expect(SealedText.open(sealed, context: [], key: key) == nil)
        #expect(SealedText.open(sealed, context: [7], key: zeroKey) == nil)
        #expect(SealedText.open(sealed, context: [7], key: [1]) == nil)
        #expect(SealedText.seal([], context: [], key: [1]) == nil)
    }
}

extension UInt8 {
    fileprivate var hexDigitValue: UInt8? { Character(Unicode.Scalar(self)).hexDigitValue.map { UInt8($0) } }
}
