import TestSupport
import Testing

@testable import HTTPFront

@Suite("The decoder's corpus")
struct CorpusTests {
    @Test("agrees with llhttp, whole, byte by byte, and cut in two anywhere")
    func agreement() throws {
        for input in try CorpusInput.all(for: "codec") {
            let stream = input.bytes.drop { $0 != 0x0a }
            var fault = DecoderCheck.fault(input.bytes) ?? DecoderCheck.fault(Array(stream))
            for cut in 1..<min(255, max(2, stream.count)) where fault == nil && cut != 0x0a {
                fault = DecoderCheck.fault([UInt8(cut), 255, 255, 255, 255, 255, 255, 255] + stream)
            }
            if let fault { Issue.record("\(input.name): \(fault)") }
        }
    }

    @Test("is accepted or refused, or waits for more, as its directories say")
    func verdicts() throws {
        for input in try CorpusInput.all(for: "codec") {
            let reading = DecoderCheck.reading(input.bytes)
            switch input.name.prefix(while: { $0 != "/" }) {
            case "accepted":
                #expect(!reading.requests.isEmpty, "\(input.name)")
                if case .refused(let refusal) = reading.end { Issue.record("\(input.name): \(refusal)") }
            case "refused":
                guard case .refused = reading.end else {
                    Issue.record("\(input.name): \(reading)")
                    continue
                }
            case "smuggled":
                // What is hidden in the content stays content: one request, or none.
                #expect(reading.requests.count <= 1, "\(input.name)")
                #expect(!reading.requests.contains { $0.path.contains("smuggled") }, "\(input.name)")
            default:
                Issue.record("\(input.name) is in no directory that says what it is")
            }
        }
    }

    @Test("finds a disagreement, where there is one")
    func proof() throws {
        // llhttp is shown another request than the one that was decoded.
        let other = SecondOpinion()
        defer { other.close() }
        try other.read(Array("POST /x HTTP/1.1\r\nHost: a\r\n\r\n".utf8)[...])
        let stream = Array("\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let request = try #require(DecoderCheck.reading(stream).requests.first)
        let opinion = try #require(other.requests.first)
        #expect(request.difference(opinion) != nil)
    }
}
