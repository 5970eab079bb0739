import Primitives
import Testing

@Suite("Bytes of ASCII")
struct ASCIITests {
    @Test("have a hexadecimal value if they are such digits, and their own text again")
    func hexadecimal() {
        for byte in UInt8.min...UInt8.max {
            let digit = Character(UnicodeScalar(byte))
            #expect(byte.hexDigitValue.map(Int.init) == (digit.isASCII ? digit.hexDigitValue : nil))
            var (small, large): ([UInt8], [UInt8]) = ([], [])
            small.append(hexadecimal: byte)
            large.append(hexadecimal: byte, uppercase: true)
            let text = (byte < 16 ? "0" : "") + String(byte, radix: 16)
            #expect(small == Array(text.utf8))
            #expect(large == Array(text.uppercased().utf8))
            #expect(large.map(\.lowercased) == small)
        }
    }

    @Test(
        "are a number if they are 1 to 18 digits",
        arguments: [
            ("0", 0), ("007", 7), ("999999999999999999", 999_999_999_999_999_999), ("", nil),
            ("1000000000000000000", nil),
            ("-1", nil), ("1 ", nil), ("1/", nil), ("1:", nil),
        ] as [(String, Int64?)])
    func number(text: String, number: Int64?) {
        #expect(text.utf8.span.number(0..<text.utf8.count) == number)
    }

    @Test("are no number outside the span")
    func outside() { #expect("123".utf8.span.number(1..<4) == nil) }
}
