import TestSupport
import Testing

@Suite("The corpora of the protocol")
struct CorpusTests {
    @Test("JSON is read as Foundation reads it, and its canonical spelling is one")
    func json() throws {
        for input in try CorpusInput.all(for: "json") {
            if let fault = JSONCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }

    @Test("The Authorization field is read as a simpler reader reads it, and nothing is verified that is not signed")
    func signature() throws {
        for input in try CorpusInput.all(for: "signature") {
            if let fault = SignatureCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }
}
