import TestSupport
import Testing

@Suite("The corpora of configurations and fields")
struct CorpusTests {
    @Test("A file ends in a configuration within its ranges, or in faults that can be shown")
    func configuration() throws {
        for input in try CorpusInput.all(for: "configuration") {
            if let fault = ConfigurationCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }

    @Test("Dates and fields are read as the C library and a simpler reader read them")
    func fields() throws {
        for input in try CorpusInput.all(for: "fields") {
            if let fault = FieldCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }
}
