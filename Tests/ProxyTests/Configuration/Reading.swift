import StrictYAML
import Testing

@testable import JobsProxy

/// The configuration in a text without faults; nothing if it has any.
func configuration(_ yaml: String) -> Configuration? {
    try? ConfigurationReader.read(Array(yaml.utf8), file: "c.yaml").get()
}

/// The faults of a text, as they are printed but for the file's name: `line: key: message`.
func faults(_ yaml: String) -> [String] { faults(Array(yaml.utf8)) }

func faults(_ bytes: [UInt8]) -> [String] {
    switch ConfigurationReader.read(bytes, file: "c.yaml") {
    case .success: []
    case .failure(let faults): faults.faults.map { String($0.description.dropFirst("c.yaml:".count)) }
    }
}

/// A text and the faults it must have, no more and no fewer.
struct FaultyText: Sendable, CustomTestStringConvertible {
    let yaml: String
    let faults: [String]

    init(_ yaml: String, _ faults: String...) {
        self.yaml = yaml
        self.faults = faults
    }

    var testDescription: String { yaml }
}
