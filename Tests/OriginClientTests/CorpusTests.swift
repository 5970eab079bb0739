import TestSupport
import Testing

@Suite("The corpus of replies")
struct CorpusTests {
    @Test("A reply is read as a simpler reader reads it, or refused for good")
    func replies() throws {
        for input in try CorpusInput.all(for: "replies") {
            let fault = ReplyCheck.fault(input.bytes) ?? ReplyCheck.faultInPieces(input.bytes)
            if let fault { Issue.record("\(input.name): \(fault)") }
        }
    }
}
