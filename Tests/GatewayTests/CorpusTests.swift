import TestSupport
import Testing

@Suite("The corpus of inputs")
struct CorpusTests {
    @Test("A canonical body means what the body means, and is its own canonical body")
    func input() throws {
        for input in try CorpusInput.all(for: "input") {
            if let fault = InputCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }
}
