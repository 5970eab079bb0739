import Testing

@testable import HTTPFront

@Suite("Reading of text in bytes")
struct SpanTextTests {
    @Test("The first control character is found wherever it is, whichever it is; a tab is none")
    func controls() {
        for length in 0..<50 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var bytes = [UInt8](repeating: 0x61, count: length)
                    bytes[length / 2] = 0x09
                    bytes[place] = byte
                    let expected = byte != 0x09 && (byte < 0x20 || byte == 0x7f) ? place : length
                    guard bytes.span.firstControl(from: 0) == expected else {
                        Issue.record("\(byte) at \(place) of \(length)")
                        return
                    }
                }
            }
        }
        func first(from start: Int) -> Int { [UInt8](repeating: 0, count: 20).span.firstControl(from: start) }
        #expect(first(from: 7) == 7)
        #expect(first(from: 21) == 20)
        #expect(first(from: -1) == 20)
    }

    @Test("A beginning is told from all that differ from it in one byte, and from what is shorter")
    func beginnings() {
        let text = Array("POST / HTTP/1.1\r\n".utf8)
        func begins(_ bytes: [UInt8]) -> Bool { bytes.span.spells("POST / HTTP/1.1\r\n", at: 0..<17) }
        #expect(begins(text + [1]))
        #expect(!begins(text.dropLast()))
        for place in text.indices {
            var other = text
            other[place] ^= 0x20
            #expect(!begins(other))
        }
    }
}
