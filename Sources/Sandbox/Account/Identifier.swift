internal import Primitives

/// An identifier of the service, 22 letters and digits, made from one 64-bit key.
///
/// The first eleven characters spell the key, the others a number that follows from it. So different keys have different
/// identifiers, the key of an identifier can be read back, and identifiers sort as their keys do.
struct Identifier: Sendable, Hashable, Comparable {
    let key: UInt64

    static func < (left: Identifier, right: Identifier) -> Bool { left.key < right.key }
}

extension Identifier {
    /// `nil` for a text that is no identifier of the sandbox.
    init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count == 2 * Self.digits, let key = Self.number(characters.prefix(Self.digits)) else {
            return nil
        }
        self.key = key
        guard characters == utf8 else { return nil }
    }

    var text: String { String(decoding: utf8, as: UTF8.self) }

    private var utf8: [UInt8] { Self.spell(key) + Self.spell(SplitMix64.mix(~key)) }

    /// 62¹¹ is just above 2⁶⁴.
    static let digits = 11
    /// In the order of their codes, so that texts of one length compare as the numbers do.
    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    static func spell(_ number: UInt64) -> [UInt8] {
        var rest = number
        var reversed: [UInt8] = []
        for _ in 0..<digits {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 62)
            reversed.append(alphabet[Int(digit)])
            rest = quotient
        }
        return reversed.reversed()
    }

    /// `nil` for text that `spell` does not write.
    static func number(_ characters: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for character in characters {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 62)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }
}
